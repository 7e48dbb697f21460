//! What the fuzz targets share.

mod scratch;
mod size;
pub mod tensors;

use image::DynamicImage;

pub use scratch::Scratch;
pub use size::size_in_header;

/// Images with more pixels are refused: they take long, and are like those with fewer.
const MOST_PIXELS: u64 = 1 << 20;
/// Images with at most so many pixels are decoded twice.
const FEW_PIXELS: u64 = 1 << 14;

/// Decodes a file, and checks what does not depend on the format; `None` if it is refused, or large.
pub fn decode(content: &[u8]) -> Option<DynamicImage> {
    let in_header = size_in_header(content);
    let pixels = in_header.map_or(0, |[width, height]| u64::from(width) * u64::from(height));
    let decoded = data::decode_image(content, MOST_PIXELS);
    if pixels <= FEW_PIXELS {
        let again = data::decode_image(content, MOST_PIXELS);
        match (&decoded, &again) {
            (Ok(one), Ok(other)) => assert!(one == other, "two decodings differ"),
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            _ => panic!("only one of two decodings failed"),
        }
    }
    let image = decoded.ok()?.image;
    assert!(
        matches!(
            image,
            DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_)
        ),
        "pixels are {:?}",
        image.color()
    );
    if let Some([width, height]) = in_header {
        let size = [image.width(), image.height()];
        assert!(
            size == [width, height] || size == [height, width],
            "the header says {width}x{height}, the image is {size:?}"
        );
    }
    Some(image)
}
