//! Interprets a mirror's response, given the bytes already downloaded.

use crate::error::Problem;

/// Relevant fields of a response head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// HTTP status.
    pub(crate) status: u16,
    /// Number of bytes in the body, if the mirror reports it.
    pub(crate) length: Option<u64>,
    /// `Content-Range` header.
    pub(crate) range: Option<String>,
    /// Validator of the file's state: a strong entity tag, or otherwise a date.
    pub(crate) validator: Option<String>,
}

/// A request for a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// First requested byte.
    pub(crate) offset: u64,
    /// Validator that the same mirror reported for the file when it sent the preceding bytes.
    pub(crate) validator: Option<&'a str>,
    /// Maximum number of bytes in the whole file.
    pub(crate) max_bytes: u64,
}

/// Content of a response body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// The whole file, with `total` bytes if known.
    Whole { total: Option<u64> },
    /// The file from the first requested byte.
    Rest { total: Option<u64> },
    /// Nothing that matches the existing bytes: the whole file must be requested.
    Unfit,
}

impl Head {
    /// Returns the content of the body.
    pub(crate) fn body(&self, question: &Question<'_>) -> Result<Body, Problem> {
        let partial = question.offset > 0;
        let body = match self.status {
            200 => Body::Whole { total: self.length },
            206 if partial => self.rest(question),
            206 => {
                return Err(Problem::Answer {
                    reason: "it is a part of the file instead of the whole file".to_owned(),
                });
            }
            416 if partial => Body::Unfit,
            status => return Err(Problem::Status { status }),
        };
        match body {
            Body::Whole { total: Some(total) } | Body::Rest { total: Some(total) }
                if total > question.max_bytes =>
            {
                let limit = question.max_bytes;
                Err(Problem::TooLong { limit })
            }
            body => Ok(body),
        }
    }

    fn rest(&self, question: &Question<'_>) -> Body {
        let changed = match (question.validator, &self.validator) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        };
        let range = self.range.as_deref().and_then(Range::parse);
        match range {
            Some(range)
                if !changed
                    && range.first == question.offset
                    && self.length.is_none_or(|length| length == range.length()) =>
            {
                Body::Rest { total: range.total }
            }
            _ => Body::Unfit,
        }
    }
}

/// A parsed `Content-Range` header.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Range {
    /// Parses `bytes 5-9/10`, or `bytes 5-9/*` if the total is unknown.
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let range = Self {
            first: number(first)?,
            last: number(last)?,
            total: match total {
                "*" => None,
                total => Some(number(total)?),
            },
        };
        let fits = range.first <= range.last && range.total.is_none_or(|total| range.last < total);
        (fits && range.last < u64::MAX).then_some(range)
    }

    fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Parses digits only; unlike Rust's own parser, it rejects a sign.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(
        status: u16,
        length: Option<u64>,
        range: Option<&str>,
        offset: u64,
    ) -> Result<Body, Problem> {
        let head = Head {
            status,
            length,
            range: range.map(str::to_owned),
            validator: Some("\"1\"".to_owned()),
        };
        head.body(&Question {
            offset,
            validator: Some("\"1\""),
            max_bytes: 100,
        })
    }

    #[test]
    fn matching_ranges_continue_download() {
        for (length, range, total) in [
            (Some(5), "bytes 5-9/10", Some(10)),
            (None, "bytes 5-9/10", Some(10)),
            (Some(2), "bytes 5-6/10", Some(10)),
            (Some(5), "bytes 5-9/*", None),
        ] {
            assert_eq!(
                body(206, length, Some(range), 5).unwrap(),
                Body::Rest { total }
            );
        }
    }

    #[test]
    fn mismatched_ranges_restart_download() {
        for range in [
            None,
            Some("bytes 4-9/10"),
            Some("bytes 6-9/10"),
            Some("bytes 5-10/10"),
            Some("bytes 5-4/10"),
            Some("bytes 5-8/10"),
            Some("bytes +5-9/10"),
            Some("bytes 5-9/-1"),
            Some("bytes 5-18446744073709551615/*"),
            Some("bytes 5-99999999999999999999/*"),
            Some("lines 5-9/10"),
            Some("bytes */10"),
            Some(""),
        ] {
            assert_eq!(
                body(206, Some(5), range, 5).unwrap(),
                Body::Unfit,
                "{range:?}"
            );
        }
        assert_eq!(
            body(416, Some(0), Some("bytes */5"), 5).unwrap(),
            Body::Unfit
        );
    }

    #[test]
    fn changed_file_restarts_download() {
        let head = Head {
            status: 206,
            range: Some("bytes 5-9/10".to_owned()),
            validator: Some("\"2\"".to_owned()),
            ..Head::default()
        };
        for (validator, expected) in [
            (Some("\"1\""), Body::Unfit),
            (Some("\"2\""), Body::Rest { total: Some(10) }),
            (None, Body::Rest { total: Some(10) }),
        ] {
            let question = Question {
                offset: 5,
                validator,
                max_bytes: 100,
            };
            assert_eq!(head.body(&question).unwrap(), expected);
        }
    }

    #[test]
    fn unrequested_responses_are_rejected() {
        assert_eq!(
            body(200, None, None, 5).unwrap(),
            Body::Whole { total: None }
        );
        assert!(matches!(
            body(206, None, Some("bytes 0-9/10"), 0),
            Err(Problem::Answer { .. })
        ));
        assert!(matches!(
            body(200, Some(101), None, 0),
            Err(Problem::TooLong { limit: 100 })
        ));
        assert!(matches!(
            body(206, None, Some("bytes 5-100/101"), 5),
            Err(Problem::TooLong { limit: 100 })
        ));
        for status in [204, 304, 404, 416, 503] {
            assert!(matches!(
                body(status, None, None, 0),
                Err(Problem::Status { .. })
            ));
        }
    }
}
