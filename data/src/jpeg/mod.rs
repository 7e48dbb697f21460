//! Reading JPEG files.
//!
//! Published networks were trained on what Pillow makes of a JPEG file, that is, libjpeg-turbo.
//! The standard leaves open how numbers are rounded and how colours of a lower resolution are
//! stretched, and decoders differ in it by several levels. This one calculates both as
//! libjpeg-turbo does by default, and so gives the same pixels; it also makes the same of damaged
//! data. `segments` goes through the file, `scan` through a scan's blocks, which `sequential` or
//! `progressive` read from `bits`; `transform`, `upsample` and `colour` turn them into pixels.

mod bits;
mod colour;
mod error;
mod frame;
mod huffman;
mod output;
mod progressive;
mod scan;
mod segments;
mod sequential;
mod tables;
mod transform;
mod upsample;

pub(crate) use error::JpegError;
pub(crate) use segments::decode;

/// The samples of a block along one side.
const SIDE: usize = 8;

/// The samples of a block.
const BLOCK: usize = SIDE * SIDE;
