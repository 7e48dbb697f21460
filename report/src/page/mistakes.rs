//! The pictures that were taken for another class with the most certainty.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use events::{History, Mistake, Thumbnail};
use maud::{Markup, html};

use super::format::{percent, short};

/// Pictures on a page.
const MOST: usize = 24;

pub(super) fn gallery(history: &History, mistakes: &[Mistake]) -> Markup {
    html! {
        ul class="gallery" {
            @for mistake in mistakes.iter().take(MOST) {
                @let names = [mistake.class, mistake.likeliest].map(|class| short(&history.class_name(class)));
                li class="card" {
                    @if let Ok(address) = address(&mistake.thumbnail) {
                        img src=(address) width=(mistake.thumbnail.width()) height=(mistake.thumbnail.height())
                            alt={ "picture " (mistake.picture) ", " (names[0]) };
                    }
                    p { b { (names[0]) } }
                    p { "taken for " b { (names[1]) } }
                    p class="faint" { (percent(mistake.confidence)) " sure, picture " (mistake.picture) }
                }
            }
        }
    }
}

/// The picture itself, as a PNG file within an address.
fn address(thumbnail: &Thumbnail) -> Result<String, png::EncodingError> {
    let sides = [thumbnail.width(), thumbnail.height()].map(u32::try_from);
    let [Ok(width), Ok(height)] = sides else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
    };
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(match thumbnail.channels() {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(thumbnail.pixels())?;
    writer.finish()?;
    Ok(format!(
        "data:image/png;base64,{}",
        BASE64_STANDARD.encode(file)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_whole_in_their_addresses() {
        for channels in [1, 3] {
            let pixels: Vec<u8> = (0..6 * channels as u8).map(|value| value * 9).collect();
            let thumbnail = Thumbnail::new([2, 3, channels], pixels.clone()).unwrap();
            let address = address(&thumbnail).unwrap();
            let file = BASE64_STANDARD
                .decode(address.strip_prefix("data:image/png;base64,").unwrap())
                .unwrap();
            let mut reader = png::Decoder::new(io::Cursor::new(file))
                .read_info()
                .unwrap();
            let mut read = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut read).unwrap();
            assert_eq!((info.width, info.height), (3, 2));
            assert_eq!(read, pixels);
        }
    }
}
