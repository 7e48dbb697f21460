//! Why a JPEG file is refused.

/// What is wrong with a JPEG file, as a clause without the file's name.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum JpegError {
    /// The file ends inside a segment, or without a picture.
    #[error("its JPEG data ends too early")]
    CutOff,

    /// The picture has more pixels than the caller allows.
    #[error("it has {width}x{height} pixels")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// The file is of a rare kind of JPEG.
    #[error("it is a JPEG picture {0}, which is not read here")]
    Unsupported(&'static str),

    /// The file breaks the standard where there is no way to go on.
    #[error("its JPEG {0} is damaged")]
    Damaged(&'static str),
}
