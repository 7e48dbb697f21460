//! The confusion matrix as a heat map.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::Page;
use crate::pen::Pen;
use crate::state::State;
use crate::text;
use crate::theme::Theme;

/// Minimum columns of a cell with a number.
const LEAST: usize = 3;
/// Maximum columns of a cell: if its heading needs no more, and in any case.
const MOST: [usize; 2] = [8, 18];

/// Draws the matrix, with the names of its columns in `heads`.
pub(super) fn draw(pen: &mut Pen, state: &State, page: &Page, area: Rect, heads: Rect) {
    let count = page.sorted.len();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if count == 0 || width < LEAST || height == 0 {
        return;
    }
    let names = page.sorted.iter();
    let longest = names.map(|&place| text::width(&page.name(place)) + 2).max();
    let most = longest.unwrap_or(0).clamp(MOST[0], MOST[1]);
    let cell = (width / count).clamp(LEAST, most);
    let is_whole = count <= height && count * cell <= width;
    if is_whole == state.is_matrix_switched {
        draw_pooled(pen, page, area, heads);
        return;
    }
    let cell = if is_whole { cell } else { LEAST + 1 };
    let columns = (width / cell).min(count);
    let first = page.first(columns);
    let first_row = page.first(height);
    let said = "taken for, in % of the row";
    let above = Rect {
        y: heads.y - 1,
        ..heads
    };
    pen.print(above, 0, 0, said, Style::new());
    let selected = pen.theme.selected();
    let pitch = page.pitch(area);
    for index in 0..columns {
        let place = page.sorted[first + index];
        let x = (index * cell) as u16;
        let column = Rect {
            x: heads.x + x,
            width: cell as u16,
            ..heads
        };
        let name = short(&page.name(place), cell - 1);
        let style = match first + index == page.row {
            true => selected,
            false => pen.theme.heading(),
        };
        pen.right(column, 0, &name, style);
        for row in 0..height.min(count - first_row) {
            let own = page.sorted[first_row + row];
            let share = page.confusion.share(own, place);
            let (text, style) = heat(pen.theme, share, own == place, cell);
            let column = Rect {
                y: area.y + row as u16 * pitch,
                height: pitch,
                ..column
            };
            pen.restyle(column, style);
            // Centered vertically in a cell with several rows, right-aligned in a cell with one.
            let inner = Rect {
                width: column.width - u16::from(cell >= 6),
                ..column
            };
            pen.right(inner, pitch / 2, &text, style);
        }
    }
}

/// Returns the first letters of a name, or the number of a class without a name.
fn short(name: &str, columns: usize) -> String {
    let name = name.strip_prefix("class ").unwrap_or(name);
    let mut letters = String::new();
    for letter in files::printable_chars(name) {
        letters.push(letter);
        if text::width(&letters) > columns {
            letters.pop();
            break;
        }
    }
    letters
}

/// Returns a fraction in percent that fits into a cell, and the style of the cell.
fn heat(theme: Theme, share: f64, is_right: bool, cell: usize) -> (String, Style) {
    let reversed = theme.selected();
    let style = match (is_right, share) {
        (_, 0.0) => theme.faint(),
        (true, 0.85..) => theme.good().patch(reversed),
        (true, _) => theme.good().patch(theme.heading()),
        (false, 0.2..) => theme.bad().patch(reversed),
        (false, 0.08..) => theme.warning().patch(reversed),
        (false, 0.03..) => theme.warning(),
        (false, _) => Style::new(),
    };
    let text = match (share, cell) {
        (0.0, _) => theme.either("·", ".").to_owned(),
        (_, 6..) => format!("{:.1}", 100.0 * share),
        _ => format!("{:.0}", 100.0 * share),
    };
    (text, style)
}

/// Draws the whole matrix in shades, with several classes per cell if there are many.
fn draw_pooled(pen: &mut Pen, page: &Page, area: Rect, heads: Rect) {
    let side = usize::from(area.height)
        .min(usize::from(area.width) / 2)
        .max(1);
    let size = page.sorted.len().div_ceil(side);
    let pooled = page.confusion.pooled(&page.sorted, size);
    let side = page.sorted.len().div_ceil(size);
    let said = match size {
        1 => "rows: classes, columns: what they are taken for".to_owned(),
        _ => format!("{size} x {size} classes in each cell, the greatest share of them"),
    };
    pen.print(heads, 0, 0, &said, Style::new());
    let rows = if size == 1 { page.pitch(area) } else { 1 };
    let pitch = rows.min((area.width / 2 / side as u16).max(1));
    for (index, [right, wrong]) in pooled.into_iter().enumerate() {
        let (row, column) = (index / side, index % side);
        let is_right = row == column;
        let (share, style) = match is_right {
            true => (right, pen.theme.good()),
            // Small fractions matter; their square root is easier to distinguish from zero.
            false => (wrong.sqrt(), pen.theme.bad()),
        };
        let style = match row == page.row / size || column == page.row / size {
            true => style,
            false => Style {
                add_modifier: Modifier::empty(),
                ..style
            },
        };
        let shade = match share {
            0.0 => pen.theme.either('·', '.'),
            _ => pen.theme.shade(share.max(0.25)),
        };
        let style = if share == 0.0 {
            pen.theme.faint()
        } else {
            style
        };
        for (x, y) in (0..2 * pitch).flat_map(|x| (0..pitch).map(move |y| (x, y))) {
            let x = column as u16 * 2 * pitch + x;
            pen.cell(area, x, row as u16 * pitch + y, shade, style);
        }
    }
}
