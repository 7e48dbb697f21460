//! Errors of pickles.

/// Reason why a pickle cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleProblem {
    /// The file ends within the pickle.
    #[error("it is cut off: {needed} bytes are needed, but only {there} are left")]
    CutOff {
        /// Number of bytes that the operation needs.
        needed: u64,
        /// Number of bytes left.
        there: u64,
    },

    /// A line of text is not terminated.
    #[error("it is cut off: a line has no end")]
    NoEndOfLine,

    /// The operation is not part of the pickle protocols 0 to 5.
    #[error("{code:#04x} is not an operation")]
    UnknownOperation {
        /// Byte of the operation.
        code: u8,
    },

    /// The pickle uses a protocol that did not exist in Python 3.14.
    #[error("protocol {protocol} is unknown: expected at most 5")]
    UnknownProtocol {
        /// Number of the protocol.
        protocol: u8,
    },

    /// The operation needs more values than the stack contains.
    #[error("a value is missing")]
    NoValue,

    /// The operation needs a mark, but there is none.
    #[error("a mark is missing")]
    NoMark,

    /// The operation recalls a value that was not stored.
    #[error("value {index} was never stored")]
    NotRemembered {
        /// Number of the value.
        index: u64,
    },

    /// The operation does not support this kind of value.
    #[error("expected {expected}, found {found}")]
    WrongKind {
        /// Expected kind.
        expected: &'static str,
        /// Found kind.
        found: &'static str,
    },

    /// A number cannot be parsed.
    #[error("not a number")]
    NoNumber,

    /// The last key of a dict has no value.
    #[error("a key without a value")]
    KeyWithoutValue,

    /// The pickle refers to memory outside the file.
    #[error("it refers to memory outside of the file")]
    OutsideBuffer,

    /// The pickle has more operations than any weights file.
    #[error("more than {limit} operations")]
    TooLong {
        /// Maximum number of operations.
        limit: usize,
    },
}
