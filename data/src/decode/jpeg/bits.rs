//! Bit reader of a scan.

/// First restart marker; seven more follow it.
const RESTART: u8 = 0xd0;
/// First marker that begins a frame; lower markers have no meaning in a scan.
const FIRST_FRAME: u8 = 0xc0;

/// Maximum number of bytes that encoders leave after a scan's last block.
const MAX_REST: usize = 2;

/// Minimum number of equal bytes in a scan's data that count as padding.
const MIN_RUN: usize = 8;

/// Reads the bits of one scan, and its restart markers.
///
/// If the data ends before the image does, zeros follow.
pub(super) struct Bits<'a> {
    file: &'a [u8],
    position: usize,
    /// Next bits, highest first. Below the first `count` bits are bits from `position` on, or
    /// zeros.
    bits: u64,
    count: u32,
    /// Number of zeros added after the end of the data.
    padding: u32,
    next_restart: u8,
}

impl<'a> Bits<'a> {
    pub(super) fn new(file: &'a [u8], position: usize) -> Self {
        Self {
            file,
            position,
            bits: 0,
            count: 0,
            padding: 0,
            next_restart: 0,
        }
    }

    /// Returns a position after the data that was read, and not after the next marker.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Returns whether more was read than exists.
    pub(super) fn is_spent(&self) -> bool {
        self.padding > self.count
    }

    /// Returns whether more bytes than [`MAX_REST`] are left before the next marker or the end of
    /// the file.
    ///
    /// Padding does not count: one repeated byte that does not begin earlier.
    pub(super) fn has_rest(&self) -> bool {
        let ready = self.count.saturating_sub(self.padding) / 8;
        let end = self.position.saturating_sub(ready as usize);
        let (data, rest) = self.file.split_at(end.min(self.file.len()));
        let length = next_marker(rest).map_or(rest.len(), |(_, offset)| offset - 2);
        let rest = &rest[..length];
        let Some(first) = rest.first().filter(|_| length > MAX_REST) else {
            return false;
        };
        let same = data.iter().rev().take_while(|byte| *byte == first).count();
        let is_padding = same < MIN_RUN && rest.iter().all(|byte| byte == first);
        !is_padding
    }

    /// Ensures that at least 32 bits are ready.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(&next) = self
            .file
            .get(self.position..)
            .and_then(|rest| rest.first_chunk())
        {
            let word = u64::from_be_bytes(next);
            // No byte is 0xff, since its inverse has no zero byte.
            let inverse = !word;
            let lows = 0x0101_0101_0101_0101;
            if inverse.wrapping_sub(lows) & !inverse & (lows << 7) == 0 {
                // Bits below the new count already have the values that the next call sets.
                self.bits |= word >> self.count;
                let bytes = (63 - self.count) / 8;
                self.position += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        self.fill_by_bytes();
    }

    #[cold]
    #[inline(never)]
    fn fill_by_bytes(&mut self) {
        while self.count <= 56 {
            let byte = match self.next_byte() {
                Some(byte) => byte,
                None => {
                    self.padding += 8;
                    0
                }
            };
            self.bits |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Returns the next byte of data, unless there is a marker or the end of the file.
    fn next_byte(&mut self) -> Option<u8> {
        let &byte = self.file.get(self.position)?;
        if byte != 0xff {
            self.position += 1;
            return Some(byte);
        }
        // A zero marks 0xff as data; several 0xff may precede it.
        let repeated = self.file[self.position..]
            .iter()
            .take_while(|&&byte| byte == 0xff)
            .count();
        match self.file.get(self.position + repeated) {
            Some(0) => {
                self.position += repeated + 1;
                Some(0xff)
            }
            _ => None,
        }
    }

    /// Returns the next 1 to 32 bits; only the ready ones are valid.
    #[inline(always)]
    pub(super) fn peek(&self, length: u32) -> u32 {
        (self.bits >> (64 - length)) as u32
    }

    /// Skips bits that are ready.
    #[inline(always)]
    pub(super) fn skip(&mut self, length: u32) {
        self.bits <<= length;
        self.count = self.count.wrapping_sub(length);
    }

    /// Reads the next 0 to 16 bits.
    #[inline(always)]
    pub(super) fn take(&mut self, length: u32) -> u32 {
        self.fill();
        let value = ((self.bits >> 32) >> (32 - length)) as u32;
        self.skip(length);
        value
    }

    /// Reads a number from `length` ready bits, 1 to 16, in the standard's encoding: a highest bit
    /// of zero denotes negative numbers.
    #[inline(always)]
    pub(super) fn take_number(&mut self, length: u32) -> i32 {
        let value = self.peek(length) as i32;
        self.skip(length);
        if value >> (length - 1) == 0 {
            value - (1 << length) + 1
        } else {
            value
        }
    }

    /// Continues after the restart marker that is due here.
    ///
    /// If there is another marker instead, the amount of lost data is guessed: a marker that is due
    /// soon is kept for later, one that was due recently is skipped.
    pub(super) fn restart(&mut self) {
        let was_spent = self.is_spent();
        let due = self.next_restart;
        self.next_restart = (due + 1) % 8;
        (self.bits, self.count, self.padding) = (0, 0, 0);
        while let Some((marker, offset)) = next_marker(&self.file[self.position..]) {
            let ahead = marker.wrapping_sub(RESTART).wrapping_sub(due) % 8;
            let is_restart = (RESTART..RESTART + 8).contains(&marker);
            if marker >= FIRST_FRAME && (!is_restart || matches!(ahead, 1 | 2)) {
                self.position += offset - 2;
                break;
            }
            self.position += offset;
            if is_restart && !matches!(ahead, 6 | 7) {
                return;
            }
        }
        self.padding = u32::from(was_spent);
    }
}

/// Returns the next marker, and the position after it.
pub(super) fn next_marker(bytes: &[u8]) -> Option<(u8, usize)> {
    bytes
        .windows(2)
        .position(|pair| pair[0] == 0xff && pair[1] != 0x00 && pair[1] != 0xff)
        .map(|offset| (bytes[offset + 1], offset + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the next bytes of a scan.
    fn bytes(bits: &mut Bits, count: usize) -> Vec<u32> {
        (0..count).map(|_| bits.take(8)).collect()
    }

    #[test]
    fn stuffed_bytes_are_removed() {
        for before in 0..12 {
            let plain = vec![7; before];
            let stuffed = [
                &plain[..],
                &[0xff, 0, 1, 0xff, 0xff, 0, 2, 3, 4, 5, 6, 7, 8],
            ]
            .concat();
            let mut bits = Bits::new(&stuffed, 0);
            assert_eq!(bytes(&mut bits, before), vec![7; before]);
            assert_eq!(bytes(&mut bits, 4), [255, 1, 255, 2]);
            assert_eq!(bytes(&mut bits, 6), [3, 4, 5, 6, 7, 8]);
            assert!(!bits.is_spent());
            assert_eq!(bits.take(1), 0);
            assert!(bits.is_spent());
        }
    }

    #[test]
    fn leftover_data_is_detected() {
        for (file, has_rest) in [
            (&[7, 0xff, 0xd9][..], false),
            (&[7, 1, 2, 0xff, 0xd9], false),
            (&[7, 1, 2, 3, 0xff, 0xd9], true),
            (&[7, 1, 0xff, 0, 3, 0xff, 0xd9], true),
            (&[7, 0xff, 0xff, 0xff, 0xff, 0xd9], false),
            (&[7, 1, 0], false),
            (&[7, 1, 0, 0], true),
            (&[&[7][..], &[0; 99]].concat(), false),
        ] {
            let mut bits = Bits::new(file, 0);
            bits.take(6);
            assert_eq!(bits.has_rest(), has_rest, "{file:?}");
        }
        // Padding that begins inside the data.
        let file = [&[7][..], &[0; 99]].concat();
        let mut bits = Bits::new(&file, 0);
        for (count, has_rest) in [(8, false), (2, true), (80, true), (10, false)] {
            bytes(&mut bits, count);
            assert_eq!(bits.has_rest(), has_rest, "{count} more bytes");
        }
    }

    #[test]
    fn missing_bits_read_as_zeros() {
        let mut bits = Bits::new(&[0xab, 0xff, 0xd9], 0);
        assert_eq!(bytes(&mut bits, 3), [0xab, 0, 0]);
        assert!(bits.is_spent());
        assert_eq!(bits.position(), 1);
    }

    #[test]
    fn leading_zero_bit_means_negative() {
        let mut bits = Bits::new(&[0b1010_0111, 0b0000_0000], 0);
        bits.fill();
        let numbers = [1, 1, 2, 4].map(|length| bits.take_number(length));
        assert_eq!(numbers, [1, -1, 2, -8]);
    }

    #[test]
    fn missing_restart_markers_are_recovered() {
        let restarted = |file: &[u8]| {
            let mut bits = Bits::new(file, 0);
            bits.restart();
            (bits.take(8), bits.is_spent())
        };
        let due = [0xff, 0xd0, 9];
        assert_eq!(restarted(&due), (9, false));
        assert_eq!(
            restarted(&[&[1, 2, 0xff, 0], &due[..]].concat()),
            (9, false)
        );
        // A marker from the past, one due soon, one that can only be the right one, and the end.
        assert_eq!(
            restarted(&[&[0xff, 0xd7, 5], &due[..]].concat()),
            (9, false)
        );
        assert_eq!(restarted(&[0xff, 0xd1, 9]), (0, true));
        assert_eq!(restarted(&[0xff, 0xd4, 9]), (9, false));
        assert_eq!(restarted(&[0xff, 0xd9, 9]), (0, true));
    }
}
