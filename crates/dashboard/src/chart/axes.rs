//! Axis lines and tick labels of a chart.

use events::Axis;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Chart, GUTTER, TALL, column_of, row_of};
use crate::pen::Pen;
use crate::text::width;
use events::ticks::{Scale, Tick, Unit};

/// Columns of a label on the horizontal axis, including space.
const LABEL: u16 = 10;

impl Chart {
    pub(super) fn draw_axes(&self, pen: &mut Pen, area: Rect, plot: Rect, x: Scale, y: Scale) {
        let faint = pen.theme.faint();
        let (bar, corner, line, left, foot) = pen
            .theme
            .either(('│', '└', '─', '┤', '┴'), ('|', '+', '-', '+', '+'));
        for row in 0..plot.height {
            pen.cell(area, GUTTER - 1, row, bar, faint);
        }
        let mut free = plot.height;
        for Tick { place, label } in y.ticks(usize::from(plot.height / 3).clamp(2, 8), self.unit) {
            let row = row_of(plot, place);
            // Ticks ascend; two in one row would overwrite each other.
            if row < free {
                free = row;
                let gutter = Rect {
                    width: GUTTER - 1,
                    ..area
                };
                pen.right(gutter, row, &label, Style::new());
                pen.cell(area, GUTTER - 1, row, left, faint);
                let dot = pen.theme.either('·', '.');
                for column in (3..plot.width).step_by(4) {
                    pen.cell(plot, column, row, dot, faint);
                }
            }
        }
        let has_line = area.height >= TALL;
        if has_line {
            pen.cell(area, GUTTER - 1, plot.height, corner, faint);
            pen.rule(area, GUTTER, plot.height, line, faint);
        }
        let (unit, name) = match self.axis {
            Axis::Step => (Unit::Whole, "step"),
            Axis::Epoch => (Unit::Number, "epoch"),
            Axis::Time => (Unit::Time, "time"),
        };
        let labels = area.height - 1;
        let (mut free, mut first) = (0, GUTTER);
        for Tick { place, label } in x.ticks(usize::from(plot.width / LABEL).clamp(2, 10), unit) {
            let column = column_of(plot, place);
            let width = width(&label) as u16;
            let start = (GUTTER + column).saturating_sub(width / 2);
            let start = start.min(area.width.saturating_sub(width));
            if start >= free {
                first = first.min(start);
                free = start + width + 1;
                pen.print(area, start, labels, &label, Style::new());
                if has_line {
                    pen.cell(area, GUTTER + column, plot.height, foot, faint);
                }
            }
        }
        // The axis name is left of its labels, unless the first label needs the space.
        let gutter = Rect {
            width: first.saturating_sub(1),
            ..area
        };
        if width(name) <= usize::from(gutter.width) {
            pen.right(gutter, labels, name, Style::new());
        }
    }
}
