//! The pictures that the network was most certain and wrong about.

use events::Mistake;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::format::{count, percent};
use crate::layout::layout;
use crate::panel::above;
use crate::pen::Pen;
use crate::picture;
use crate::runs::Run;
use crate::scores::{Part, chosen};
use crate::state::State;
use crate::text::fit;

/// Columns for the words below a picture, at least.
const WORDS: u16 = 22;
/// Rows below a picture: what it is, what it was taken for, and a gap.
const BELOW: u16 = 3;
/// As many pictures should be seen at once.
const ENOUGH: usize = 6;
/// Rows of the largest and the smallest pictures.
const ROWS: [u16; 2] = [4, 64];

/// How pictures lie on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Grid {
    /// Rows of a picture.
    rows: u16,
    /// Columns of a picture with its words and the gap.
    tile: u16,
    across: usize,
    down: usize,
}

impl Grid {
    fn of(mistakes: &[Mistake], rows: u16, area: Rect) -> Self {
        let widths = mistakes
            .iter()
            .map(|mistake| picture::width(&mistake.thumbnail, rows));
        let widest = widths.max().unwrap_or(0).min(area.width.saturating_sub(2));
        let tile = widest.max(WORDS) + 2;
        Self {
            rows,
            tile,
            across: usize::from((area.width + 2) / tile).max(1),
            down: usize::from((area.height + 1) / (rows + BELOW)).max(1),
        }
    }

    /// Pictures as they are, or smaller so that enough are seen; `more` rows are added to each.
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
}

/// The last row of pictures that can be the first one shown.
pub(crate) fn last_row(state: &State, runs: &[Run]) -> usize {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    let Some((run, layout)) = runs.get(state.run).zip(layout(state, screen)) else {
        return 0;
    };
    let scores = chosen(run.history, Part::Mistakes, state.choice);
    scores.map_or(0, |scores| {
        let area = above(layout.body, 2).1;
        let grid = Grid::new(scores.mistakes, area, state.picture_size);
        grid.last_row(scores.mistakes.len())
    })
}

pub(crate) fn draw(pen: &mut Pen, state: &State, run: &Run, body: Rect) {
    let Some(scores) = chosen(run.history, Part::Mistakes, state.choice) else {
        let said = match run.history.epochs.is_empty() {
            true => "no validation yet",
            false => "no mistakes were kept",
        };
        pen.centre(body, body.height / 2, said, Style::new());
        return;
    };
    let (head, area) = above(body, 2);
    let grid = Grid::new(scores.mistakes, area, state.picture_size);
    let first = state.mistake_row.min(grid.last_row(scores.mistakes.len())) * grid.across;
    let shown = grid.across * grid.down;
    let heading = pen.theme.heading();
    let x = pen.print(head, 0, 0, &scores.name(), heading);
    let last = (first + shown).min(scores.mistakes.len());
    let kept = scores.mistakes.len();
    let all = scores.mistakes_made();
    let mut said = match all > kept as u64 {
        true => format!(": the {kept} surest of {} mistakes", count(all)),
        false => format!(": all mistakes, {kept}, the surest first"),
    };
    if shown < kept {
        said += &format!("; {} to {last} are shown", first + 1);
    }
    pen.print(head, x, 0, &said, Style::new());
    let visible = scores.mistakes.iter().skip(first).take(shown);
    for (index, mistake) in visible.enumerate() {
        let (column, row) = (index % grid.across, index / grid.across);
        let x = column as u16 * grid.tile;
        let y = row as u16 * (grid.rows + BELOW);
        let tile = Rect {
            x: area.x + x,
            y: area.y + y,
            width: (grid.tile - 2).min(area.width.saturating_sub(x)),
            height: (grid.rows + 2).min(area.height.saturating_sub(y)),
        };
        draw_mistake(pen, run, mistake, grid.rows, tile);
    }
}

fn draw_mistake(pen: &mut Pen, run: &Run, mistake: &Mistake, rows: u16, tile: Rect) {
    let place = Rect {
        width: picture::width(&mistake.thumbnail, rows).min(tile.width),
        height: rows.min(tile.height),
        ..tile
    };
    picture::draw(pen, &mistake.thumbnail, place);
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
}
