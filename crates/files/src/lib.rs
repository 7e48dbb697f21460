//! Atomic writes, checksums, size-limited reads, text that is safe to print, and the user's cache
//! folder.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("notes.txt");
//! files::write_atomically(&path, b"whole, or not there")?;
//! assert_eq!(std::fs::read(&path)?, b"whole, or not there");
//! # Ok::<(), std::io::Error>(())
//! ```

mod atomic;
mod cache;
mod checksum;
mod output;
mod printable;
mod read;
mod reason;
mod sealed;
mod target;

pub use atomic::{remove_unfinished, write_atomically, write_atomically_with};
pub use cache::cache_folder;
pub use checksum::{Hasher, SHA256_DIGITS, sha256};
pub use output::{check_output, write_output, write_output_with};
pub use printable::{
    LONGEST_SENTENCE, brief, is_printable, path_text, printable, printable_chars, printable_json,
    printable_lines, sentence, shortened, shown_path,
};
pub use read::{
    MAX_DOCUMENT_BYTES, MAX_SETTINGS_BYTES, MAX_WEIGHTS_BYTES, ReadError, append_file, open_file,
    read_file, read_rest, read_text,
};
pub use reason::{reason, without_number, write_hint};
pub use sealed::{Checksums, SealError, seal, unseal};
pub use target::is_standard_output;
