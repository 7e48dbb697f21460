//! WebP files.
//!
//! The chunks are parsed here. The image crate receives a file with only those that the first frame
//! depends on, with the correct size in its header.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder as _};

use super::Decoded;
use super::error::DecodeError;
use super::limits::Limits;
use super::orientation::FoundOrientation;
use super::warning::Flaw;

const DAMAGED: DecodeError = DecodeError::Damaged("its WebP data is damaged");

/// Number of bytes before the first chunk.
const HEADER: usize = 12;

/// Peak memory per pixel in bytes: 4 in the lossless decoder, and a copy without alpha.
const PIXEL_BYTES: u64 = 8;

/// Flags of an extended header.
const XMP: u8 = 0x04;
const EXIF: u8 = 0x08;
const ANIMATION: u8 = 0x02;
const ALPHA: u8 = 0x10;

/// Decodes the first frame of a WebP file to RGB; transparency is dropped.
pub(super) fn decode(file: &[u8], limits: &mut Limits) -> Result<Decoded, DecodeError> {
    let chunks = Chunks::read(file);
    let stream = chunks.stream()?;
    let decoder = WebPDecoder::new(Cursor::new(&stream)).map_err(|_| DAMAGED)?;
    let (width, height) = decoder.dimensions();
    limits.check_size(width, height)?;
    if chunks
        .canvas()
        .is_some_and(|canvas| canvas != [width, height])
    {
        return Err(DAMAGED);
    }
    limits.reserve(PIXEL_BYTES * u64::from(width) * u64::from(height) + stream.len() as u64);
    let image = DynamicImage::from_decoder(decoder).map_err(|_| DAMAGED)?;
    Ok(Decoded {
        image: image.into_rgb8().into(),
        orientation: chunks.orientation().get(),
        flaw: chunks.flaw,
    })
}

/// The relevant chunks; the first one of each kind.
#[derive(Default)]
struct Chunks<'a> {
    extended: Option<&'a [u8]>,
    animation: Option<&'a [u8]>,
    /// First image or frame.
    frame: Option<Chunk<'a>>,
    exif: Option<&'a [u8]>,
    xmp: Option<&'a [u8]>,
    flaw: Option<Flaw>,
}

#[derive(Clone, Copy)]
struct Chunk<'a> {
    kind: [u8; 4],
    content: &'a [u8],
    is_whole: bool,
}

impl<'a> Chunks<'a> {
    fn read(file: &'a [u8]) -> Self {
        let mut chunks = Self::default();
        let mut position = HEADER;
        let mut frame_end = 0;
        while let Some(chunk) = chunk_at(file, position) {
            let Chunk { kind, content, .. } = chunk;
            // Chunks have an even length.
            let end = position + 8 + content.len() + content.len() % 2;
            match &kind {
                b"VP8X" if position == HEADER => chunks.extended = Some(content),
                b"ANIM" => chunks.animation = chunks.animation.or(Some(content)),
                b"EXIF" => chunks.exif = chunks.exif.or(Some(content)),
                b"XMP " => chunks.xmp = chunks.xmp.or(Some(content)),
                b"VP8 " | b"VP8L" | b"ANMF" if chunks.frame.is_none() => {
                    chunks.frame = Some(chunk);
                    frame_end = end;
                }
                _ => {}
            }
            if !chunk.is_whole {
                break;
            }
            position = end;
        }
        let stated = file.get(4..8).and_then(|size| size.first_chunk());
        let stated = stated.map_or(0, |size| u32::from_le_bytes(*size) as usize);
        chunks.flaw = if stated.saturating_add(8) > file.len() + file.len() % 2 {
            Some(Flaw::NoEnd)
        } else {
            (stated.saturating_add(8) < frame_end).then_some(Flaw::WrongSize)
        };
        chunks
    }

    fn flags(&self) -> u8 {
        let extended = self.extended.and_then(|header| header.first());
        extended.copied().unwrap_or_default()
    }

    /// Returns width and height from an extended header.
    fn canvas(&self) -> Option<[u32; 2]> {
        let &[_, _, _, _, a, b, c, d, e, f] = self.extended?.first_chunk()?;
        let side = |bytes: [u8; 3]| 1 + u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        Some([side([a, b, c]), side([d, e, f])])
    }

    /// Metadata without its flag is ignored, as in libwebp.
    fn orientation(&self) -> FoundOrientation {
        let mut found = FoundOrientation::default();
        if let Some(exif) = self.exif.filter(|_| self.flags() & EXIF != 0) {
            found.add_exif(exif);
        }
        if let Some(xmp) = self.xmp.filter(|_| self.flags() & XMP != 0) {
            found.set_xmp(xmp);
        }
        found
    }

    /// Creates a file with only the first frame.
    fn stream(&self) -> Result<Vec<u8>, DecodeError> {
        let frame = self.frame.ok_or(match self.flaw {
            Some(Flaw::NoEnd) => DecodeError::CutOff,
            _ => DAMAGED,
        })?;
        if !frame.is_whole {
            return Err(DecodeError::CutOff);
        }
        let mut stream = b"RIFF\0\0\0\0WEBP".to_vec();
        if frame.kind == *b"ANMF" {
            let mut header = self.extended.ok_or(DAMAGED)?.to_vec();
            let flags = header.first_mut().ok_or(DAMAGED)?;
            *flags = *flags & ALPHA | ANIMATION;
            append(&mut stream, *b"VP8X", &header);
            append(&mut stream, *b"ANIM", self.animation.unwrap_or(&[0; 6]));
        }
        append(&mut stream, frame.kind, frame.content);
        let size = (stream.len() - 8) as u32;
        stream[4..8].copy_from_slice(&size.to_le_bytes());
        Ok(stream)
    }
}

fn chunk_at(file: &[u8], position: usize) -> Option<Chunk<'_>> {
    let rest = file.get(position..)?;
    let (&[kind @ .., a, b, c, d], rest) = rest.split_first_chunk::<8>()?;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    Some(Chunk {
        kind,
        content: &rest[..length.min(rest.len())],
        is_whole: length <= rest.len(),
    })
}

fn append(stream: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    stream.extend(kind);
    stream.extend((content.len() as u32).to_le_bytes());
    stream.extend_from_slice(content);
    stream.resize(stream.len() + content.len() % 2, 0);
}
