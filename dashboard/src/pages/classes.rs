//! How well each class is known, and which it is taken for.

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::confusion::Confusion;
use crate::format::{count as grouped, figure, percent};
use crate::panel::{above, left};
use crate::pen::{Pen, Span};
use crate::runs::Run;
use crate::scores::{Part, Scores, chosen};
use crate::state::{Order, State};
use crate::theme::Theme;

/// Rows above the classes.
const HEAD: u16 = 3;
/// Rows below them.
const FOOT: u16 = 2;
/// Rows of a class at most.
const HIGHEST: usize = 3;
/// Columns of each of the four figures of a class.
const FIGURE: u16 = 7;

/// The scores that are shown, and what they come to.
struct Page<'a> {
    run: &'a Run<'a>,
    scores: Scores<'a>,
    confusion: Confusion,
    /// Places of classes, in the order of the rows.
    sorted: Vec<usize>,
    /// The chosen row.
    row: usize,
}

impl<'a> Page<'a> {
    fn new(state: &State, run: &'a Run<'a>) -> Option<Self> {
        let scores = chosen(run.history, Part::Confusion, state.choice)?;
        let started = run.history.started.as_ref();
        let named = started.map_or(0, |started| started.classes.len());
        let confusion = Confusion::new(scores.confusion, named);
        let sorted = confusion.sorted(state.order);
        let row = state.class.min(sorted.len().saturating_sub(1));
        Some(Self {
            run,
            scores,
            confusion,
            sorted,
            row,
        })
    }

    /// Rows for each class: more than one where there is space.
    fn pitch(&self, area: Rect) -> u16 {
        let pitch = usize::from(area.height) / self.sorted.len().max(1);
        pitch.clamp(1, HIGHEST) as u16
    }

    fn name(&self, place: usize) -> String {
        let class = self.confusion.classes[place];
        self.run.history.class_name(class)
    }

    /// The first row that is shown where so many are.
    fn first(&self, shown: usize) -> usize {
        let last = self.sorted.len().saturating_sub(shown);
        self.row.saturating_sub(shown / 2).min(last)
    }
}

/// How many classes there are.
pub(crate) fn count(state: &State, runs: &[Run]) -> usize {
    let page = runs.get(state.run).and_then(|run| Page::new(state, run));
    page.map_or(0, |page| page.sorted.len())
}

/// The rows of classes, below the head.
fn rows(body: Rect) -> Rect {
    let (_, rest) = above(body, HEAD);
    above(rest, rest.height.saturating_sub(FOOT)).0
}

/// The row of the table under the mouse.
pub(crate) fn row_at(state: &State, body: Rect, at: Position, runs: &[Run]) -> Option<usize> {
    let rows = rows(body);
    let page = Page::new(state, runs.get(state.run)?)?;
    let shown = at.y.checked_sub(rows.y)? / page.pitch(rows);
    let row = page.first(usize::from(rows.height)) + usize::from(shown);
    (rows.contains(at) && row < page.sorted.len()).then_some(row)
}

pub(crate) fn draw(pen: &mut Pen, state: &State, run: &Run, body: Rect) {
    let Some(page) = Page::new(state, run) else {
        pen.centre(body, body.height / 2, "no validation yet", Style::new());
        return;
    };
    draw_head(pen, state, &page, body);
    let rows = rows(body);
    let names = (body.width / 5).clamp(12, 30);
    let (table, matrix) = left(rows, names + 4 * FIGURE, 2);
    draw_table(pen, state, &page, table, names);
    let heads = Rect {
        y: matrix.y - 1,
        height: 1,
        ..matrix
    };
    draw_matrix(pen, state, &page, matrix, heads);
    draw_chosen(pen, &page, above(body, body.height - FOOT).1);
}

fn draw_head(pen: &mut Pen, state: &State, page: &Page, area: Rect) {
    let bold = pen.theme.heading();
    let mut spans: Vec<Span> = vec![(page.scores.name(), bold)];
    for metric in ["accuracy", "loss"] {
        if let Some(value) = page.scores.metrics.get(metric) {
            spans.push((format!("   {metric} "), Style::new()));
            spans.push((figure(metric, value), bold));
        }
    }
    let order = match state.order {
        Order::Number => "in order",
        Order::WorstF1 => "worst F1 first",
        Order::WorstPrecision => "worst precision first",
        Order::WorstRecall => "worst recall first",
    };
    let classes = grouped(page.sorted.len() as u64);
    spans.push((format!("   {classes} classes"), Style::new()));
    if area.width >= 100 {
        spans.push((format!(", {order}"), Style::new()));
    }
    pen.spans(area, 0, 0, &spans);
}

fn draw_table(pen: &mut Pen, state: &State, page: &Page, area: Rect, names: u16) {
    let head = Rect {
        y: area.y - 1,
        height: 1,
        ..area
    };
    let bold = pen.theme.heading();
    let headings = ["prec.", "recall", "F1", "images"];
    let sorted_by = match state.order {
        Order::Number => None,
        Order::WorstPrecision => Some(0),
        Order::WorstRecall => Some(1),
        Order::WorstF1 => Some(2),
    };
    pen.print(head, 0, 0, "class", bold);
    for (index, heading) in headings.into_iter().enumerate() {
        let place = figure_place(head, names, index);
        let style = match sorted_by == Some(index) {
            true => bold.add_modifier(Modifier::UNDERLINED),
            false => bold,
        };
        pen.right(place, 0, heading, style);
    }
    let first = page.first(usize::from(area.height));
    let shown = page.sorted.iter().enumerate().skip(first);
    let pitch = page.pitch(area);
    let middles = (pitch / 2..area.height).step_by(usize::from(pitch));
    for (y, (row, &place)) in middles.zip(shown) {
        let label = Rect {
            width: names.min(area.width),
            ..area
        };
        pen.print(label, 0, y, &page.name(place), Style::new());
        let scores = page.confusion.scores(place);
        let shares = [scores.precision, scores.recall, scores.f1];
        for (index, share) in shares.into_iter().enumerate() {
            let shown = share.map_or("–".to_owned(), |share| format!("{:.1}", 100.0 * share));
            let style = share.map_or(Style::new(), |share| quality(pen.theme, share));
            pen.right(figure_place(area, names, index), y, &shown, style);
        }
        let pictures = grouped(page.confusion.pictures[place]);
        pen.right(figure_place(area, names, 3), y, &pictures, Style::new());
        if row == page.row {
            let line = Rect {
                y: area.y + y,
                height: 1,
                ..area
            };
            let selected = pen.theme.selected();
            pen.restyle(line, selected);
        }
    }
}

/// The columns of a figure, without the space before it.
fn figure_place(area: Rect, names: u16, index: usize) -> Rect {
    let start = (names + index as u16 * FIGURE + 1).min(area.width);
    Rect {
        x: area.x + start,
        width: (FIGURE - 1).min(area.width - start),
        ..area
    }
}

/// Below this, a class counts as badly known.
const BAD: f64 = 0.6;

fn quality(theme: Theme, share: f64) -> Style {
    match share {
        BAD.. => Style::new(),
        _ => theme.bad(),
    }
}

/// The least and greatest columns of a cell with a number.
const CELL: [usize; 2] = [3, 8];

fn draw_matrix(pen: &mut Pen, state: &State, page: &Page, area: Rect, heads: Rect) {
    let count = page.sorted.len();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if count == 0 || width < CELL[0] || height == 0 {
        return;
    }
    let cell = (width / count).clamp(CELL[0], CELL[1]);
    let is_whole = count <= height && count * cell <= width;
    if is_whole == state.is_matrix_switched {
        draw_pooled(pen, page, area, heads);
        return;
    }
    let cell = if is_whole { cell } else { CELL[0] + 1 };
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
            // In the middle of a cell that has several rows, and at its end in one row.
            let inner = Rect {
                width: column.width - u16::from(cell >= 6),
                ..column
            };
            pen.right(inner, pitch / 2, &text, style);
        }
    }
}

/// The first letters of a name, or the number of a class without one.
fn short(name: &str, columns: usize) -> String {
    let name = name.strip_prefix("class ").unwrap_or(name);
    let mut letters = String::new();
    for letter in name.chars() {
        letters.push(letter);
        if crate::text::width(&letters) > columns {
            letters.pop();
            break;
        }
    }
    letters
}

/// A share as a number of percent that fits into a cell, and how the cell looks.
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

/// The whole matrix in shades, some classes to a cell if there are many.
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
            // Small shares count; their root is easier to tell from nothing.
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

/// The chosen class in words.
fn draw_chosen(pen: &mut Pen, page: &Page, area: Rect) {
    let Some(&place) = page.sorted.get(page.row) else {
        return;
    };
    let pictures = page.confusion.pictures[place];
    let share = page.confusion.share(place, place);
    let bold = pen.theme.heading();
    let mut spans = vec![(page.name(place), bold)];
    let line = pen.theme.either('─', '-');
    pen.rule(area, 0, 0, line, pen.theme.faint());
    let images = grouped(pictures);
    spans.push((
        format!(": {} of {images} images right", percent(share, 1)),
        Style::new(),
    ));
    for (index, (other, count)) in page
        .confusion
        .taken_for(place)
        .into_iter()
        .take(5)
        .enumerate()
    {
        let before = if index == 0 { "; taken for " } else { ", " };
        spans.push((before.to_owned(), Style::new()));
        spans.push((page.name(other), bold));
        spans.push((format!(" {}", grouped(count)), Style::new()));
    }
    pen.spans(area, 0, 1, &spans);
}
