//! Images as PNG files.

use events::{History, Thumbnail};
use png::{BitDepth, ColorType, Encoder, EncodingError};

/// Maximum number of classes in an image of a confusion matrix.
const MOST_CLASSES: usize = 1024;
/// Minimum side length in pixels.
const SIDE: usize = 320;
/// Colors for none and for all of a class's images.
const NONE: [u8; 3] = [247, 251, 255];
const ALL: [u8; 3] = [8, 48, 107];

/// An encoded image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SummaryImage {
    pub width: usize,
    pub height: usize,
    pub png: Vec<u8>,
}

fn encode(
    [height, width]: [usize; 2],
    colors: ColorType,
    pixels: &[u8],
) -> Result<SummaryImage, EncodingError> {
    let mut png = Vec::new();
    // Sides are at most a few thousand.
    let mut encoder = Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(colors);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(SummaryImage { width, height, png })
}

/// Returns a thumbnail at its original size.
pub(super) fn thumbnail(thumbnail: &Thumbnail) -> Result<SummaryImage, EncodingError> {
    let colors = match thumbnail.channels() {
        1 => ColorType::Grayscale,
        _ => ColorType::Rgb,
    };
    let shape = [thumbnail.height(), thumbnail.width()];
    encode(shape, colors, thumbnail.pixels())
}

/// Returns the number of classes: those with names, or those that occur in the confusion matrix.
pub(super) fn classes(history: &History, confusion: &[(usize, usize, u64)]) -> usize {
    let named = history.classes().len();
    if named > 0 {
        return named;
    }
    let largest = confusion
        .iter()
        .map(|&(class, likeliest, _)| class.max(likeliest));
    largest.max().map_or(0, |largest| largest.saturating_add(1))
}

/// Returns an image of a confusion matrix with a row per class and a column per prediction; cells
/// are darker for larger fractions of the class. Returns `None` if there are no images, or too many
/// classes to draw.
pub(super) fn confusion(
    classes: usize,
    confusion: &[(usize, usize, u64)],
) -> Result<Option<SummaryImage>, EncodingError> {
    if classes == 0 || classes > MOST_CLASSES || confusion.is_empty() {
        return Ok(None);
    }
    let mut images = vec![0_u64; classes * classes];
    for &(class, likeliest, count) in confusion {
        if class < classes && likeliest < classes {
            let cell = &mut images[class * classes + likeliest];
            *cell = cell.saturating_add(count);
        }
    }
    let cell = SIDE.div_ceil(classes);
    let mut pixels = Vec::with_capacity(3 * (classes * cell) * (classes * cell));
    for row in images.chunks_exact(classes) {
        let all: f64 = row.iter().map(|&count| count as f64).sum();
        let line: Vec<u8> = row
            .iter()
            .flat_map(|&count| [color(count as f64 / all.max(1.0))].repeat(cell))
            .flatten()
            .collect();
        (0..cell).for_each(|_| pixels.extend_from_slice(&line));
    }
    encode([classes * cell; 2], ColorType::Rgb, &pixels).map(Some)
}

/// Interpolates between the two colors; `share` is 0 to 1.
fn color(share: f64) -> [u8; 3] {
    std::array::from_fn(|channel| {
        let (none, all) = (f64::from(NONE[channel]), f64::from(ALL[channel]));
        (none + (all - none) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::Decoder;
    use std::io::Cursor;

    fn pixels(image: &SummaryImage) -> Vec<u8> {
        let mut reader = Decoder::new(Cursor::new(&image.png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width as usize, image.width);
        assert_eq!(info.height as usize, image.height);
        pixels
    }

    #[test]
    fn thumbnails_keep_their_pixels() {
        for shape in [[2, 3, 1], [3, 2, 3]] {
            let bytes: Vec<u8> = (0..shape.iter().product::<usize>() as u8).collect();
            let image = Thumbnail::new(shape, bytes.clone()).unwrap();
            assert_eq!(pixels(&thumbnail(&image).unwrap()), bytes);
        }
    }

    #[test]
    fn confusion_image_is_dark_for_many_images() {
        let counts = [(0, 0, 3), (0, 1, 1), (1, 1, u64::MAX), (1, 1, 1), (7, 0, 5)];
        let image = confusion(2, &counts).unwrap().unwrap();
        assert_eq!((image.width, image.height), (320, 320));
        let pixels = pixels(&image);
        let at = |y: usize, x: usize| &pixels[3 * (y * 320 + x)..][..3];
        assert_eq!(at(0, 0), color(0.75));
        assert_eq!(at(0, 319), color(0.25));
        assert_eq!(at(319, 0), NONE);
        assert_eq!(at(319, 319), ALL);
    }

    #[test]
    fn oversized_confusion_is_not_drawn() {
        let absurd = [(usize::MAX, 0, 1)];
        let classes = classes(&History::default(), &absurd);
        assert_eq!(classes, usize::MAX);
        assert_eq!(confusion(classes, &absurd).unwrap(), None);
        assert_eq!(confusion(2, &[]).unwrap(), None);
        assert_eq!(confusion(0, &[(0, 0, 1)]).unwrap(), None);
    }
}
