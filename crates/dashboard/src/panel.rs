//! Building blocks of all pages.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::pen::{Pen, Span};
use crate::text::width;

/// Draws the title of a part of a page and returns the area below it.
pub(crate) fn panel(pen: &mut Pen, area: Rect, title: &str, notes: &[Span]) -> Rect {
    let heading = pen.theme.heading();
    let line = pen.theme.either('─', '-');
    let mut x = pen.print(area, 0, 0, title, heading);
    if !notes.is_empty() {
        x = pen.spans(area, x + 2, 0, notes);
    }
    pen.rule(area, x + 1, 0, line, pen.theme.faint());
    below(area, 1)
}

/// Returns the area below the given number of rows.
pub(crate) fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// Returns the first rows, and the area below.
pub(crate) fn above(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (
        Rect {
            height: rows,
            ..area
        },
        below(area, rows),
    )
}

/// Returns the first columns, and the area to the right after a gap.
pub(crate) fn left(area: Rect, columns: u16, gap: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    let start = (columns + gap).min(area.width);
    let right = Rect {
        x: area.x + start,
        width: area.width - start,
        ..area
    };
    (
        Rect {
            width: columns,
            ..area
        },
        right,
    )
}

/// Splits an area into `N` columns of about the same width, with gaps.
pub(crate) fn columns<const N: usize>(area: Rect, gap: u16) -> [Rect; N] {
    let count = N as u16;
    let space = area.width.saturating_sub(gap * (count - 1));
    std::array::from_fn(|index| {
        let index = index as u16;
        let edge = |index: u16| (u32::from(space) * u32::from(index) / u32::from(count)) as u16;
        let start = (edge(index) + gap * index).min(area.width);
        Rect {
            x: area.x + start,
            width: (edge(index + 1) - edge(index)).min(area.width - start),
            ..area
        }
    })
}

/// Draws a bar that is filled to a fraction, 0 to 1.
pub(crate) fn bar(
    pen: &mut Pen,
    area: Rect,
    x: u16,
    y: u16,
    length: u16,
    share: f64,
    style: Style,
) {
    let eighths = (share.clamp(0.0, 1.0) * f64::from(length) * 8.0).round() as u16;
    let (full, rest) = (pen.theme.either('█', '#'), pen.theme.either('░', '.'));
    for column in 0..length {
        let filled = eighths.saturating_sub(column * 8).min(8);
        let (symbol, style) = match filled {
            8 => (full, style),
            0 => (rest, pen.theme.faint()),
            _ if pen.theme.ascii => (rest, style),
            part => (part_of_block(part), style),
        };
        pen.cell(area, x + column, y, symbol, style);
    }
}

fn part_of_block(eighths: u16) -> char {
    let parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    parts[usize::from(eighths - 1).min(7)]
}

/// Draws pairs of names and figures, filling each row, and returns the number of rows.
pub(crate) fn figures(pen: &mut Pen, area: Rect, pairs: &[(String, Span)]) -> u16 {
    let (mut x, mut y) = (0, 0);
    for (name, (figure, style)) in pairs {
        let long = (width(name) + width(figure) + 1) as u16;
        if x > 0 && x + long > area.width {
            (x, y) = (0, y + 1);
        }
        let end = pen.print(area, x, y, name, Style::new());
        x = pen.print(area, end + 1, y, figure, style.patch(pen.theme.heading())) + 3;
    }
    y + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Theme;
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;

    #[test]
    fn bars_fill_by_eighths() {
        let area = Rect::new(0, 0, 5, 1);
        let shown = |share, theme| {
            let mut buffer = Buffer::empty(area);
            bar(
                &mut Pen::new(&mut buffer, theme),
                area,
                0,
                0,
                5,
                share,
                Style::new(),
            );
            (0..5).map(|x| buffer[(x, 0)].symbol()).collect::<String>()
        };
        let theme = Theme::default();
        assert_eq!(shown(0.0, theme), "░░░░░");
        assert_eq!(shown(0.5, theme), "██▌░░");
        assert_eq!(shown(7.0, theme), "█████");
        assert_eq!(shown(f64::NAN, theme), "░░░░░");
        let ascii = Theme {
            ascii: true,
            ..theme
        };
        assert_eq!(shown(0.5, ascii), "##...");
    }

    proptest! {
        #[test]
        fn split_parts_stay_inside_area(width in 0_u16..300, height in 0_u16..80, cut in 0_u16..400, gap in 0_u16..9) {
            let area = Rect::new(3, 2, width, height);
            let (first, second) = left(area, cut, gap);
            let (top, bottom) = above(area, cut);
            let thirds: [Rect; 3] = columns(area, gap);
            for part in [first, second, top, bottom].into_iter().chain(thirds) {
                prop_assert_eq!(area.union(part), area);
            }
            prop_assert!(thirds[0].right() <= thirds[1].left() && thirds[1].right() <= thirds[2].left());
        }
    }
}
