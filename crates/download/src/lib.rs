//! Downloads files into a cache: resumable, verified and atomic.
//!
//! [`fetch`] downloads one file from the first of its mirrors that has it. Received bytes are kept
//! next to the file as `NAME.part`; a download that was stopped, cut off or killed resumes from
//! there. The file gets its name only once the SHA-256 of all its bytes is right, and an existing
//! file with the right checksum is not downloaded again. If several processes want the same file at
//! the same time, one downloads it while the others wait.
//!
//! Servers are not trusted. Sizes are bounded. If a range does not match, a body is too long or too
//! short, or a file changes between two attempts, the result is either the right file or a
//! [`DownloadError`] that states the problem and, through its [`hint`](DownloadError::hint), the
//! fix.
//!
//! The variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are respected, and the system's
//! certificates (or those in `SSL_CERT_FILE`) are used.
//!
//! ```
//! use std::ops::ControlFlow;
//! use download::{Download, Outcome, Progress, fetch};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("greeting.txt");
//! std::fs::write(&path, "abc")?;
//!
//! let outcome = fetch(
//!     &Download {
//!         mirrors: &["https://example.org/greeting.txt".to_owned()],
//!         checksum: "ba7816bf", // the first digits of the file's SHA-256, or all 64
//!         path: &path,
//!         max_bytes: 1 << 20,
//!     },
//!     &mut |progress| {
//!         if let Progress::Receiving { received, total, .. } = progress {
//!             println!("{received} of {total:?} bytes");
//!         }
//!         ControlFlow::Continue(()) // or Break, to stop and go on another time
//!     },
//! )?;
//! assert_eq!(outcome, Outcome::AlreadyThere);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checksum;
mod error;
mod progress;

// Files on disk during a download.
mod lock;
mod part;

// Network.
mod answer;
mod client;
mod roots;
mod transfer;

// Combination of both.
mod fetch;
mod mirror;

#[cfg(test)]
mod tests;

pub use checksum::ChecksumError;
pub use error::{DownloadError, MirrorFailure, Problem};
pub use fetch::{Download, Outcome, fetch};
pub use lock::{Lock, lock};
pub use progress::Progress;
