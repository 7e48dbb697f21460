//! Expected checksum of a downloaded file: its SHA-256, or the first digits of it.

use std::fmt;

use files::SHA256_DIGITS;

/// Number of digits in messages.
const SHOWN: usize = 16;

/// Minimum number of digits to distinguish files.
const FEWEST_DIGITS: usize = 8;

/// Reason why a checksum is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChecksumError {
    /// The checksum has too few or too many digits.
    #[error("it has {found} digits: expected {FEWEST_DIGITS} to {SHA256_DIGITS}")]
    Length {
        /// Number of digits found.
        found: usize,
    },

    /// The checksum contains a character that is not a hexadecimal digit.
    #[error("{found:?} is not a hexadecimal digit")]
    Digit {
        /// First invalid character.
        found: char,
    },
}

/// First digits of a file's SHA-256, in lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    digits: String,
}

impl Checksum {
    /// Parses 8 to 64 hexadecimal digits, in upper or lower case.
    pub(crate) fn parse(text: &str) -> Result<Self, ChecksumError> {
        if let Some(found) = text.chars().find(|digit| !digit.is_ascii_hexdigit()) {
            return Err(ChecksumError::Digit { found });
        }
        if !(FEWEST_DIGITS..=SHA256_DIGITS).contains(&text.len()) {
            return Err(ChecksumError::Length { found: text.len() });
        }
        Ok(Self {
            digits: text.to_ascii_lowercase(),
        })
    }

    /// Returns whether this matches a file's SHA-256, given as all of its digits.
    pub(crate) fn matches(&self, sha256: &str) -> bool {
        sha256.starts_with(&self.digits)
    }

    /// Returns the first digits, as shown in messages.
    pub(crate) fn shown(&self) -> String {
        self.same_digits(&self.digits)
    }

    /// Returns the same number of digits of a file's SHA-256, for comparison with
    /// [`shown`](Self::shown).
    pub(crate) fn same_digits(&self, sha256: &str) -> String {
        sha256.chars().take(self.digits.len().min(SHOWN)).collect()
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.digits)
    }
}

#[cfg(test)]
mod tests {
    use files::Hasher;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn checksum_prefix_suffices() {
        let mut hasher = Hasher::new();
        hasher.update(b"a");
        assert_ne!(hasher.sha256(), ABC);
        hasher.update(b"bc");
        assert_eq!(hasher.sha256(), ABC);
        assert!(Checksum::parse("BA7816BF").unwrap().matches(ABC));
        assert!(Checksum::parse(ABC).unwrap().matches(ABC));
        assert!(!Checksum::parse("ba7816be").unwrap().matches(ABC));
    }

    #[test]
    fn invalid_checksums_are_rejected() {
        for (text, found) in [("", 0), ("ba7816b", 7), (&format!("{ABC}0"), 65)] {
            let error = Checksum::parse(text).unwrap_err();
            assert_eq!(error, ChecksumError::Length { found });
        }
        let error = Checksum::parse("ba7816b-").unwrap_err();
        assert_eq!(error.to_string(), "'-' is not a hexadecimal digit");
    }
}
