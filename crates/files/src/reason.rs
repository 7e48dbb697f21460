//! System errors in words.

use std::io;

use crate::ReadError;

/// Returns the reason for a system error, without its number.
///
/// ```
/// let error = std::fs::read("/nowhere").unwrap_err();
/// assert_eq!(files::reason(&error), "no such file or folder");
/// ```
pub fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "no such file or folder".to_owned();
    }
    without_number(&error.to_string())
}

/// Returns the fix for a failed write if the file is not the cause: the disk is full or a limit is
/// reached.
pub fn write_hint(error: &io::Error) -> Option<&'static str> {
    // This project's read limit is not a system limit.
    if error
        .get_ref()
        .is_some_and(|reason| reason.is::<ReadError>())
    {
        return None;
    }
    match error.kind() {
        io::ErrorKind::FileTooLarge => Some("raise the file size limit (`ulimit -f`)"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free some space"),
        _ => None,
    }
}

/// Removes the numbers that systems add to errors: ` (os error 2)`.
pub fn without_number(text: &str) -> String {
    const START: &str = " (os error ";
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find(START) {
        let after = &rest[start + START.len()..];
        let digits = after.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '-');
        match digits
            .strip_prefix(')')
            .filter(|_| digits.len() < after.len())
        {
            Some(after) => {
                kept.push_str(&rest[..start]);
                rest = after;
            }
            None => {
                kept.push_str(&rest[..start + START.len()]);
                rest = after;
            }
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_os_error_number_is_removed() {
        for (text, expected) in [
            (
                "cannot read a: Permission denied (os error 13)",
                "cannot read a: Permission denied",
            ),
            ("a (os error 2): b (os error -7).", "a: b."),
            ("a (os error ", "a (os error "),
            ("a (os error x)", "a (os error x)"),
            ("a (os error )", "a (os error )"),
            ("a", "a"),
        ] {
            assert_eq!(without_number(text), expected);
        }
        let denied = io::Error::from_raw_os_error(13);
        assert!(!reason(&denied).contains("os error"));
    }

    #[test]
    fn read_limit_gives_no_write_hint() {
        let error = io::Error::from(ReadError::TooLarge { limit: 1 });
        assert_eq!(write_hint(&error), None);
        let error = io::Error::from(io::ErrorKind::FileTooLarge);
        assert!(write_hint(&error).is_some_and(|hint| hint.contains("ulimit")));
    }
}
