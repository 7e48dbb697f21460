//! What can be wrong with a pickle.

/// Why a pickle cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleProblem {
    /// The file ends within the pickle.
    #[error("it is cut off: {needed} bytes are needed, {there} are there")]
    CutOff {
        /// Bytes that the operation needs.
        needed: u64,
        /// Bytes left.
        there: u64,
    },

    /// A line of text has no end.
    #[error("it is cut off: a line has no end")]
    NoEndOfLine,

    /// The operation is none of the pickle protocols 0 to 5.
    #[error("{code:#04x} is no operation")]
    UnknownOperation {
        /// The operation's byte.
        code: u8,
    },

    /// The pickle is of a protocol that did not exist in Python 3.14.
    #[error("protocol {protocol} is unknown: expected at most 5")]
    UnknownProtocol {
        /// The protocol's number.
        protocol: u8,
    },

    /// The operation needs more values than there are.
    #[error("a value is missing")]
    NoValue,

    /// The operation needs a mark that is not there.
    #[error("a mark is missing")]
    NoMark,

    /// The operation asks for a value that was not remembered.
    #[error("value {index} was never remembered")]
    NotRemembered {
        /// The value's number.
        index: u64,
    },

    /// The operation does not work on such a value.
    #[error("{found} where {expected} is needed")]
    WrongKind {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },

    /// A number does not read as one.
    #[error("no number")]
    NoNumber,

    /// A dict's last key has no value.
    #[error("a key without a value")]
    KeyWithoutValue,

    /// The pickle refers to memory outside of the file.
    #[error("it refers to memory outside of the file")]
    OutsideBuffer,

    /// There are more operations than in any file of weights.
    #[error("more than {limit} operations")]
    TooLong {
        /// Most operations that are read.
        limit: usize,
    },
}
