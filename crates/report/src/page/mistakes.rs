//! Misclassified images with the highest confidence.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use events::{History, Mistake, Thumbnail};
use maud::{Markup, html};

use super::format::{percent, short, shortened};
use crate::places::RelativePaths;

/// Maximum number of images in a report.
pub(super) const MOST: usize = 24;

pub(super) fn gallery(history: &History, mistakes: &[Mistake], places: &RelativePaths) -> Markup {
    html! {
        ul class="gallery" {
            @for mistake in mistakes.iter().take(MOST) {
                @let names = [mistake.class, mistake.likeliest].map(|class| short(&history.class_name(class)));
                li class="card" {
                    @if let Ok(address) = address(&mistake.thumbnail) {
                        img src=(address) width=(mistake.thumbnail.width()) height=(mistake.thumbnail.height())
                            alt={ (file(history, mistake, places)) ", " (names[0]) };
                    }
                    p { b { (names[0]) } }
                    p { "predicted " b { (names[1]) } ", " (percent(mistake.confidence)) }
                    p class="faint file" { (file(history, mistake, places)) }
                }
            }
        }
    }
}

/// Returns the file of an image, relative to the data folder, or the index of an image without a
/// file.
pub(super) fn file(history: &History, mistake: &Mistake, places: &RelativePaths) -> String {
    shortened(&places.value(&history.image_name(mistake)))
}

/// Returns the image as a PNG file in a data URL.
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
    fn mistakes_show_file_names() {
        let mut history = History::default();
        history.push(events::Event::Started(Box::new(events::Started {
            data: "folder:/home/joe/photos".to_owned(),
            folder: Some("/home/joe/work".to_owned()),
            classes: vec!["cat".to_owned(), "dog".to_owned()],
            ..events::Started::default()
        })));
        let mistake = |path: Option<&str>| Mistake {
            image: 7,
            path: path.map(str::to_owned),
            class: 0,
            likeliest: 1,
            confidence: 0.5,
            thumbnail: Thumbnail::new([1, 1, 1], vec![0]).unwrap(),
        };
        let places = RelativePaths::of(&history);
        for (path, shown) in [
            (
                Some("/home/joe/photos/test/cat/1 <2>.jpg"),
                "test/cat/1 &lt;2&gt;.jpg",
            ),
            (Some("/home/ann/1.jpg"), "~/1.jpg"),
            (None, "image 7"),
        ] {
            let page = gallery(&history, &[mistake(path)], &places).into_string();
            assert!(page.contains(&format!(">{shown}</p>")), "{page}");
        }
    }

    #[test]
    fn images_round_trip_through_data_urls() {
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
