//! Image formats, detected from the first bytes of a file.

/// Supported formats, as a list for messages.
pub const IMAGE_FORMATS: &str = "PNG, JPEG, WebP, BMP, GIF or TIFF";

/// File name extensions of the supported formats, in lower case.
pub const IMAGE_EXTENSIONS: [&str; 9] = [
    "png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif", "tif", "tiff",
];

/// Number of bytes at the start of a file needed to detect its format.
pub(super) const HEAD: usize = 4096;

/// A supported format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// Portable Network Graphics; for an animation, the default image.
    Png,
    /// JPEG, sequential or progressive, with Huffman codes.
    Jpeg,
    /// WebP, lossy or lossless; for an animation, the first frame.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// GIF: the first frame.
    Gif,
    /// TIFF: the first image.
    Tiff,
}

impl ImageFormat {
    /// Returns the name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
        }
    }
}

/// A format that is recognized but not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherFormat {
    /// Name for messages, with an article: `an AVIF image`.
    pub name: &'static str,
    /// How to convert the image to a supported format: a command, or the end of a sentence.
    pub convert: &'static str,
}

/// The content of a file, detected from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Image(ImageFormat),
    Other(OtherFormat),
    Unknown,
}

const fn other(name: &'static str, convert: &'static str) -> OtherFormat {
    OtherFormat { name, convert }
}

/// Camera raw files that are also TIFF files; `tiff` distinguishes them from images.
pub(super) const CAMERA_RAW: OtherFormat = other(
    "a camera raw file",
    "convert it, for example with `darktable-cli photo.nef photo.png`",
);

const AVIF: OtherFormat = other(
    "an AVIF image",
    "convert it, for example with `magick photo.avif photo.png`",
);
const HEIF: OtherFormat = other(
    "a HEIC or HEIF image",
    "convert it, for example with `magick photo.heic photo.png`",
);
const JPEG_2000: OtherFormat = other(
    "a JPEG 2000 image",
    "convert it, for example with `magick photo.jp2 photo.png`",
);
const JPEG_XL: OtherFormat = other(
    "a JPEG XL image",
    "convert it, for example with `djxl photo.jxl photo.png`",
);
const SVG: OtherFormat = other(
    "an SVG drawing",
    "convert it, for example with `magick drawing.svg drawing.png`",
);
const VIDEO: OtherFormat = other(
    "a video",
    "save its frames as images, for example with `ffmpeg -i film.mp4 frame-%04d.png`",
);
const NETPBM: OtherFormat = other(
    "a Netpbm image (PBM, PGM, PPM, PAM or PFM)",
    "convert it, for example with `magick image.ppm image.png`",
);
const HTML: OtherFormat = other(
    "a web page",
    "download the image itself: the server sent a page in its place",
);
const SGI: OtherFormat = other(
    "an SGI image",
    "convert it, for example with `magick image.sgi image.png`",
);
const PCX: OtherFormat = other(
    "a PCX image",
    "convert it, for example with `magick image.pcx image.png`",
);
const XBM: OtherFormat = other(
    "an XBM image",
    "convert it, for example with `magick image.xbm image.png`",
);
const COMPRESSED: OtherFormat = other("a compressed file or an archive", "unpack it first");
const TGA: OtherFormat = other(
    "a TGA image",
    "convert it, for example with `magick image.tga image.png`",
);

/// Bytes at an offset of a file that identify a format.
struct Signature(usize, &'static [u8], OtherFormat);

#[rustfmt::skip]
const SIGNATURES: &[Signature] = &[
    Signature(0, b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    Signature(0, b"\xff\x4f\xff\x51", JPEG_2000),
    Signature(0, b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL),
    Signature(0, b"\xff\x0a", JPEG_XL),
    Signature(0, b"\xff\xd8\xff\xf7", other("a JPEG-LS image", "convert it, for example with `ffmpeg -i photo.jls photo.png`")),
    Signature(0, b"II\xbc\x01", other("a JPEG XR image", "convert it, for example with `JxrDecApp -i photo.jxr -o photo.bmp`")),
    Signature(0, b"8BPS", other("a Photoshop document (PSD)", "convert it, for example with `magick 'image.psd[0]' image.png`")),
    Signature(0, b"gimp xcf", other("a GIMP image (XCF)", "export it as PNG from GIMP")),
    Signature(0, b"%PDF-", other("a PDF document", "convert its pages, for example with `pdftoppm -png document.pdf page`")),
    Signature(0, b"%!PS", other("a PostScript document", "convert it, for example with `magick -density 150 document.eps document.png`")),
    Signature(0, b"\xc5\xd0\xd3\xc6", other("an EPS document", "convert it, for example with `magick -density 150 document.eps document.png`")),
    Signature(0, b"\0\0\x01\0", other("an icon (ICO)", "convert it, for example with `magick 'icon.ico[0]' icon.png`")),
    Signature(0, b"\0\0\x02\0\x01", other("a cursor (CUR)", "convert it, for example with `magick 'cursor.cur[0]' cursor.png`")),
    Signature(0, b"icns", other("an Apple icon (ICNS)", "convert it, for example with `magick 'icon.icns[0]' icon.png`")),
    Signature(0, b"\x76\x2f\x31\x01", other("an OpenEXR image", "convert it, for example with `magick image.exr image.png`")),
    Signature(0, b"#?RADIANCE", other("a Radiance HDR image", "convert it, for example with `magick image.hdr image.png`")),
    Signature(0, b"#?RGBE", other("a Radiance HDR image", "convert it, for example with `magick image.hdr image.png`")),
    Signature(0, b"DDS ", other("a DDS texture", "convert it, for example with `magick image.dds image.png`")),
    Signature(0, b"\xabKTX ", other("a KTX texture", "save the image as PNG")),
    Signature(0, b"qoif", other("a QOI image", "convert it, for example with `magick image.qoi image.png`")),
    Signature(0, b"farbfeld", other("a farbfeld image", "convert it, for example with `magick image.ff image.png`")),
    Signature(0, b"BPG\xfb", other("a BPG image", "convert it, for example with `bpgdec -o photo.png photo.bpg`")),
    Signature(0, b"FLIF", other("a FLIF image", "convert it, for example with `flif -d photo.flif photo.png`")),
    Signature(0, b"\x8aMNG\r\n\x1a\n", other("an MNG animation", "save its first frame as PNG")),
    Signature(0, b"\x8bJNG\r\n\x1a\n", other("a JNG image", "convert it, for example with `magick image.jng image.png`")),
    Signature(0, b"AT&TFORM", other("a DjVu document", "convert its pages, for example with `ddjvu -format=tiff document.djvu page.tiff`")),
    Signature(0, b"\x01\xda\x00", SGI),
    Signature(0, b"\x01\xda\x01", SGI),
    Signature(0, b"\x59\xa6\x6a\x95", other("a Sun raster image", "convert it, for example with `magick image.ras image.png`")),
    Signature(0, b"\xd7\xcd\xc6\x9a", other("a Windows metafile (WMF)", "convert it, for example with `magick drawing.wmf drawing.png`")),
    Signature(40, b" EMF", other("a Windows metafile (EMF)", "convert it, for example with `magick drawing.emf drawing.png`")),
    Signature(0, b"/* XPM */", other("an XPM image", "convert it, for example with `magick image.xpm image.png`")),
    Signature(0, b"SIMPLE  =", other("a FITS image", "convert it, for example with `magick image.fits image.png`")),
    Signature(128, b"DICM", other("a DICOM image", "convert it, for example with `magick image.dcm image.png`")),
    Signature(0, b"\x93NUMPY", other("a NumPy array", "save it as PNG, for example with Pillow's `Image.fromarray(array).save(\"image.png\")`")),
    Signature(0, b"\x89HDF\r\n\x1a\n", other("an HDF5 file", "save its images as PNG files")),
    Signature(0, b"FUJIFILMCCD-RAW", CAMERA_RAW),
    Signature(0, b"IIRO", CAMERA_RAW),
    Signature(0, b"IIRS", CAMERA_RAW),
    Signature(0, b"MMOR", CAMERA_RAW),
    Signature(0, b"IIU\0", CAMERA_RAW),
    Signature(0, b"FOVb", CAMERA_RAW),
    Signature(0, b"\0MRM", CAMERA_RAW),
    Signature(6, b"HEAPCCDR", CAMERA_RAW),
    Signature(8, b"CR\x02\0", CAMERA_RAW),
    Signature(0, b"\x1a\x45\xdf\xa3", VIDEO),
    Signature(0, b"OggS", VIDEO),
    Signature(0, b"FLV\x01", VIDEO),
    Signature(0, b"\0\0\x01\xba", VIDEO),
    Signature(0, b"\0\0\x01\xb3", VIDEO),
    Signature(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", VIDEO),
    Signature(8, b"AVI ", VIDEO),
    Signature(4, b"moov", VIDEO),
    Signature(4, b"mdat", VIDEO),
    Signature(4, b"wide", VIDEO),
    Signature(0, b"PK\x03\x04", COMPRESSED),
    Signature(0, b"\x1f\x8b", COMPRESSED),
    Signature(0, b"BZh", COMPRESSED),
    Signature(0, b"\xfd7zXZ\0", COMPRESSED),
    Signature(0, b"\x28\xb5\x2f\xfd", COMPRESSED),
    Signature(0, b"7z\xbc\xaf\x27\x1c", COMPRESSED),
    Signature(0, b"Rar!\x1a\x07", COMPRESSED),
    Signature(257, b"ustar", COMPRESSED),
    Signature(0, b"version https://git-lfs", other("a Git LFS pointer", "fetch the file itself with `git lfs pull`")),
];

impl Content {
    /// Detects the format from the first [`HEAD`] bytes of a file, or fewer for a short file.
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some(format) = image_format(head) {
            return Self::Image(format);
        }
        let fits = |Signature(offset, bytes, _): &&Signature| {
            head.get(*offset..)
                .is_some_and(|rest| rest.starts_with(bytes))
        };
        // Canon's camera raw files start like TIFF files.
        if let Some(Signature(.., format)) = SIGNATURES.iter().find(fits) {
            return Self::Other(*format);
        }
        container(head)
            .or_else(|| text(head))
            .or_else(|| is_pcx(head).then_some(PCX))
            .or_else(|| is_transport_stream(head).then_some(VIDEO))
            .or_else(|| is_tga(head).then_some(TGA))
            .map_or(Self::Unknown, Self::Other)
    }
}

fn image_format(head: &[u8]) -> Option<ImageFormat> {
    Some(match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageFormat::Png,
        // JPEG-LS starts the same way.
        [0xff, 0xd8, 0xff, 0xf7, ..] => return None,
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => ImageFormat::WebP,
        [b'B', b'M', ..] => ImageFormat::Bmp,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ImageFormat::Gif,
        // Canon's camera raw files.
        [b'I', b'I', 42, 0, _, _, _, _, b'C', b'R', ..] => return None,
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => ImageFormat::Tiff,
        // Some encoders store the magic number in the other byte order.
        [b'I', b'I', 0, 42, ..] | [b'M', b'M', 42, 0, ..] => ImageFormat::Tiff,
        _ => return None,
    })
}

/// Detects formats of the ISO base media file format by their brands.
fn container(head: &[u8]) -> Option<OtherFormat> {
    if head.get(4..8)? != b"ftyp" {
        return None;
    }
    let brands = head.get(8..)?;
    let length = u32::from_be_bytes(*head.first_chunk()?) as usize;
    let brands = &brands[..brands.len().min(length.saturating_sub(8))];
    let has = |names: &[&[u8; 4]]| {
        let mut brands = brands.chunks_exact(4);
        brands.any(|brand| names.iter().any(|name| name[..] == *brand))
    };
    Some(if has(&[b"avif", b"avis"]) {
        AVIF
    } else if has(&[b"crx "]) {
        CAMERA_RAW
    } else if has(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2",
    ]) {
        HEIF
    } else if has(&[b"jp2 ", b"jpx "]) {
        JPEG_2000
    } else {
        VIDEO
    })
}

/// Detects text formats.
fn text(head: &[u8]) -> Option<OtherFormat> {
    if let [
        b'P',
        b'1'..=b'7' | b'F' | b'f',
        b' ' | b'\t' | b'\r' | b'\n',
        ..,
    ] = head
    {
        return Some(NETPBM);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start().to_ascii_lowercase();
    let has = |name: &[u8]| text.windows(name.len()).any(|window| window == name);
    if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        Some(HTML)
    } else if text.starts_with(b"<svg")
        || text.starts_with(b"<!doctype svg")
        || (text.starts_with(b"<?xml") || text.starts_with(b"<!--")) && has(b"<svg")
    {
        Some(SVG)
    } else if text.starts_with(b"#define") && has(b"_width ") {
        Some(XBM)
    } else {
        None
    }
}

/// Returns whether a header is that of a PCX image, in one of its versions.
fn is_pcx(head: &[u8]) -> bool {
    matches!(head, [0x0a, 0 | 2..=5, 0 | 1, 1 | 2 | 4 | 8, ..]) && head.get(64) == Some(&0)
}

/// Returns whether there are packets of an MPEG transport stream.
fn is_transport_stream(head: &[u8]) -> bool {
    const PACKET: usize = 188;
    (0..3).all(|packet| head.get(packet * PACKET) == Some(&0x47))
}

/// Returns whether a header is that of a TGA image, which has no signature.
fn is_tga(head: &[u8]) -> bool {
    let &[
        _,
        map,
        kind,
        _,
        _,
        _,
        _,
        map_bits,
        _,
        _,
        _,
        _,
        wide,
        width,
        high,
        height,
        bits,
        flags,
        ..,
    ] = head
    else {
        return false;
    };
    let has_size = [wide, width] != [0, 0] && [high, height] != [0, 0];
    let colors = match (kind, map) {
        (1 | 9, 1) => bits == 8 && matches!(map_bits, 15 | 16 | 24 | 32),
        (2 | 10, 0 | 1) => matches!(bits, 15 | 16 | 24 | 32),
        (3 | 11, 0) => matches!(bits, 8 | 16),
        _ => false,
    };
    has_size && colors && flags & 0xc0 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_identified_by_content() {
        for (head, name) in [
            (&b"\0\0\0\x1cftypavif\0\0\0\0mif1avif"[..], "AVIF"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "camera raw"),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1", "video"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
            (b"\xff\x0a\xfa\x7f", "JPEG XL"),
            (b"8BPS\0\x01", "PSD"),
            (b"  <?xml version='1.0'?>\n<svg xmlns=''>", "SVG"),
            (b"<svg viewBox='0 0 1 1'/>", "SVG"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b"%PDF-1.7", "PDF"),
            (b"\0\0\x01\0\x01\0", "ICO"),
            (b"\x76\x2f\x31\x01", "OpenEXR"),
            (b"#?RADIANCE\n", "HDR"),
            (b"P6\n3 4\n255\n", "Netpbm"),
            (b"II*\0\x10\0\0\0CR\x02\0", "camera raw"),
            (b"RIFF\0\0\0\0AVI LIST", "video"),
            (b"PK\x03\x04", "archive"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
            (b"\0\0\x02\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0", "TGA"),
        ] {
            let Content::Other(format) = Content::of(head) else {
                panic!("{name}: {:?}", Content::of(head));
            };
            assert!(format.name.contains(name), "{name}: {}", format.name);
            assert!(!format.convert.is_empty() && !format.convert.ends_with('.'));
        }
        for head in [
            &b"just some text, long enough"[..],
            b"",
            b"\x89PN",
            &[0; 512],
        ] {
            assert_eq!(Content::of(head), Content::Unknown);
        }
    }

    #[test]
    fn formats_without_magic_are_identified() {
        let mut pcx = [0; 128];
        pcx[..4].copy_from_slice(&[10, 3, 1, 8]);
        let mut stream = [0; 400];
        for place in [0, 188, 376] {
            stream[place] = 0x47;
        }
        let mut emf = [0; 100];
        emf[0] = 1;
        emf[40..44].copy_from_slice(b" EMF");
        let comment = format!("<!-- {} --><svg xmlns=''>", "x".repeat(2000));
        for (head, name) in [
            (&pcx[..], "PCX"),
            (&stream, "video"),
            (&emf, "EMF"),
            (comment.as_bytes(), "SVG"),
            (b"#define face_width 16\n#define face_height 16\n", "XBM"),
            (b"\x01\xda\x00\x01", "SGI"),
            (b"\x59\xa6\x6a\x95", "Sun raster"),
            (b"\xd7\xcd\xc6\x9a", "WMF"),
        ] {
            let content = Content::of(head);
            let is_named = |format: &OtherFormat| format.name.contains(name);
            assert!(
                matches!(&content, Content::Other(format) if is_named(format)),
                "{name}: {content:?}"
            );
        }
    }

    #[test]
    fn images_are_identified_by_content() {
        for (head, format) in [
            (&b"\x89PNG\r\n\x1a\n"[..], ImageFormat::Png),
            (b"\xff\xd8\xff\xe0", ImageFormat::Jpeg),
            (b"RIFF\0\0\0\0WEBPVP8 ", ImageFormat::WebP),
            (b"BM", ImageFormat::Bmp),
            (b"GIF89a", ImageFormat::Gif),
            (b"II*\0\x08\0\0\0", ImageFormat::Tiff),
            (b"MM\0+\0\x08\0\0", ImageFormat::Tiff),
            (b"MM*\0\0\0\0\x08", ImageFormat::Tiff),
            (b"II\0*\x08\0\0\0", ImageFormat::Tiff),
        ] {
            assert_eq!(Content::of(head), Content::Image(format));
            assert!(IMAGE_FORMATS.contains(format.name()));
        }
    }
}
