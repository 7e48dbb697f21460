//! Limit on the decoding work that a file may cause.

use super::NO_BIT;
use super::frame::Frame;
use super::scan::Scan;
use crate::decode::DecodeError;

pub(super) const TOO_MUCH_WORK: DecodeError =
    DecodeError::Unsupported("a JPEG image with too many scans");

/// Cost of visiting a block, in visits of coefficients.
const BLOCK_COST: u64 = 8;

/// Maximum number of visits per block of an image, over all scans. A progressive file of libjpeg
/// causes 250; one with a scan for each bit of each coefficient, down to two bits, causes 1,152.
const MOST: u64 = 2048;

/// Cost factor of a scan that adds no new information.
const REPEATED: u64 = 8;

/// Sums up the cost of scans before they are read.
#[derive(Default)]
pub(super) struct Work(u64);

impl Work {
    /// Adds a scan.
    ///
    /// # Errors
    /// [`TOO_MUCH_WORK`] if all scans together visit more coefficients than any real file needs.
    pub(super) fn add(&mut self, scan: &Scan, frame: &Frame) -> Result<(), DecodeError> {
        let components = &frame.components;
        let [start, end] = scan.coefficients(frame.coding);
        let low_bit = scan.lowest_bit(frame.coding);
        let parts = || scan.parts.iter().map(|part| &components[part.component]);
        let blocks: usize = parts().map(|one| one.padded[0] * one.padded[1]).sum();
        let repeats = parts().all(|one| {
            let known = &one.known[start..=end];
            known.iter().all(|&bit| bit != NO_BIT && bit <= low_bit)
        });
        let visits = BLOCK_COST + (end - start + 1) as u64;
        let cost = blocks as u64 * visits * if repeats { REPEATED } else { 1 };
        self.0 = self.0.saturating_add(cost);
        let all: usize = components
            .iter()
            .map(|one| one.padded[0] * one.padded[1])
            .sum();
        match self.0 > MOST * all as u64 {
            true => Err(TOO_MUCH_WORK),
            false => Ok(()),
        }
    }
}
