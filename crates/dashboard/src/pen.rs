//! Writes into areas of the screen without leaving them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::{fit, width};
use crate::theme::Theme;

/// Writes sanitized text into areas. Positions are relative to an area; text that does not fit is
/// cut off.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub theme: Theme,
    /// If set, charts record their curves here instead of drawing them.
    pub traced: Option<Vec<Traced>>,
}

/// A curve of a chart. Positions are `[across, down]`, in cells from the top left corner of the
/// screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Style of the line; the band is fainter.
    pub style: Style,
    /// Polylines; one with a single position is a dot.
    pub lines: Vec<Vec<[f64; 2]>>,
    /// Range of the values, drawn behind the line: `[across, top, bottom]`, from left to right.
    pub band: Vec<[f64; 3]>,
    /// Marked points.
    pub marks: Vec<([f64; 2], char)>,
}

/// Text and its style.
pub(crate) type Span = (String, Style);

impl<'a> Pen<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer, theme: Theme) -> Self {
        Self {
            buffer,
            theme,
            traced: None,
        }
    }

    /// Writes a text and returns its end.
    pub(crate) fn print(&mut self, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if y >= area.height || x >= area.width {
            return x;
        }
        let (text, used) = fit(text, usize::from(area.width - x));
        self.buffer
            .set_stringn(area.x + x, area.y + y, text, used, style);
        x + used as u16
    }

    /// Writes several texts one after another.
    pub(crate) fn spans(&mut self, area: Rect, x: u16, y: u16, spans: &[Span]) -> u16 {
        spans
            .iter()
            .fold(x, |x, (text, style)| self.print(area, x, y, text, *style))
    }

    /// Writes a right-aligned text and returns its start.
    pub(crate) fn right(&mut self, area: Rect, y: u16, text: &str, style: Style) -> u16 {
        let used = width(text).min(usize::from(area.width)) as u16;
        self.print(area, area.width - used, y, text, style);
        area.width - used
    }

    /// Writes a centered text.
    pub(crate) fn center(&mut self, area: Rect, y: u16, text: &str, style: Style) {
        let used = width(text).min(usize::from(area.width)) as u16;
        self.print(area, (area.width - used) / 2, y, text, style);
    }

    /// Writes one character that takes one column.
    pub(crate) fn cell(&mut self, area: Rect, x: u16, y: u16, symbol: char, style: Style) {
        if x < area.width
            && y < area.height
            && let Some(cell) = self.buffer.cell_mut((area.x + x, area.y + y))
        {
            cell.set_char(symbol).set_style(style);
        }
    }

    /// Fills a row from `x` on with one character.
    pub(crate) fn rule(&mut self, area: Rect, x: u16, y: u16, symbol: char, style: Style) {
        for x in x..area.width {
            self.cell(area, x, y, symbol, style);
        }
    }

    /// Changes the style of an area, but not its text.
    pub(crate) fn restyle(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }

    /// Clears an area.
    pub(crate) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
            }
        }
    }
}
