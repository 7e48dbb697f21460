//! A screen as SVG. Text is text; braille dots and block characters are shapes, because fonts draw them faintly, with
//! gaps, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Width and height of a cell in pixels.
const CELL: [f64; 2] = [8.4, 18.0];
/// Braille dots in a cell, across and down.
const DOTS: [u16; 2] = [2, 4];
/// Width of the line through the dots of a curve, in pixels.
const STROKE: f64 = 2.0;
/// Side of a dot that no line goes through, in pixels.
const DOT: f64 = 2.0;
/// Opacity of faint shapes and text.
const FAINT: f64 = 0.6;
const FOREGROUND: &str = "#d7dae0";
const BACKGROUND: &str = "#16181d";

/// Places of dots, counted over the whole screen.
type Dots = BTreeSet<(u16, u16)>;

pub fn svg(buffer: &Buffer) -> String {
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
    // Of each color, faint ones apart: they are drawn first.
    let mut layers: BTreeMap<(bool, String), Dots> = BTreeMap::new();
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
                Kind::Dots => {
                    let is_line = !first.modifier.contains(Modifier::DIM);
                    let dots = layers.entry((is_line, foreground)).or_default();
                    for (x, character) in (x..).zip(words.chars()) {
                        dots.extend(dots_of(character, [x, y]));
                    }
                }
            }
            x += cells;
        }
    }
    for ((is_line, color), dots) in &layers {
        match is_line {
            true => lines(&mut text, dots, color),
            false => points(&mut text, dots, color),
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
        Kind::Dots => Some("dots"),
    };
    (cell.fg, cell.bg, cell.modifier, alone)
}

enum Kind {
    Words,
    /// A part of the cell (left, top, width and height, 0 to 1) with an opacity.
    Block([f64; 4], f64),
    Dots,
}

fn kind(cell: &Cell) -> Kind {
    let character = cell.symbol().chars().next().unwrap_or(' ');
    match character {
        '\u{2801}'..='\u{28ff}' => Kind::Dots,
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

/// The dots of a braille character in a cell.
fn dots_of(character: char, [x, y]: [u16; 2]) -> Vec<(u16, u16)> {
    // The bit of each dot, `[row][column]`.
    const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let bits = (character as u32).saturating_sub(0x2800);
    let places = (0..DOTS[1]).flat_map(|row| (0..DOTS[0]).map(move |column| (column, row)));
    places
        .filter(|&(column, row)| bits & BITS[usize::from(row)][usize::from(column)] != 0)
        .map(|(column, row)| (x * DOTS[0] + column, y * DOTS[1] + row))
        .collect()
}

/// Where a dot is, in pixels.
fn place((column, row): (u16, u16)) -> [f64; 2] {
    [
        (f64::from(column) + 0.5) * CELL[0] / f64::from(DOTS[0]),
        (f64::from(row) + 0.5) * CELL[1] / f64::from(DOTS[1]),
    ]
}

/// Lines between dots that touch. A diagonal is drawn only where no corner leads around it.
fn lines(text: &mut String, dots: &Dots, color: &str) {
    let mut path = String::new();
    for &(column, row) in dots {
        let has = |by: (i32, i32)| {
            let other = (i32::from(column) + by.0, i32::from(row) + by.1);
            let [Ok(column), Ok(row)] = [other.0, other.1].map(u16::try_from) else {
                return None;
            };
            dots.contains(&(column, row)).then_some((column, row))
        };
        let right = has((1, 0));
        let below = has((0, 1));
        let around_left = has((-1, 0)).is_some() || below.is_some();
        let diagonal = has((1, 1)).filter(|_| right.is_none() && below.is_none());
        let other_diagonal = has((-1, 1)).filter(|_| !around_left);
        let [x, y] = place((column, row));
        let beside = (-1..=1).flat_map(|across| (-1..=1).map(move |down| (across, down)));
        if beside
            .filter(|&by| by != (0, 0))
            .all(|by| has(by).is_none())
        {
            // A line of no length has round ends, too.
            let _ = write!(path, "M{x:.1} {y:.1}h0");
        }
        for to in [right, below, diagonal, other_diagonal]
            .into_iter()
            .flatten()
        {
            let [to_x, to_y] = place(to);
            let _ = write!(path, "M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}");
        }
    }
    let _ = writeln!(
        text,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{STROKE}\" stroke-linecap=\"round\"/>"
    );
}

/// Each dot by itself.
fn points(text: &mut String, dots: &Dots, color: &str) {
    let mut path = String::new();
    for &dot in dots {
        let [x, y] = place(dot).map(|middle| middle - DOT / 2.0);
        let _ = write!(path, "M{x:.1} {y:.1}h{DOT}v{DOT}h-{DOT}z");
    }
    let _ = writeln!(
        text,
        "<path d=\"{path}\" fill=\"{color}\" opacity=\"{FAINT}\"/>"
    );
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
