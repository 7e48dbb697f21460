//! A screen as SVG: text is text, curves are paths, and block characters are shapes, because fonts draw them with gaps
//! or not at all.

use std::fmt::Write as _;

use dashboard::Traced;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Width and height of a cell in pixels.
const CELL: [f64; 2] = [8.4, 18.0];
/// Width of a curve, in pixels.
const STROKE: f64 = 2.0;
/// Opacity of the band behind a curve.
const BAND: f64 = 0.2;
/// Opacity of faint text.
const FAINT: f64 = 0.6;
const FOREGROUND: &str = "#d7dae0";
const BACKGROUND: &str = "#16181d";

pub fn svg(buffer: &Buffer, curves: &[Traced]) -> String {
    let area = buffer.area;
    let (width, height) = (
        f64::from(area.width) * CELL[0],
        f64::from(area.height) * CELL[1],
    );
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n"
    );
    // Text that stands on a curve is drawn over it.
    for curve in curves {
        band(&mut text, curve);
    }
    for curve in curves {
        line(&mut text, curve);
    }
    for curve in curves {
        marks(&mut text, curve);
    }
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let first = &buffer[(x, y)];
            let same = |x: &u16| looks(&buffer[(*x, y)]) == looks(first);
            let cells = (x..area.width).take_while(same).count() as u16;
            let words: String = (x..x + cells).map(|x| buffer[(x, y)].symbol()).collect();
            let [foreground, background] = colors(first);
            if background != BACKGROUND {
                rect(
                    &mut text,
                    [x, y],
                    cells,
                    [0.0, 0.0, 1.0, 1.0],
                    &background,
                    1.0,
                );
            }
            match kind(first) {
                Kind::Words => piece(&mut text, [x, y], cells, &words, first),
                Kind::Block(part, opacity) => {
                    rect(
                        &mut text,
                        [x, y],
                        cells,
                        part,
                        &foreground,
                        opacity * strength(first),
                    );
                }
            }
            x += cells;
        }
    }
    text + "</svg>\n"
}

/// What cells have in common that are drawn together. Browsers join spaces, so words are drawn one by one; blocks of
/// one symbol are one shape.
fn looks(cell: &Cell) -> (Color, Color, Modifier, Option<&str>) {
    let alone = match kind(cell) {
        Kind::Words => (cell.symbol() == " ").then_some(" "),
        Kind::Block(..) => Some(cell.symbol()),
    };
    (cell.fg, cell.bg, cell.modifier, alone)
}

enum Kind {
    Words,
    /// A part of the cell (left, top, width and height, 0 to 1) with an opacity.
    Block([f64; 4], f64),
}

fn kind(cell: &Cell) -> Kind {
    let character = cell.symbol().chars().next().unwrap_or(' ');
    match character {
        '▀' => Kind::Block([0.0, 0.0, 1.0, 0.5], 1.0),
        '▄' => Kind::Block([0.0, 0.5, 1.0, 0.5], 1.0),
        '█' => Kind::Block([0.0, 0.0, 1.0, 1.0], 1.0),
        // From seven eighths of the cell to one.
        '▉'..='▏' => {
            let eighths = 7 - (character as u32 - '▉' as u32);
            Kind::Block([0.0, 0.0, f64::from(eighths) / 8.0, 1.0], 1.0)
        }
        '▓' => Kind::Block([0.0, 0.0, 1.0, 1.0], 0.75),
        '▒' => Kind::Block([0.0, 0.0, 1.0, 1.0], 0.5),
        '░' => Kind::Block([0.0, 0.0, 1.0, 1.0], 0.25),
        _ => Kind::Words,
    }
}

/// Foreground and background.
fn colors(cell: &Cell) -> [String; 2] {
    let mut colors = [color(cell.fg, FOREGROUND), color(cell.bg, BACKGROUND)];
    if cell.modifier.contains(Modifier::REVERSED) {
        colors.reverse();
    }
    colors
}

fn strength(cell: &Cell) -> f64 {
    match cell.modifier.contains(Modifier::DIM) {
        true => FAINT,
        false => 1.0,
    }
}

/// A part of each of some cells beside each other.
fn rect(
    text: &mut String,
    [x, y]: [u16; 2],
    cells: u16,
    part: [f64; 4],
    color: &str,
    opacity: f64,
) {
    let [left, top, width, height] = part;
    let opacity = match opacity < 1.0 {
        true => format!(" opacity=\"{opacity:.2}\""),
        false => String::new(),
    };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.2}\" height=\"{:.1}\" fill=\"{color}\"{opacity} shape-rendering=\"crispEdges\"/>",
        (f64::from(x) + left) * CELL[0],
        (f64::from(y) + top) * CELL[1],
        // Only whole blocks have neighbors of their kind.
        (f64::from(cells - 1) + width) * CELL[0],
        height * CELL[1]
    );
}

fn piece(text: &mut String, [x, y]: [u16; 2], cells: u16, words: &str, cell: &Cell) {
    if words.trim().is_empty() {
        return;
    }
    let (left, top) = (f64::from(x) * CELL[0], f64::from(y) * CELL[1]);
    let width = f64::from(cells) * CELL[0];
    let [foreground, _] = colors(cell);
    let mut style = String::new();
    if cell.modifier.contains(Modifier::BOLD) {
        style += " font-weight=\"bold\"";
    }
    if cell.modifier.contains(Modifier::DIM) {
        style += &format!(" opacity=\"{FAINT}\"");
    }
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        text,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{foreground}\"{style}>{words}</text>",
        top + 13.5
    );
}

/// From the lowest to the highest values, as one area.
fn band(text: &mut String, curve: &Traced) {
    let tops = curve.band.iter().map(|&[x, top, _]| [x, top]);
    let bottoms = curve.band.iter().rev().map(|&[x, _, bottom]| [x, bottom]);
    let edge: Vec<[f64; 2]> = tops.chain(bottoms).collect();
    if !edge.is_empty() {
        let color = color(curve.style.fg.unwrap_or_default(), FOREGROUND);
        let _ = writeln!(
            text,
            "<path d=\"{}z\" fill=\"{color}\" opacity=\"{BAND}\"/>",
            path(&edge)
        );
    }
}

fn line(text: &mut String, curve: &Traced) {
    let path: String = curve.lines.iter().map(|line| path(line)).collect();
    if !path.is_empty() {
        let color = color(curve.style.fg.unwrap_or_default(), FOREGROUND);
        let _ = writeln!(
            text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{STROKE}\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>"
        );
    }
}

fn marks(text: &mut String, curve: &Traced) {
    let color = color(curve.style.fg.unwrap_or_default(), FOREGROUND);
    for ([x, y], mark) in &curve.marks {
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{color}\">{mark}</text>",
            x * CELL[0],
            // The middle of a sign is above the line that it stands on.
            y * CELL[1] + 4.5
        );
    }
}

/// A path through places, which are in cells.
fn path(places: &[[f64; 2]]) -> String {
    let mut path = String::new();
    for (index, [x, y]) in places.iter().enumerate() {
        let to = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{to}{:.1} {:.1}", x * CELL[0], y * CELL[1]);
    }
    if places.len() == 1 {
        // A line of no length has round ends, too.
        path += "h0";
    }
    path
}

fn color(color: Color, usual: &str) -> String {
    let named = match color {
        Color::Black => "#16181d",
        Color::Red => "#d0464f",
        Color::Green => "#4fa66a",
        Color::Yellow => "#d9a441",
        Color::Blue => "#4a82d9",
        Color::Magenta => "#b066c9",
        Color::Cyan => "#3fb1bf",
        Color::Gray => "#b4b9c4",
        Color::DarkGray => "#6b7280",
        Color::LightRed => "#ef6b73",
        Color::LightGreen => "#7fd08f",
        Color::LightYellow => "#f0c674",
        Color::LightBlue => "#7aa7f0",
        Color::LightMagenta => "#d495e6",
        Color::LightCyan => "#74d4de",
        Color::White => "#ffffff",
        Color::Rgb(red, green, blue) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => usual,
    };
    named.to_owned()
}
