//! Errors of weights files.

use std::io;
use std::path::PathBuf;

use crate::layout::LayoutProblem;
use crate::pickle::PickleProblem;

/// Reason why a weights file could not be read or written, with its path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },

    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },

    /// The file contains no usable weights, or the data to write is invalid.
    #[error("{}: {source}", path.display())]
    Content {
        /// Path of the file.
        path: PathBuf,
        /// Problem with the content.
        source: ContentError,
    },
}

impl WeightsError {
    /// Returns the usual fix, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Content { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// Problem with the bytes of a weights file.
///
/// Offsets are in bytes from the start of the file. Names from the file are escaped when displayed,
/// and shortened if they are long.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The format is unknown.
    #[error("neither a file of torch.save nor safetensors: it looks like {found}")]
    UnknownFormat {
        /// Detected kind of file.
        found: &'static str,
        /// Fix, if there is one.
        hint: Option<&'static str>,
    },

    /// The file ends too early.
    #[error(
        "the file is cut off: {what} at byte {offset} needs {needed} bytes, but only {there} are \
         left"
    )]
    CutOff {
        /// Incomplete part.
        what: &'static str,
        /// Offset of that part.
        offset: u64,
        /// Number of bytes that the part needs.
        needed: u64,
        /// Number of bytes left in the file.
        there: u64,
    },

    /// The file continues after its last valid part.
    #[error("the file continues after its last tensor, at byte {offset}")]
    TrailingBytes {
        /// Offset of the first extra byte.
        offset: u64,
    },

    /// The zip archive is damaged or cut off.
    #[error("not a complete zip archive: {reason} (byte {offset})")]
    Archive {
        /// Offset of the problem.
        offset: u64,
        /// Description of the problem.
        reason: &'static str,
    },

    /// The bytes of a zip entry do not match the checksum in the archive.
    #[error(
        "damaged: the checksum of {} is wrong ({size} bytes from byte {offset})",
        shown(entry)
    )]
    Checksum {
        /// Name of the entry.
        entry: String,
        /// Offset of its bytes.
        offset: u64,
        /// Number of its bytes.
        size: u64,
    },

    /// Two zip entries have the same name.
    #[error("the archive holds {} twice", shown(entry))]
    DuplicateEntry {
        /// Name of both entries.
        entry: String,
    },

    /// A zip entry is compressed or encrypted, which `torch.save` never does.
    #[error("the archive's entry {} is compressed or encrypted", shown(entry))]
    Compressed {
        /// Name of the entry.
        entry: String,
    },

    /// The zip archive was not written by `torch.save`.
    #[error("the zip archive holds no weights: {reason}")]
    NotTorch {
        /// Missing part, or detected kind of archive.
        reason: &'static str,
        /// Fix, if there is one.
        hint: Option<&'static str>,
    },

    /// The archive is a TorchScript program.
    #[error("the file is a TorchScript program, which holds code besides weights")]
    TorchScript,

    /// The byte order marker is neither `little` nor `big`.
    #[error("unknown byte order {}: expected little or big", shown(found))]
    ByteOrder {
        /// Content of the marker.
        found: String,
    },

    /// A pickle is damaged or cut off.
    #[error("the pickle cannot be read at byte {offset}: {problem}")]
    Pickle {
        /// Offset of the operation that failed.
        offset: u64,
        /// Reason of the failure.
        problem: PickleProblem,
    },

    /// A file in the format before PyTorch 1.6 violates that format.
    #[error("not a complete file of an early torch.save: {reason} (byte {offset})")]
    Legacy {
        /// Offset of the problem.
        offset: u64,
        /// Description of the problem.
        reason: &'static str,
    },

    /// The header of a safetensors file does not match the file.
    #[error("not a complete safetensors file: {reason}")]
    Safetensors {
        /// Description of the mismatch.
        reason: String,
    },

    /// The description of a storage, the memory behind tensors, cannot be read.
    #[error("the description of storage {} cannot be read", shown(key))]
    StorageDescription {
        /// Key of the storage, empty if it has none.
        key: String,
    },

    /// A storage used by tensors is missing from the file.
    #[error("storage {} is missing", shown(key))]
    MissingStorage {
        /// Key of the storage.
        key: String,
    },

    /// The size of a storage differs from its description.
    #[error("storage {} has {found} bytes: expected {expected}", shown(key))]
    StorageSize {
        /// Key of the storage.
        key: String,
        /// Number of bytes according to the description.
        expected: u64,
        /// Number of bytes in the file.
        found: u64,
    },

    /// The size, strides and offset of a tensor do not fit its storage.
    #[error("tensor {} cannot be laid out: {problem}", shown(tensor))]
    Layout {
        /// Name of the tensor.
        tensor: String,
        /// Description of the mismatch.
        problem: LayoutProblem,
    },

    /// The elements of a tensor are not floats with 16 to 64 bits, integers or booleans.
    #[error(
        "tensor {} is of {}, which cannot be read",
        shown(tensor),
        shown(dtype)
    )]
    UnsupportedDtype {
        /// Name of the tensor.
        tensor: String,
        /// Type of the elements.
        dtype: String,
    },

    /// A tensor is not plain: it is sparse, quantized, without values, or of a custom class.
    #[error(
        "tensor {} is not a plain tensor: it is made by {}",
        shown(tensor),
        shown(function)
    )]
    UnsupportedTensor {
        /// Name of the tensor.
        tensor: String,
        /// Python function that would construct it.
        function: String,
    },

    /// An unsigned element does not fit in a signed 64-bit integer.
    #[error("tensor {} holds a number above {}", shown(tensor), i64::MAX)]
    NumberRange {
        /// Name of the tensor.
        tensor: String,
    },

    /// Two tensors have the same name.
    #[error("two tensors have the name {}", shown(name))]
    DuplicateName {
        /// Name of both tensors.
        name: String,
    },

    /// The name of a tensor is neither text nor a whole number.
    #[error("a tensor's name is {found}, but must be text")]
    NameNotText {
        /// Type of the name.
        found: &'static str,
    },

    /// The name of a tensor is reserved by safetensors for metadata.
    #[error("no tensor in a safetensors file can have the name __metadata__")]
    ReservedName,

    /// The names alone exceed the header limit of a safetensors file.
    #[error("the header would have {bytes} bytes: expected at most {limit}")]
    HeaderTooLarge {
        /// Size of the header in bytes.
        bytes: usize,
        /// Maximum size of the header in bytes.
        limit: usize,
    },

    /// The file contains a pickled module instead of its state dict.
    #[error(
        "the file holds a whole module, {}, instead of its state dict",
        shown(class)
    )]
    WholeModule {
        /// Class of the module.
        class: String,
        /// Key of the module, if any.
        key: Option<String>,
    },

    /// The file contains no state dict.
    #[error("no state dict found: the file holds {found}")]
    NoStateDict {
        /// Content of the file.
        found: String,
    },

    /// The file contains several dicts of tensors, under unknown keys.
    #[error("several state dicts found: {}", keys.join(", "))]
    SeveralStateDicts {
        /// Keys of the dicts.
        keys: Vec<String>,
    },

    /// The requested key does not lead to a state dict.
    #[error("no state dict is under {}: the file holds {found}", shown(key))]
    UnknownKey {
        /// Requested key.
        key: String,
        /// Content of the file.
        found: String,
    },

    /// Overlapping tensors would need far more memory than the file.
    #[error("the tensors need {needed} bytes, too many for a file of {file} bytes")]
    TooLarge {
        /// Number of bytes needed by the tensors read so far.
        needed: u64,
        /// Size of the file in bytes.
        file: u64,
    },
}

impl ContentError {
    /// Returns the usual fix, if there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownFormat { hint, .. } | Self::NotTorch { hint, .. } => {
                return hint.map(str::to_owned);
            }
            Self::CutOff { .. }
            | Self::Archive { .. }
            | Self::Checksum { .. }
            | Self::Pickle { .. }
            | Self::Legacy { .. }
            | Self::Safetensors { .. }
            | Self::MissingStorage { .. }
            | Self::StorageSize { .. } => "copy the file again from where it was published",
            Self::WholeModule { key: None, .. } => {
                "with the module's code at hand, save its state dict: \
                 torch.save(torch.load(PATH, weights_only=False).state_dict(), NEW_PATH)"
            }
            Self::WholeModule { key: Some(key), .. } => {
                return Some(format!(
                    "with the module's code at hand, save its state dict: \
                     torch.save(torch.load(PATH, weights_only=False)[{:?}].state_dict(), NEW_PATH)",
                    shown(key)
                ));
            }
            Self::TorchScript => {
                "save its state dict: torch.save(torch.jit.load(PATH).state_dict(), NEW_PATH)"
            }
            Self::Compressed { .. } => "unpack the archive and pack it without compression",
            Self::UnsupportedDtype { .. } | Self::UnsupportedTensor { .. } => {
                "convert it in PyTorch before saving, for example with model.float()"
            }
            Self::SeveralStateDicts { .. } => "name the key of one of them",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Maximum length of a displayed name, in characters.
const LONGEST_SHOWN: usize = 120;

/// Returns a name from a file in printable form: without control characters and limited in length.
pub fn shown(name: &str) -> String {
    let mut text: String = name
        .chars()
        .take(LONGEST_SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(LONGEST_SHOWN).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_names_are_escaped() {
        assert_eq!(shown("layer1.0.conv1.weight"), "layer1.0.conv1.weight");
        assert_eq!(shown("a\u{1b}[2J\n"), "a\\u{1b}[2J\\n");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), LONGEST_SHOWN + 1);
    }

    #[test]
    fn whole_module_error_has_hint() {
        let error = ContentError::WholeModule {
            class: "models.Net".into(),
            key: Some("ema".into()),
        };
        assert!(error.hint().unwrap().contains("[\"ema\"].state_dict()"));
    }
}
