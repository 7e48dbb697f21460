//! Files from the network into a cache: resumable, checked, whole or not there.
//!
//! [`fetch`] brings one file from the first of its mirrors that has it. What arrives is kept beside
//! the file as `NAME.part`; a download that was stopped, cut off or killed goes on from there. Only
//! when the SHA-256 of all its bytes is right does the file get its name, and a file that is there
//! with the right checksum is not fetched again. Several processes may want the same file at the
//! same time: one loads, the others wait for it.
//!
//! Nothing that a server says is believed: sizes are bounded, and a range that does not fit, a body
//! too long or too short, or a file that changed between two tries ends in the right file or in a
//! [`DownloadError`] that says what was wrong and, with its [`hint`](DownloadError::hint), what to do.
//!
//! The variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honored, and certificates are those
//! of the system (or of `SSL_CERT_FILE`).
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

// What lies on the disk meanwhile.
mod lock;
mod part;

// What comes from the network.
mod answer;
mod client;
mod roots;
mod transfer;

// The two together.
mod fetch;
mod mirror;

#[cfg(test)]
mod tests;

pub use checksum::ChecksumError;
pub use error::{DownloadError, MirrorFailure, Problem};
pub use fetch::{Download, Outcome, fetch};
pub use lock::{Lock, lock};
pub use progress::Progress;
