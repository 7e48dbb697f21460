//! What can be wrong with a file of weights.

use std::io;
use std::path::PathBuf;

use crate::layout::LayoutProblem;
use crate::pickle::PickleProblem;

/// Why a file of weights could not be read or written; names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// The file holds no weights that can be used, or it is what was to be written that cannot be.
    #[error("{}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ContentError,
    },
}

impl WeightsError {
    /// The way out, where there is a usual one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Content { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// What is wrong with the bytes of a file of weights.
///
/// Offsets count bytes from the start of the file. Names from the file are shown escaped, and
/// shortened if they are long.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The bytes are of no known format.
    #[error("neither a file of torch.save nor safetensors: it looks like {found}")]
    UnknownFormat {
        /// What they look like.
        found: &'static str,
        /// The way out, if there is one.
        hint: Option<&'static str>,
    },

    /// The file ends before something that belongs to it.
    #[error("the file is cut off: {what} at byte {offset} needs {needed} bytes, {there} are there")]
    CutOff {
        /// What is not whole.
        what: &'static str,
        /// Where it starts.
        offset: u64,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes left in the file.
        there: u64,
    },

    /// The file goes on after everything that belongs to it.
    #[error("the file goes on after its last tensor, at byte {offset}")]
    TrailingBytes {
        /// The first byte too many.
        offset: u64,
    },

    /// The zip archive is damaged or cut off.
    #[error("no whole zip archive: {reason} (byte {offset})")]
    Archive {
        /// Where.
        offset: u64,
        /// What does not fit.
        reason: &'static str,
    },

    /// The bytes of a zip entry do not have the checksum that the archive says.
    #[error(
        "damaged: the checksum of {} is wrong ({size} bytes from byte {offset})",
        shown(entry)
    )]
    Checksum {
        /// The entry.
        entry: String,
        /// Where its bytes start.
        offset: u64,
        /// How many they are.
        size: u64,
    },

    /// Two zip entries have one name.
    #[error("the archive holds {} twice", shown(entry))]
    DuplicateEntry {
        /// The name.
        entry: String,
    },

    /// A zip entry is compressed or encrypted, which `torch.save` does not do.
    #[error("the archive's entry {} is compressed or encrypted", shown(entry))]
    Compressed {
        /// The entry.
        entry: String,
    },

    /// The zip archive is none of `torch.save`.
    #[error("the zip archive holds no weights: {reason}")]
    NotTorch {
        /// What is missing, or what it is.
        reason: &'static str,
        /// The way out, if there is one.
        hint: Option<&'static str>,
    },

    /// The archive is a TorchScript program.
    #[error("the file is a TorchScript program, which holds code besides weights")]
    TorchScript,

    /// The marker of the byte order is neither `little` nor `big`.
    #[error("unknown byte order {}: expected little or big", shown(found))]
    ByteOrder {
        /// What the marker says.
        found: String,
    },

    /// A pickle is damaged, or cut off.
    #[error("the pickle cannot be read at byte {offset}: {problem}")]
    Pickle {
        /// The operation that failed.
        offset: u64,
        /// Why.
        problem: PickleProblem,
    },

    /// A file in the format before PyTorch 1.6 does not keep to it.
    #[error("no whole file of an early torch.save: {reason} (byte {offset})")]
    Legacy {
        /// Where.
        offset: u64,
        /// What does not fit.
        reason: &'static str,
    },

    /// The header of a safetensors file does not fit the file.
    #[error("no whole safetensors file: {reason}")]
    Safetensors {
        /// What does not fit.
        reason: String,
    },

    /// A storage, the memory behind tensors, is described in a way that cannot be read.
    #[error("the description of storage {} cannot be read", shown(key))]
    StorageDescription {
        /// The storage's key, empty where it has none.
        key: String,
    },

    /// A storage that tensors lie in is not in the file.
    #[error("storage {} is missing", shown(key))]
    MissingStorage {
        /// The storage's key.
        key: String,
    },

    /// A storage does not have the size that its description says.
    #[error("storage {} has {found} bytes: expected {expected}", shown(key))]
    StorageSize {
        /// The storage's key.
        key: String,
        /// Bytes by its description.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },

    /// Size, strides and offset of a tensor do not fit its storage.
    #[error("tensor {} cannot be laid out: {problem}", shown(tensor))]
    Layout {
        /// The tensor's name.
        tensor: String,
        /// What does not fit.
        problem: LayoutProblem,
    },

    /// The elements of a tensor are neither floats of 16 to 64 bits nor integers nor booleans.
    #[error(
        "tensor {} is of {}, which cannot be read",
        shown(tensor),
        shown(dtype)
    )]
    UnsupportedDtype {
        /// The tensor's name.
        tensor: String,
        /// The elements' type.
        dtype: String,
    },

    /// A tensor is not a plain one: sparse, quantised, without values, or of a class of its own.
    #[error(
        "tensor {} is no plain tensor: it is made by {}",
        shown(tensor),
        shown(function)
    )]
    UnsupportedTensor {
        /// The tensor's name.
        tensor: String,
        /// The Python function that would make it.
        function: String,
    },

    /// An unsigned element is too large for 64 bits with a sign.
    #[error("tensor {} holds a number above {}", shown(tensor), i64::MAX)]
    NumberRange {
        /// The tensor's name.
        tensor: String,
    },

    /// Two tensors have one name.
    #[error("two tensors have the name {}", shown(name))]
    DuplicateName {
        /// The name.
        name: String,
    },

    /// A tensor has a name that is neither text nor a whole number.
    #[error("a tensor has {found} for a name: expected text")]
    NameNotText {
        /// What the name is.
        found: &'static str,
    },

    /// A tensor has the name that safetensors keeps for the file's description.
    #[error("no tensor in a safetensors file can have the name __metadata__")]
    ReservedName,

    /// The names alone are more than a safetensors file can hold.
    #[error("the header would have {bytes} bytes: expected at most {limit}")]
    HeaderTooLarge {
        /// Bytes of the header.
        bytes: usize,
        /// Most bytes that the format allows.
        limit: usize,
    },

    /// The file holds a pickled module, not its state dict.
    #[error(
        "the file holds a whole module, {}, instead of its state dict",
        shown(class)
    )]
    WholeModule {
        /// The module's class.
        class: String,
        /// The key that it is under, if any.
        key: Option<String>,
    },

    /// No state dict is in the file.
    #[error("no state dict found: the file holds {found}")]
    NoStateDict {
        /// What it holds.
        found: String,
    },

    /// Several dicts of tensors are in the file, under keys that say nothing.
    #[error("several state dicts found: {}", keys.join(", "))]
    SeveralStateDicts {
        /// Their keys.
        keys: Vec<String>,
    },

    /// The key that was asked for holds no state dict.
    #[error("no state dict is under {}: the file holds {found}", shown(key))]
    UnknownKey {
        /// The key.
        key: String,
        /// What the file holds instead.
        found: String,
    },

    /// Tensors that overlap would need far more memory than the file.
    #[error("the tensors need {needed} bytes, too many for a file of {file} bytes")]
    TooLarge {
        /// Bytes that the tensors read so far need.
        needed: u64,
        /// Bytes of the file.
        file: u64,
    },
}

impl ContentError {
    /// The way out, where there is a usual one.
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
                "where the module's code is, save its state dict: \
                 torch.save(torch.load(PATH, weights_only=False).state_dict(), NEW_PATH)"
            }
            Self::WholeModule { key: Some(key), .. } => {
                return Some(format!(
                    "where the module's code is, save its state dict: \
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

/// Longest name shown, in characters.
const LONGEST_SHOWN: usize = 120;

/// A name from a file, safe to print: without control characters, and of a sensible length.
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
    fn names_are_shown_without_what_moves_a_cursor() {
        assert_eq!(shown("layer1.0.conv1.weight"), "layer1.0.conv1.weight");
        assert_eq!(shown("a\u{1b}[2J\n"), "a\\u{1b}[2J\\n");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), LONGEST_SHOWN + 1);
    }

    #[test]
    fn a_module_comes_with_the_way_out() {
        let error = ContentError::WholeModule {
            class: "models.Net".into(),
            key: Some("ema".into()),
        };
        assert!(error.hint().unwrap().contains("[\"ema\"].state_dict()"));
    }
}
