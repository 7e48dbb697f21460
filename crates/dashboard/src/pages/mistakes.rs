//! The images that the network was most certain and wrong about.

use events::Mistake;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use events::format::{count, percent};
use crate::layout::layout;
use crate::panel::above;
use crate::pen::Pen;
use crate::runs::Run;
use crate::scores::{ScoreDetail, Scores, chosen};
use crate::state::State;
use crate::text::{fit, fit_end};
use crate::thumbnail;

/// Columns for the words below an image, at least.
const WORDS: u16 = 22;
/// Rows below an image: what it is, what it was taken for, its file, and a gap.
const BELOW: u16 = 4;
/// Rows above the images.
const HEAD: u16 = 2;
/// As many images should be seen at once.
const ENOUGH: usize = 6;
/// Rows of the largest and the smallest images.
const ROWS: [u16; 2] = [4, 64];

/// How images lie on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Grid {
    /// Rows of an image.
    rows: u16,
    /// Columns of an image with its words and the gap.
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

    /// Images as they are, or smaller so that enough are seen; `more` rows are added to each.
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

    /// Where a mistake is, counted from the first one that is shown.
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

/// The mistakes that are shown, and how they lie.
struct Page<'a> {
    scores: Scores<'a>,
    grid: Grid,
    area: Rect,
    /// The first and the one after the last that are shown.
    shown: [usize; 2],
    /// The one whose file is shown in full.
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

/// Chooses the mistake that is so many after the chosen one, and scrolls to it.
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

/// The mistake under the mouse.
pub(crate) fn mistake_at(state: &State, body: Rect, at: Position, runs: &[Run]) -> Option<usize> {
    let page = Page::new(state, runs.get(state.run)?, body)?;
    let [first, end] = page.shown;
    (first..end).find(|index| page.grid.tile(index - first, page.area).contains(at))
}

/// The last row of images that can be the first one shown.
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
        false => format!(": all mistakes, {kept}, the surest first"),
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

/// The file of the chosen mistake in full, or its index where it has none.
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
