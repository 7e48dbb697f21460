//! Draws lines with the dots of braille characters.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::pen::Pen;

/// Dots per cell, horizontally.
pub(crate) const ACROSS: usize = 2;
/// Dots per cell, vertically.
pub(crate) const DOWN: usize = 4;

/// The bit of each dot of a braille character, `[row][column]`.
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A grid of cells made of dots. Each cell belongs to the highest layer with a dot in it, so that
/// lines stay sharp where they cross.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    layer: usize,
}

impl Canvas {
    /// Creates an empty canvas for an area.
    pub(crate) fn new(area: Rect) -> Self {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        Self {
            width,
            height,
            cells: vec![Cell::default(); width * height],
        }
    }

    /// Returns the number of dots horizontally.
    pub(crate) fn columns(&self) -> usize {
        self.width * ACROSS
    }

    /// Returns the number of dots vertically.
    pub(crate) fn rows(&self) -> usize {
        self.height * DOWN
    }

    /// Sets a dot; ignores dots outside the canvas.
    pub(crate) fn dot(&mut self, column: usize, row: usize, layer: usize) {
        if column >= self.columns() || row >= self.rows() {
            return;
        }
        let cell = &mut self.cells[row / DOWN * self.width + column / ACROSS];
        if layer > cell.layer {
            *cell = Cell { dots: 0, layer };
        }
        if layer == cell.layer {
            cell.dots |= BITS[row % DOWN][column % ACROSS];
        }
    }

    /// Returns the nearest position on the canvas, which is not empty.
    pub(crate) fn clamp(&self, place: [f64; 2]) -> [f64; 2] {
        let ends = [self.columns() - 1, self.rows() - 1];
        [0, 1].map(|side| place[side].clamp(0.0, ends[side] as f64))
    }

    /// Sets the dots between two positions, both included. Both are first moved onto the canvas.
    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2], layer: usize) {
        if self.cells.is_empty() {
            return;
        }
        let (from, to) = (self.clamp(from), self.clamp(to));
        let length = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil();
        let steps = if length.is_nan() { 0 } else { length as usize };
        for step in 0..=steps {
            let share = step as f64 / steps.max(1) as f64;
            let place = [0, 1].map(|side| from[side] + (to[side] - from[side]) * share);
            let [column, row] = place.map(|place| place.round() as usize);
            self.dot(column, row, layer);
        }
    }

    /// Draws the canvas, in the style of each cell's layer.
    pub(crate) fn draw(&self, pen: &mut Pen, area: Rect, style: impl Fn(usize) -> Style) {
        for (place, cell) in self.cells.iter().enumerate() {
            if cell.dots == 0 {
                continue;
            }
            let (x, y) = ((place % self.width) as u16, (place / self.width) as u16);
            let symbol = pen.theme.either(braille(cell.dots), ascii(cell.dots));
            pen.cell(area, x, y, symbol, style(cell.layer));
        }
    }
}

pub(crate) fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

/// Returns a similar ASCII character.
fn ascii(dots: u8) -> char {
    let upper = dots & 0x1b != 0;
    let lower = dots & 0xe4 != 0;
    match (upper, lower) {
        (true, true) => ':',
        (true, false) => '\'',
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Theme;
    use ratatui::buffer::Buffer;

    fn drawn(canvas: &Canvas, area: Rect, theme: Theme) -> Vec<String> {
        let mut buffer = Buffer::empty(area);
        canvas.draw(&mut Pen::new(&mut buffer, theme), area, |_| Style::new());
        let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
        (0..area.height).map(row).collect()
    }

    #[test]
    fn lines_include_both_end_points() {
        let area = Rect::new(0, 0, 4, 2);
        let mut canvas = Canvas::new(area);
        canvas.line([0.0, 7.0], [7.0, 0.0], 1);
        assert_eq!(drawn(&canvas, area, Theme::default()), ["  ⡠⠊", "⡠⠊  "]);
        let ascii = Theme {
            ascii: true,
            ..Theme::default()
        };
        assert_eq!(drawn(&canvas, area, ascii), ["  .'", ".'  "]);
        canvas.line([-50.0, 0.0], [1e300, f64::NAN], 1);
    }

    #[test]
    fn cells_show_the_highest_layer() {
        let area = Rect::new(0, 0, 1, 1);
        let mut canvas = Canvas::new(area);
        canvas.line([0.0, 0.0], [0.0, 3.0], 1);
        canvas.dot(1, 1, 2);
        canvas.dot(0, 3, 1);
        assert_eq!(drawn(&canvas, area, Theme::default()), ["⠐"]);
        Canvas::new(Rect::ZERO).line([0.0, 0.0], [9.0, 9.0], 1);
    }
}
