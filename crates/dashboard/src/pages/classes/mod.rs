//! Metrics of each class, and the classes it is mistaken for.

mod matrix;

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::panel::{above, left};
use crate::pen::{Pen, Span};
use crate::runs::Run;
use crate::scores::{ScoreDetail, Scores, chosen};
use crate::state::{Order, State};
use crate::theme::Theme;
use events::Confusion;
use events::format::{count as grouped, figure, percent};

/// Rows above the classes.
const HEAD: u16 = 3;
/// Rows below the classes.
const FOOT: u16 = 2;
/// Maximum number of rows per class.
const HIGHEST: usize = 3;
/// Columns of each of the four metrics of a class.
const FIGURE: u16 = 7;

/// The scores that are shown, and values derived from them.
struct Page<'a> {
    run: &'a Run<'a>,
    scores: Scores<'a>,
    confusion: Confusion,
    /// Positions of classes, in row order.
    sorted: Vec<usize>,
    /// The selected row.
    row: usize,
}

/// Returns the rows of the matrix in table order. Classes without a score come last.
fn sorted(confusion: &Confusion, order: Order) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..confusion.classes.len()).collect();
    let key = |row: usize| {
        let scores = confusion.scores(row);
        let score = match order {
            Order::Number => None,
            Order::WorstF1 => scores.f1,
            Order::WorstPrecision => scores.precision,
            Order::WorstRecall => scores.recall,
        };
        score.unwrap_or(f64::INFINITY)
    };
    if order != Order::Number {
        rows.sort_by(|&one, &other| key(one).total_cmp(&key(other)));
    }
    rows
}

impl<'a> Page<'a> {
    fn new(state: &State, run: &'a Run<'a>) -> Option<Self> {
        let scores = chosen(run.history, ScoreDetail::Confusion, state.choice)?;
        let confusion = run.history.confusion(scores.confusion);
        let sorted = sorted(&confusion, state.order);
        let row = state.class.min(sorted.len().saturating_sub(1));
        Some(Self {
            run,
            scores,
            confusion,
            sorted,
            row,
        })
    }

    /// Returns the number of rows per class: more than one if there is space.
    fn pitch(&self, area: Rect) -> u16 {
        let pitch = usize::from(area.height) / self.sorted.len().max(1);
        pitch.clamp(1, HIGHEST) as u16
    }

    fn name(&self, place: usize) -> String {
        let class = self.confusion.classes[place];
        self.run.history.class_name(class)
    }

    /// Returns the first visible row, given the number of visible rows.
    fn first(&self, shown: usize) -> usize {
        let last = self.sorted.len().saturating_sub(shown);
        self.row.saturating_sub(shown / 2).min(last)
    }
}

/// Returns the number of classes.
pub(crate) fn count(state: &State, runs: &[Run]) -> usize {
    let page = runs.get(state.run).and_then(|run| Page::new(state, run));
    page.map_or(0, |page| page.sorted.len())
}

/// Returns the area of the class rows, below the head.
fn rows(body: Rect) -> Rect {
    let (_, rest) = above(body, HEAD);
    above(rest, rest.height.saturating_sub(FOOT)).0
}

/// Returns the row of the table under the mouse.
pub(crate) fn row_at(state: &State, body: Rect, at: Position, runs: &[Run]) -> Option<usize> {
    let rows = rows(body);
    let page = Page::new(state, runs.get(state.run)?)?;
    let shown = at.y.checked_sub(rows.y)? / page.pitch(rows);
    let row = page.first(usize::from(rows.height)) + usize::from(shown);
    (rows.contains(at) && row < page.sorted.len()).then_some(row)
}

pub(crate) fn draw(pen: &mut Pen, state: &State, run: &Run, body: Rect) {
    let Some(page) = Page::new(state, run) else {
        pen.center(body, body.height / 2, "no validation yet", Style::new());
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
    matrix::draw(pen, state, &page, matrix, heads);
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
        let images = grouped(page.confusion.images[place]);
        pen.right(figure_place(area, names, 3), y, &images, Style::new());
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

/// Returns the area of a metric, without the space before it.
fn figure_place(area: Rect, names: u16, index: usize) -> Rect {
    let start = (names + index as u16 * FIGURE + 1).min(area.width);
    Rect {
        x: area.x + start,
        width: (FIGURE - 1).min(area.width - start),
        ..area
    }
}

/// Classes with a score below this are highlighted as bad.
const BAD: f64 = 0.6;

fn quality(theme: Theme, share: f64) -> Style {
    match share {
        BAD.. => Style::new(),
        _ => theme.bad(),
    }
}

/// Describes the selected class.
fn draw_chosen(pen: &mut Pen, page: &Page, area: Rect) {
    let Some(&place) = page.sorted.get(page.row) else {
        return;
    };
    let images = page.confusion.images[place];
    let share = page.confusion.share(place, place);
    let bold = pen.theme.heading();
    let mut spans = vec![(page.name(place), bold)];
    let line = pen.theme.either('─', '-');
    pen.rule(area, 0, 0, line, pen.theme.faint());
    let images = match images {
        1 => "1 image".to_owned(),
        images => format!("{} images", grouped(images)),
    };
    spans.push((
        format!(": {} of {images} right", percent(share, 1)),
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
