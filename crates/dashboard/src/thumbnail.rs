//! Draws small images with characters.

use events::Thumbnail;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::canvas::{ACROSS, Canvas, DOWN};
use crate::pen::Pen;
use crate::theme::Colors;

/// Characters from dark to light.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];
/// Thresholds of neighboring dots, in sixteenths.
const DITHER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// Usual values of the 16 colors.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::DarkGray, [100, 100, 100]),
    (Color::Gray, [190, 190, 190]),
    (Color::White, [255, 255, 255]),
    (Color::Red, [190, 20, 20]),
    (Color::Green, [20, 170, 20]),
    (Color::Yellow, [180, 150, 20]),
    (Color::Blue, [30, 50, 190]),
    (Color::Magenta, [180, 30, 180]),
    (Color::Cyan, [20, 170, 190]),
    (Color::LightRed, [255, 90, 90]),
    (Color::LightGreen, [90, 255, 90]),
    (Color::LightYellow, [255, 255, 90]),
    (Color::LightBlue, [100, 130, 255]),
    (Color::LightMagenta, [255, 100, 255]),
    (Color::LightCyan, [100, 255, 255]),
];

/// Returns the columns of an image with the given number of rows.
pub(crate) fn width(image: &Thumbnail, rows: u16) -> u16 {
    let width = usize::from(rows) * 2 * image.width();
    (width.div_ceil(image.height())).clamp(1, 512) as u16
}

/// Fills an area with an image.
pub(crate) fn draw(pen: &mut Pen, image: &Thumbnail, area: Rect) {
    if pen.theme.ascii {
        draw_ramp(pen, image, area);
    } else if pen.theme.colors == Colors::None {
        draw_dots(pen, image, area);
    } else {
        draw_blocks(pen, image, area);
    }
}

/// Draws two pixels per character, in colors.
fn draw_blocks(pen: &mut Pen, image: &Thumbnail, area: Rect) {
    let size = [2 * area.height, area.width].map(usize::from);
    for y in 0..area.height {
        for x in 0..area.width {
            let pixel = |half: u16| {
                let place = [2 * y + half, x].map(usize::from);
                color(pen.theme.colors, mean(image, size, place))
            };
            let style = Style::new().fg(pixel(0)).bg(pixel(1));
            pen.cell(area, x, y, '▀', style);
        }
    }
}

/// Draws brightness as dots in the terminal's own color.
fn draw_dots(pen: &mut Pen, image: &Thumbnail, area: Rect) {
    let mut canvas = Canvas::new(area);
    let size = [canvas.rows(), canvas.columns()];
    for row in 0..size[0] {
        for column in 0..size[1] {
            let light = light(mean(image, size, [row, column]));
            let threshold = f64::from(DITHER[row % DOWN][column % (2 * ACROSS)]) + 0.5;
            if light * 16.0 > threshold {
                canvas.dot(column, row, 1);
            }
        }
    }
    canvas.draw(pen, area, |_| Style::new());
}

fn draw_ramp(pen: &mut Pen, image: &Thumbnail, area: Rect) {
    let size = [area.height, area.width].map(usize::from);
    for y in 0..area.height {
        for x in 0..area.width {
            let light = light(mean(image, size, [y, x].map(usize::from)));
            let level = (light * (RAMP.len() - 1) as f64).round() as usize;
            pen.cell(area, x, y, RAMP[level.min(RAMP.len() - 1)], Style::new());
        }
    }
}

/// Returns the mean color under a pixel when the image is scaled to the given size; both are
/// `[rows, columns]`.
fn mean(image: &Thumbnail, [rows, columns]: [usize; 2], [row, column]: [usize; 2]) -> [u8; 3] {
    let span = |place: usize, of: usize, length: usize| {
        let start = place * length / of.max(1);
        start..((place + 1) * length / of.max(1)).max(start + 1)
    };
    let mut sums = [0_u32; 3];
    let mut count = 0;
    for y in span(row, rows, image.height()) {
        for x in span(column, columns, image.width()) {
            let pixel = image.color(y, x);
            sums = std::array::from_fn(|channel| sums[channel] + u32::from(pixel[channel]));
            count += 1;
        }
    }
    sums.map(|sum| (sum / count) as u8)
}

/// Returns the perceived brightness of a color, 0 to 1.
fn light([red, green, blue]: [u8; 3]) -> f64 {
    (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) / 255.0
}

/// Returns the nearest available color.
fn color(colors: Colors, pixel: [u8; 3]) -> Color {
    let [red, green, blue] = pixel;
    match colors {
        Colors::Full => Color::Rgb(red, green, blue),
        Colors::Palette => Color::Indexed(palette(pixel)),
        Colors::Sixteen | Colors::None => sixteen(pixel),
    }
}

fn sixteen(pixel: [u8; 3]) -> Color {
    let distance = |color: [u8; 3]| -> u32 {
        let sides = color.iter().zip(pixel);
        sides
            .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
            .sum()
    };
    let nearest = SIXTEEN.iter().min_by_key(|(_, like)| distance(*like));
    nearest.map_or(Color::Reset, |(color, _)| *color)
}

/// Returns the nearest of the 24 grays or of the 6 x 6 x 6 color cube.
fn palette(pixel: [u8; 3]) -> u8 {
    let spread = pixel.iter().max().zip(pixel.iter().min());
    if spread.is_none_or(|(most, least)| most - least < 16) {
        let gray = pixel.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
        return match gray {
            0..4 => 16,
            247.. => 231,
            _ => 232 + ((gray.saturating_sub(3)) / 10).min(23) as u8,
        };
    }
    let level = |value: u8| match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    };
    let [red, green, blue] = pixel.map(level);
    16 + 36 * red + 6 * green + blue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Theme;
    use ratatui::buffer::Buffer;

    fn ramp() -> Thumbnail {
        let pixels = (0..16).flat_map(|_| (0..16).map(|x| x * 17)).collect();
        Thumbnail::new([16, 16, 1], pixels).unwrap()
    }

    fn drawn(theme: Theme) -> Buffer {
        let area = Rect::new(0, 0, 8, 2);
        let mut buffer = Buffer::empty(area);
        draw(&mut Pen::new(&mut buffer, theme), &ramp(), area);
        buffer
    }

    fn text(buffer: &Buffer) -> String {
        (0..8).map(|x| buffer[(x, 0)].symbol()).collect()
    }

    #[test]
    fn brightness_increases_in_all_encodings() {
        let ascii = Theme {
            ascii: true,
            ..Theme::default()
        };
        assert_eq!(text(&drawn(ascii)), " .-=+*#@");
        let plain = drawn(Theme::plain());
        let dots = |x: u16| match plain[(x, 0)].symbol().chars().next() {
            Some(symbol @ '\u{2800}'..='\u{28ff}') => (symbol as u32 - 0x2800).count_ones(),
            _ => 0,
        };
        let dots: Vec<u32> = (0..8).map(dots).collect();
        assert!(dots.is_sorted() && dots[0] == 0 && dots[7] >= 7, "{dots:?}");
        let blocks = drawn(Theme::default());
        assert_eq!(text(&blocks), "▀▀▀▀▀▀▀▀");
        let colors: Vec<Color> = (0..8).map(|x| blocks[(x, 1)].bg).collect();
        assert_eq!(colors[0], Color::Black);
        assert_eq!(colors[7], Color::White);
    }

    #[test]
    fn mapped_colors_are_close() {
        assert_eq!(sixteen([200, 10, 10]), Color::Red);
        assert_eq!(palette([255, 0, 0]), 196);
        assert_eq!(palette([0, 0, 0]), 16);
        assert_eq!(palette([128, 128, 128]), 244);
        assert_eq!(palette([255; 3]), 231);
        assert_eq!(color(Colors::Full, [1, 2, 3]), Color::Rgb(1, 2, 3));
        assert_eq!(width(&ramp(), 8), 16);
    }
}
