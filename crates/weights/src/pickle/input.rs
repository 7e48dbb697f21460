//! Sequential reader for the bytes of a pickle.

use std::borrow::Cow;

use super::problem::PickleProblem;

/// Remaining bytes.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Input<'a> {
    /// Starts at `position`, which may be past the end.
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// Returns the position of the next byte.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Takes a number of bytes given by the file, after checking that they exist.
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], PickleProblem> {
        let rest = self.rest();
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| rest.get(..count));
        let taken = taken.ok_or(PickleProblem::CutOff {
            needed: count,
            there: rest.len() as u64,
        })?;
        self.position += taken.len();
        Ok(taken)
    }

    /// Takes a fixed number of bytes.
    pub(super) fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], PickleProblem> {
        let there = self.rest().len() as u64;
        let needed = COUNT as u64;
        let bytes = self.rest().first_chunk().copied();
        let bytes = bytes.ok_or(PickleProblem::CutOff { needed, there })?;
        self.position += COUNT;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PickleProblem> {
        self.array().map(|[byte]| byte)
    }

    /// Reads an 8-byte little-endian number, which counts bytes that must exist.
    pub(super) fn length(&mut self) -> Result<u64, PickleProblem> {
        let length = u64::from_le_bytes(self.array()?);
        let there = self.rest().len() as u64;
        if length > there {
            return Err(PickleProblem::CutOff {
                needed: length,
                there,
            });
        }
        Ok(length)
    }

    /// Takes the bytes up to the end of the line and skips the line break.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleProblem> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or(PickleProblem::NoEndOfLine)?;
        self.position += end + 1;
        Ok(&rest[..end])
    }

    /// Takes a line that contains a number, such as `12` or Python 2's `12L`.
    pub(super) fn number(&mut self) -> Result<&'a str, PickleProblem> {
        let line = self.line()?;
        let line = line.strip_suffix(b"L").unwrap_or(line);
        let digits = line.strip_prefix(b"-").unwrap_or(line);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(PickleProblem::NoNumber);
        }
        str::from_utf8(line).map_err(|_| PickleProblem::NoNumber)
    }
}

/// Decodes text. Python permits unpaired surrogates, for example in paths, which Rust strings
/// cannot represent; they become U+FFFD.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Decodes a line of protocol 0 that may contain `\n`, `\x41`, `\u0041` or `\U00000041`. Any other
/// character after a backslash is kept, without the backslash.
pub(super) fn escaped(line: &[u8]) -> Cow<'_, str> {
    if !line.contains(&b'\\') {
        return text(line);
    }
    let line = text(line);
    let mut result = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('x') => result.push(hexadecimal(&mut rest, 2)),
            Some('u') => result.push(hexadecimal(&mut rest, 4)),
            Some('U') => result.push(hexadecimal(&mut rest, 8)),
            Some(other) => result.push(other),
            None => result.push('\\'),
        }
    }
    Cow::Owned(result)
}

fn hexadecimal(rest: &mut std::str::Chars<'_>, digits: usize) -> char {
    let code = rest.take(digits).try_fold(0_u32, |code, digit| {
        code.checked_mul(16)?.checked_add(digit.to_digit(16)?)
    });
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_before_use() {
        let mut input = Input::new(&[0xff; 8], 0);
        let problem = input.length().unwrap_err();
        assert_eq!(
            problem,
            PickleProblem::CutOff {
                needed: u64::MAX,
                there: 0
            }
        );
        let mut input = Input::new(b"abc", 1);
        let problem = input.take(3).unwrap_err();
        assert_eq!(
            problem,
            PickleProblem::CutOff {
                needed: 3,
                there: 2
            }
        );
        assert_eq!(input.take(2).unwrap(), b"bc");
        assert!(Input::new(b"abc", 99).byte().is_err());
    }

    #[test]
    fn text_lines_parse_numbers_and_escapes() {
        let mut input = Input::new(b"12L\n-7\n1x\n\n5", 0);
        assert_eq!(input.number().unwrap(), "12");
        assert_eq!(input.number().unwrap(), "-7");
        assert_eq!(input.number().unwrap_err(), PickleProblem::NoNumber);
        assert_eq!(input.number().unwrap_err(), PickleProblem::NoNumber);
        assert_eq!(input.line().unwrap_err(), PickleProblem::NoEndOfLine);
        assert_eq!(
            escaped(b"a\\n\\x41\\u00e9\\U0001f600\\\\\\'"),
            "a\nA\u{e9}\u{1f600}\\'"
        );
        assert_eq!(escaped(b"\\ud800\\u12"), "\u{fffd}\u{12}");
        assert_eq!(escaped(b"end\\"), "end\\");
    }
}
