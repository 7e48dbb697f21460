//! Download errors.

use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::ChecksumError;

/// Reason why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The given checksum is invalid.
    #[error("{checksum:?} is not a SHA-256: {source}")]
    Checksum {
        /// Given checksum.
        checksum: String,
        /// Reason why it is invalid.
        source: ChecksumError,
    },

    /// The given path cannot be a file.
    #[error("{} cannot be the name of a file", path.display())]
    Path {
        /// Given path.
        path: PathBuf,
    },

    /// An existing file cannot be read: the requested one, or the rest of an earlier attempt.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },

    /// The disk is full, or the user's quota is exceeded.
    #[error("no space is left for {}", path.display())]
    DiskFull {
        /// File that was being written.
        path: PathBuf,
    },

    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Path of the file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },

    /// The system lacks another resource, such as threads.
    #[error("cannot start a download: {source}")]
    System {
        /// The system's error.
        source: io::Error,
    },

    /// A different file exists at the path. It is left unchanged.
    #[error("{} is damaged: its SHA-256 starts with {found}, expected {expected}", path.display())]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// Expected digits.
        expected: String,
        /// The same number of digits of the checksum found.
        found: String,
    },

    /// The caller asked to stop. The bytes received so far are kept.
    #[error("the download was stopped")]
    Interrupted,

    /// No mirror returned the file. The bytes received so far are kept if they may be useful.
    #[error("cannot download {}: {}", shown_name(path), shown_failures(failures))]
    NoMirror {
        /// Destination of the file.
        path: PathBuf,
        /// Failure of each mirror, in order.
        failures: Vec<MirrorFailure>,
    },
}

/// Failure of one mirror.
#[derive(Debug, thiserror::Error)]
#[error("{url} {problem}")]
pub struct MirrorFailure {
    /// URL of the file on the mirror.
    pub url: String,
    /// Problem with the mirror.
    pub problem: Problem,
}

impl MirrorFailure {
    /// Returns whether the download may succeed from another machine or at another time.
    fn may_pass(&self) -> bool {
        !matches!(
            self.problem,
            Problem::Address | Problem::Checksum { .. } | Problem::Status { status: 404 | 410 }
        )
    }
}

/// Problem with a mirror; its text continues a sentence that starts with the mirror's address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The address is invalid, or is neither `http` nor `https`.
    #[error("is not the address of a file")]
    Address,

    /// The connection failed, for example without a network, or is not secure.
    #[error("cannot be reached: {reason}")]
    Connection {
        /// Reason as reported by the system or the TLS library.
        reason: String,
    },

    /// The proxy from the environment does not lead to the mirror.
    #[error("cannot be reached by the proxy {proxy}: {reason}")]
    Proxy {
        /// Host and port of the proxy.
        proxy: String,
        /// Reason as reported by the system or the HTTP library.
        reason: String,
    },

    /// The mirror did not present a certificate that this machine trusts.
    #[error("has a certificate that is not trusted: {reason}")]
    Certificate {
        /// Reason as reported by the TLS library.
        reason: String,
    },

    /// The mirror did not respond in time.
    #[error("does not respond")]
    Silent,

    /// The connection repeatedly broke before the whole file arrived.
    #[error("closed the connection after {received} bytes{}", shown_total(total))]
    Cut {
        /// Number of bytes received in the end.
        received: u64,
        /// Size of the whole file in bytes, if the mirror reported it.
        total: Option<u64>,
    },

    /// The mirror does not return the file.
    #[error("answers {}", shown_status(status))]
    Status {
        /// HTTP status.
        status: u16,
    },

    /// The mirror redirects too many times.
    #[error("redirects too often")]
    Redirects,

    /// The response violates HTTP, or does not match the request.
    #[error("sends an unusable response: {reason}")]
    Answer {
        /// Description of the mismatch.
        reason: String,
    },

    /// The file is larger than allowed, or than the mirror reported.
    #[error("sends more than the {limit} bytes expected")]
    TooLong {
        /// Maximum number of bytes expected.
        limit: u64,
    },

    /// The mirror has a different or damaged file.
    #[error("sends a different file: its SHA-256 starts with {found}, expected {expected}")]
    Checksum {
        /// Expected digits.
        expected: String,
        /// The same number of digits of the checksum found.
        found: String,
    },
}

impl DownloadError {
    /// Creates the error for a system error while writing a file or folder.
    pub fn writing(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }

    /// Returns whether a mirror's certificate was rejected, for example behind a proxy that
    /// presents its own.
    pub fn is_untrusted(&self) -> bool {
        matches!(self, Self::NoMirror { failures, .. } if is_untrusted(failures))
    }

    /// Returns the usual fix, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { path, .. } => {
                Some(format!("delete {} to download it again", path.display()))
            }
            Self::DiskFull { .. } => Some(
                "free some space and try again: the download continues where it stopped".to_owned(),
            ),
            Self::Interrupted => {
                Some("try again: the download continues where it stopped".to_owned())
            }
            Self::NoMirror { path, failures } => Some(way_around(path, failures)),
            _ => None,
        }
    }
}

fn is_untrusted(failures: &[MirrorFailure]) -> bool {
    let is_certificate =
        |failure: &MirrorFailure| matches!(failure.problem, Problem::Certificate { .. });
    failures.iter().any(is_certificate)
}

/// Suggests what to do if no mirror returns the file.
fn way_around(path: &Path, failures: &[MirrorFailure]) -> String {
    let of_use = failures.iter().find(|failure| failure.may_pass());
    match of_use {
        None => format!("if you have the right file, put it at {}", path.display()),
        Some(_) if is_untrusted(failures) => format!(
            "behind a proxy, set SSL_CERT_FILE to the file of its certificates; or download the \
             file in another way and put it at {}",
            path.display()
        ),
        Some(failure) => format!(
            "try again later, or download {} on another machine and put it at {}",
            failure.url,
            path.display()
        ),
    }
}

fn shown_name(path: &Path) -> String {
    match path.file_name() {
        Some(name) => name.display().to_string(),
        None => path.display().to_string(),
    }
}

fn shown_failures(failures: &[MirrorFailure]) -> String {
    if failures.is_empty() {
        return "no mirror was given".to_owned();
    }
    let failures: Vec<String> = failures.iter().map(MirrorFailure::to_string).collect();
    failures.join("; ")
}

fn shown_total(total: &Option<u64>) -> String {
    match total {
        Some(total) => format!(" of {total}"),
        None => String::new(),
    }
}

fn shown_status(status: &u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(*status)
        .ok()
        .and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_mirror(problems: Vec<Problem>) -> DownloadError {
        DownloadError::NoMirror {
            path: "cache/a.pth".into(),
            failures: problems
                .into_iter()
                .enumerate()
                .map(|(index, problem)| MirrorFailure {
                    url: format!("https://m{index}/a.pth"),
                    problem,
                })
                .collect(),
        }
    }

    #[test]
    fn error_lists_every_mirror() {
        let error = no_mirror(vec![Problem::Silent, Problem::Status { status: 404 }]);
        assert_eq!(
            error.to_string(),
            "cannot download a.pth: https://m0/a.pth does not respond; \
             https://m1/a.pth answers 404 Not Found"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("download https://m0/a.pth on another machine"));
        assert!(hint.contains("put it at cache/a.pth"), "{hint}");
        assert!(
            no_mirror(vec![])
                .to_string()
                .ends_with("no mirror was given")
        );
    }

    #[test]
    fn hint_does_not_suggest_missing_url() {
        let checksum = Problem::Checksum {
            expected: "0123abcd".into(),
            found: "ffffffff".into(),
        };
        let error = no_mirror(vec![checksum, Problem::Status { status: 404 }]);
        assert!(!error.hint().unwrap().contains("https"));
    }

    #[test]
    fn untrusted_certificate_gets_proxy_hint() {
        let reason = "invalid peer certificate: UnknownIssuer".to_owned();
        let error = no_mirror(vec![Problem::Certificate { reason }]);
        assert!(error.hint().unwrap().contains("SSL_CERT_FILE"));
    }
}
