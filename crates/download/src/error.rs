//! What can go wrong with a download.

use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::ChecksumError;

/// Why a file could not be brought.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The checksum that was given is none.
    #[error("{checksum:?} is no SHA-256: {source}")]
    Checksum {
        /// What was given.
        checksum: String,
        /// What is wrong with it.
        source: ChecksumError,
    },

    /// The path that was given cannot be that of a file.
    #[error("{} cannot be the name of a file", path.display())]
    Path {
        /// What was given.
        path: PathBuf,
    },

    /// A file that is there, the wanted one or what an earlier try left of it, cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The disk is full, or the user may not have more of it.
    #[error("no space is left for {}", path.display())]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
    },

    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The system lacks something else, such as threads.
    #[error("cannot start a download: {source}")]
    System {
        /// The system's reason.
        source: io::Error,
    },

    /// A file is there, and it is another one. It is left as it is.
    #[error("{} is damaged: its SHA-256 starts with {found}, expected {expected}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digits that were expected.
        expected: String,
        /// As many digits of what was found.
        found: String,
    },

    /// The caller asked to stop. What has arrived is kept.
    #[error("the download was stopped")]
    Interrupted,

    /// No mirror gave the file. What has arrived is kept if it may be of use.
    #[error("cannot download {}: {}", shown_name(path), shown_failures(failures))]
    NoMirror {
        /// Where the file should lie.
        path: PathBuf,
        /// What was wrong with each mirror, in their order.
        failures: Vec<MirrorFailure>,
    },
}

/// What was wrong with one mirror.
#[derive(Debug, thiserror::Error)]
#[error("{url} {problem}")]
pub struct MirrorFailure {
    /// The mirror's address of the file.
    pub url: String,
    /// What was wrong.
    pub problem: Problem,
}

impl MirrorFailure {
    /// Whether another machine, or another time, may get the file from there.
    fn may_pass(&self) -> bool {
        !matches!(
            self.problem,
            Problem::Address | Problem::Checksum { .. } | Problem::Status { status: 404 | 410 }
        )
    }
}

/// What can be wrong with a mirror; its text goes on from the mirror's address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The address is none, or of something else than `http` and `https`.
    #[error("is no address of a file")]
    Address,

    /// No connection, as without a network, or none that is secure.
    #[error("cannot be reached: {reason}")]
    Connection {
        /// The reason in the words of the system or the TLS library.
        reason: String,
    },

    /// The proxy that the environment names does not lead to the mirror.
    #[error("cannot be reached by the proxy {proxy}: {reason}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// The reason in the words of the system or the HTTP library.
        reason: String,
    },

    /// The mirror could not show a certificate that this machine trusts.
    #[error("has a certificate that is not trusted: {reason}")]
    Certificate {
        /// The reason in the words of the TLS library.
        reason: String,
    },

    /// The mirror said nothing for too long.
    #[error("does not answer")]
    Silent,

    /// The connection broke before the whole file was there, again and again.
    #[error("broke off after {received} bytes{}", shown_total(total))]
    Cut {
        /// Bytes that were there in the end.
        received: u64,
        /// Bytes of the whole file, if the mirror has said so.
        total: Option<u64>,
    },

    /// The mirror does not give the file.
    #[error("answers {}", shown_status(status))]
    Status {
        /// The status of HTTP.
        status: u16,
    },

    /// The mirror leads on and on to other addresses.
    #[error("redirects too often")]
    Redirects,

    /// The answer does not keep to HTTP, or to what was asked.
    #[error("gives an answer that cannot be used: {reason}")]
    Answer {
        /// What does not fit.
        reason: String,
    },

    /// The file is larger than it may be, or than the mirror said.
    #[error("sends more than the {limit} bytes expected")]
    TooLong {
        /// Most bytes expected.
        limit: u64,
    },

    /// The mirror has another file, or a damaged one.
    #[error("gives another file: its SHA-256 starts with {found}, expected {expected}")]
    Checksum {
        /// The digits that were expected.
        expected: String,
        /// As many digits of what was found.
        found: String,
    },
}

impl DownloadError {
    /// The error for what the system says on writing a file or folder.
    pub fn writing(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }

    /// Whether a mirror's certificate was not accepted, as behind a proxy that shows its own.
    pub fn is_untrusted(&self) -> bool {
        matches!(self, Self::NoMirror { failures, .. } if is_untrusted(failures))
    }

    /// The way out, where there is a usual one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { path, .. } => Some(format!(
                "delete {} and it is downloaded anew",
                path.display()
            )),
            Self::DiskFull { .. } => {
                Some("make space on that disk and try again: what has arrived is kept".to_owned())
            }
            Self::Interrupted => Some("try again, and it goes on where it stopped".to_owned()),
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

/// What to do where no mirror gives the file.
fn way_around(path: &Path, failures: &[MirrorFailure]) -> String {
    let of_use = failures.iter().find(|failure| failure.may_pass());
    match of_use {
        None => format!("if you have the right file, put it at {}", path.display()),
        Some(_) if is_untrusted(failures) => format!(
            "if a proxy stands between, name the file of its certificates in SSL_CERT_FILE; or \
             download the file in another way and put it at {}",
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
        return "no mirror was named".to_owned();
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
    fn every_mirror_is_in_the_one_sentence() {
        let error = no_mirror(vec![Problem::Silent, Problem::Status { status: 404 }]);
        assert_eq!(
            error.to_string(),
            "cannot download a.pth: https://m0/a.pth does not answer; \
             https://m1/a.pth answers 404 Not Found"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("download https://m0/a.pth on another machine"));
        assert!(hint.contains("put it at cache/a.pth"), "{hint}");
        assert!(
            no_mirror(vec![])
                .to_string()
                .ends_with("no mirror was named")
        );
    }

    #[test]
    fn nobody_is_sent_for_a_file_that_is_not_there() {
        let checksum = Problem::Checksum {
            expected: "0123abcd".into(),
            found: "ffffffff".into(),
        };
        let error = no_mirror(vec![checksum, Problem::Status { status: 404 }]);
        assert!(!error.hint().unwrap().contains("https"));
    }

    #[test]
    fn a_proxy_of_a_company_has_its_own_hint() {
        let reason = "invalid peer certificate: UnknownIssuer".to_owned();
        let error = no_mirror(vec![Problem::Certificate { reason }]);
        assert!(error.hint().unwrap().contains("SSL_CERT_FILE"));
    }
}
