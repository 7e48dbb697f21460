//! SHA-256 checksums.

use std::fmt::Write as _;

use ring::digest::{Context, Digest, SHA256, digest};

/// Number of hexadecimal digits in a SHA-256 checksum.
pub const SHA256_DIGITS: usize = 64;

/// Incremental SHA-256 hasher.
#[derive(Clone)]
pub struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl Hasher {
    /// Creates a hasher without any bytes.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the checksum of the bytes so far, as lowercase hexadecimal digits.
    pub fn sha256(&self) -> String {
        digits(&self.0.clone().finish())
    }
}

/// Returns the SHA-256 checksum of bytes, as lowercase hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    digits(&digest(&SHA256, bytes))
}

fn digits(digest: &Digest) -> String {
    let mut digits = String::with_capacity(SHA256_DIGITS);
    for byte in digest.as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_matches_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        let mut hasher = Hasher::new();
        hasher.update(b"a");
        assert_ne!(hasher.sha256(), abc);
        hasher.update(b"bc");
        assert_eq!(hasher.sha256(), abc);
    }
}
