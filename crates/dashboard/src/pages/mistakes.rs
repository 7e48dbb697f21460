//! The misclassified images with the highest confidence.

use events::Mistake;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::layout::layout;
use crate::panel::above;
use crate::pen::Pen;
use crate::runs::Run;
use crate::scores::{ScoreDetail, Scores, chosen};
use crate::state::State;
use crate::text::{fit, fit_end};
use crate::thumbnail;
use events::format::{count, percent};

/// Minimum columns for the text below an image.
const WORDS: u16 = 22;
/// Rows below an image: its class, the predicted class, its file, and a gap.
const BELOW: u16 = 4;
/// Rows above the images.
const HEAD: u16 = 2;
/// Number of images that should be visible at once.
const ENOUGH: usize = 6;
/// Minimum and maximum rows of an image.
const ROWS: [u16; 2] = [4, 64];

/// Layout of the images on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Grid {
    /// Rows per image.
    rows: u16,
    /// Columns of an image with its text and the gap.
    tile: u16,
    across: usize,
    down: usize,
}

impl Grid {
    fn of(mistakes: &[Mistake], rows: u16, area: Rect) -> Self {
        let widths = mistakes
            .iter()
            .map(|mistake| thumbnail::width(&mistake.thumbnail, rows));
        let widest = widths.max().unwrap_or(0).min(area.width.saturating_sub(2));
        let tile = widest.max(WORDS) + 2;
        Self {
            rows,
            tile,
            across: usize::from((area.width + 2) / tile).max(1),
            down: usize::from((area.height + 1) / (rows + BELOW)).max(1),
        }
    }

    /// Lays out images in their own size, or smaller so that enough are visible; adds `more` rows
    /// to each.
    fn new(mistakes: &[Mistake], area: Rect, more: i16) -> Self {
        let heights = mistakes
            .iter()
            .map(|mistake| mistake.thumbnail.height().div_ceil(2));
        let tallest = heights.max().unwrap_or(0) as u16;
        let most = area.height.saturating_sub(BELOW).clamp(ROWS[0], ROWS[1]);
        let own = tallest.clamp(7, most.max(7)).min(most);
        let enough = mistakes.len().min(ENOUGH);
        let fitting = (ROWS[0]..=own).rev().find(|&rows| {
            let grid = Self::of(mistakes, rows, area);
            grid.across * grid.down >= enough
        });
        let rows = fitting.unwrap_or(own).saturating_add_signed(more);
        Self::of(mistakes, rows.clamp(ROWS[0], most), area)
    }

    fn last_row(&self, mistakes: usize) -> usize {
        mistakes.div_ceil(self.across).saturating_sub(self.down)
    }

    /// Returns the area of a mistake, counted from the first visible one.
    fn tile(&self, index: usize, area: Rect) -> Rect {
        let x = (index % self.across) as u16 * self.tile;
        let y = (index / self.across) as u16 * (self.rows + BELOW);
        Rect {
            x: area.x + x,
            y: area.y + y,
            width: (self.tile - 2).min(area.width.saturating_sub(x)),
            height: (self.rows + BELOW - 1).min(area.height.saturating_sub(y)),
        }
    }
}

/// The visible mistakes and their layout.
struct Page<'a> {
    scores: Scores<'a>,
    grid: Grid,
    area: Rect,
    /// Range of visible mistakes, end excluded.
    shown: [usize; 2],
    /// The selected mistake, whose file is shown in full.
    chosen: usize,
}

impl<'a> Page<'a> {
    fn new(state: &State, run: &Run<'a>, body: Rect) -> Option<Self> {
        let scores = chosen(run.history, ScoreDetail::Mistakes, state.choice)?;
        let area = above(body, HEAD).1;
        let count = scores.mistakes.len();
        let grid = Grid::new(scores.mistakes, area, state.image_size);
        let first = state.mistake_row.min(grid.last_row(count)) * grid.across;
        let end = (first + grid.across * grid.down).min(count);
        Some(Self {
            scores,
            grid,
            area,
            shown: [first, end],
            chosen: state.mistake.clamp(first, end.max(first + 1) - 1),
        })
    }
}

/// Moves the selection by the given number of mistakes, and scrolls to it.
pub(crate) fn choose(state: &mut State, by: isize, runs: &[Run]) {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    let Some((run, layout)) = runs.get(state.run).zip(layout(screen)) else {
        return;
    };
    let Some(page) = Page::new(state, run, layout.body) else {
        return;
    };
    let last = page.scores.mistakes.len().saturating_sub(1);
    let mistake = page.chosen.saturating_add_signed(by).min(last);
    let row = mistake / page.grid.across;
    let first = page.shown[0] / page.grid.across;
    state.mistake_row = first.clamp((row + 1).saturating_sub(page.grid.down), row);
    state.mistake = mistake;
}

/// Returns the mistake under the mouse.
pub(crate) fn mistake_at(state: &State, body: Rect, at: Position, runs: &[Run]) -> Option<usize> {
    let page = Page::new(state, runs.get(state.run)?, body)?;
    let [first, end] = page.shown;
    (first..end).find(|index| page.grid.tile(index - first, page.area).contains(at))
}

/// Returns the maximum scroll position in rows of images.
pub(crate) fn last_row(state: &State, runs: &[Run]) -> usize {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    let Some((run, layout)) = runs.get(state.run).zip(layout(screen)) else {
        return 0;
    };
    let page = Page::new(state, run, layout.body);
    page.map_or(0, |page| page.grid.last_row(page.scores.mistakes.len()))
}

pub(crate) fn draw(pen: &mut Pen, state: &State, run: &Run, body: Rect) {
    let Some(page) = Page::new(state, run, body) else {
        let said = match run.history.epochs.is_empty() {
            true => "no validation yet",
            false => "no mistakes were kept",
        };
        pen.center(body, body.height / 2, said, Style::new());
        return;
    };
    let head = above(body, HEAD).0;
    let mistakes = page.scores.mistakes;
    let [first, end] = page.shown;
    let heading = pen.theme.heading();
    let x = pen.print(head, 0, 0, &page.scores.name(), heading);
    let kept = mistakes.len();
    let all = page.scores.mistakes_made();
    let mut said = match all > kept as u64 {
        true => format!(": the {kept} most confident of {} mistakes", count(all)),
        false => format!(": all mistakes, {kept}, most confident first"),
    };
    if end - first < kept {
        said += &format!("; {} to {end} shown", first + 1);
    }
    pen.print(head, x, 0, &said, Style::new());
    if let Some(mistake) = mistakes.get(page.chosen) {
        draw_file(pen, &page, mistake, head);
    }
    for (index, mistake) in mistakes[first..end].iter().enumerate() {
        let tile = page.grid.tile(index, page.area);
        let is_chosen = first + index == page.chosen;
        draw_mistake(pen, run, mistake, is_chosen, page.grid.rows, tile);
    }
}

/// Draws the full file name of the selected mistake, or its index if it has no file.
fn draw_file(pen: &mut Pen, page: &Page, mistake: &Mistake, head: Rect) {
    let number = format!("{}: ", page.chosen + 1);
    let x = pen.print(head, 0, 1, &number, pen.theme.accent());
    let file = match &mistake.path {
        Some(path) => path.clone(),
        None => format!("image {} of the {}", mistake.image, page.scores.set()),
    };
    let (file, _) = fit_end(&file, usize::from(head.width.saturating_sub(x)));
    pen.print(head, x, 1, &file, Style::new());
}

fn draw_mistake(
    pen: &mut Pen,
    run: &Run,
    mistake: &Mistake,
    is_chosen: bool,
    rows: u16,
    tile: Rect,
) {
    let place = Rect {
        width: thumbnail::width(&mistake.thumbnail, rows).min(tile.width),
        height: rows.min(tile.height),
        ..tile
    };
    thumbnail::draw(pen, &mistake.thumbnail, place);
    let names = [mistake.class, mistake.likeliest].map(|class| run.history.class_name(class));
    let confidence = percent(mistake.confidence, 0);
    let space = usize::from(tile.width).saturating_sub(confidence.chars().count() + 4);
    let (good, bad) = (pen.theme.good(), pen.theme.bad());
    let x = pen.print(tile, 0, rows, "is ", Style::new());
    pen.print(tile, x, rows, &names[0], good);
    let arrow = pen.theme.either("→", ">");
    let x = pen.print(tile, 0, rows + 1, &format!("{arrow} "), Style::new());
    let x = pen.print(tile, x, rows + 1, &fit(&names[1], space).0, bad);
    pen.print(tile, x + 1, rows + 1, &confidence, Style::new());
    let (file, _) = fit_end(&run.history.image_name(mistake), usize::from(tile.width));
    let style = match is_chosen {
        true => pen.theme.selected(),
        false => Style::new(),
    };
    pen.print(tile, 0, rows + 2, &file, style);
}
