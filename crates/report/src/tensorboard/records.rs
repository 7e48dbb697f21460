//! Records of a TFRecord file.
//!
//! A record consists of its length, a checksum of the length, the bytes, and a checksum of the
//! bytes. All numbers are little-endian.

use std::io::{self, Write};

use crc::{CRC_32_ISCSI, Crc, Table};
use prost::Message as _;

use super::messages::{Event, SessionLog, SessionStatus, Summary, Value};

const CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// Version in the first record. Without it, TensorBoard takes steps that go back for a restart.
const VERSION: &str = "brain.Event:2";

/// Writes the records of a file.
pub(super) struct Records<W: Write> {
    writer: W,
    /// Buffer for any record.
    bytes: Vec<u8>,
}

impl<W: Write> Records<W> {
    /// Starts a file. A TensorBoard that has read an earlier file forgets all its points.
    pub(super) fn new(writer: W, wall_time: f64) -> io::Result<Self> {
        let mut records = Self {
            writer,
            bytes: Vec::new(),
        };
        records.push(&Event {
            wall_time,
            file_version: Some(VERSION.to_owned()),
            ..Event::default()
        })?;
        records.push(&Event {
            wall_time,
            session_log: Some(SessionLog {
                status: SessionStatus::Start.into(),
            }),
            ..Event::default()
        })?;
        Ok(records)
    }

    /// Adds the values of a step, if there are any.
    pub(super) fn values(
        &mut self,
        wall_time: f64,
        step: u64,
        value: Vec<Value>,
    ) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        self.push(&Event {
            wall_time,
            step: i64::try_from(step).unwrap_or(i64::MAX),
            summary: Some(Summary { value }),
            ..Event::default()
        })
    }

    fn push(&mut self, event: &Event) -> io::Result<()> {
        self.bytes.clear();
        event.encode(&mut self.bytes)?;
        let length = (self.bytes.len() as u64).to_le_bytes();
        self.writer.write_all(&length)?;
        self.writer.write_all(&checksum(&length))?;
        self.writer.write_all(&self.bytes)?;
        self.writer.write_all(&checksum(&self.bytes))
    }
}

/// Returns the CRC-32C, rotated and offset so that it is never the plain CRC of data that contains
/// its own CRC.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    const OFFSET: u32 = 0xa282_ead8;
    let crc = CRC.checksum(bytes);
    crc.rotate_right(15).wrapping_add(OFFSET).to_le_bytes()
}

/// Returns all records of a file, and checks lengths and checksums.
#[cfg(test)]
pub(super) fn read(mut file: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    while !file.is_empty() {
        let (head, rest) = file.split_at(12);
        assert_eq!(head[8..], checksum(&head[..8]));
        let length = u64::from_le_bytes(head[..8].try_into().unwrap());
        let (bytes, rest) = rest.split_at(length as usize);
        let (sum, rest) = rest.split_at(4);
        assert_eq!(sum, checksum(bytes));
        events.push(Event::decode(bytes).unwrap());
        file = rest;
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_framing_matches_reference() {
        // The first record of any file that TensorFlow writes, except for its time, which is 0
        // here.
        let mut file = Vec::new();
        let mut records = Records::new(&mut file, 0.0).unwrap();
        records.values(0.0, 7, vec![]).unwrap();
        assert_eq!(file.len(), (8 + 4 + 15 + 4) + (8 + 4 + 4 + 4));
        assert_eq!(file[..8], 15_u64.to_le_bytes());
        assert_eq!(&file[12..27], b"\x1a\x0dbrain.Event:2");
        assert_eq!(&file[43..47], b"\x3a\x02\x08\x01");
        assert_eq!(read(&file).len(), 2);
        // The standard's check value, masked.
        let masked = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(checksum(b"123456789"), masked.to_le_bytes());
    }
}
