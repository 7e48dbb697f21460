//! The table of runs.

use files::printable;
use jiff::fmt::temporal::Pieces;
use unicode_width::UnicodeWidthStr as _;

use super::column::Column;
use super::summary::RunSummary;
use crate::table::{shortened, table};
use events::format::{duration, number, percent};

/// Maximum width of a cell in terminal columns.
const WIDEST: usize = 60;
/// Minimum width of a name in a narrow terminal, and width reserved for reasons of failure before
/// less important columns.
const LEAST: usize = 20;
/// Minimum width of reasons of failure; with less space, they are left out.
const LEAST_REASON: usize = 12;
/// Title of the column with reasons of failure.
const WHY: &str = "why";
/// Space between two cells.
const SPACE: usize = 2;

/// All columns except the reason of failure.
const COLUMNS: [Column; 11] = [
    Column::Name,
    Column::State,
    Column::Data,
    Column::Model,
    Column::Device,
    Column::Epochs,
    Column::Accuracy,
    Column::Loss,
    Column::Test,
    Column::Time,
    Column::Started,
];
/// Columns that are always shown, however narrow the terminal is.
const NEEDED: [Column; 3] = [Column::Name, Column::State, Column::Accuracy];
/// Optional columns by importance, more important than reasons of failure.
const WANTED: [Column; 5] = [
    Column::Test,
    Column::Epochs,
    Column::Model,
    Column::Data,
    Column::Time,
];
/// Optional columns that are less important than reasons of failure.
const EXTRA: [Column; 3] = [Column::Started, Column::Loss, Column::Device];

/// Formats runs as a table, with a header and one line per run. If any run failed, the last column
/// contains the reasons.
pub fn listing(runs: &[RunSummary]) -> String {
    let has_reasons = runs.iter().any(|run| run.reason.is_some());
    draw(runs, &COLUMNS, WIDEST, has_reasons.then_some(WIDEST))
}

/// Like [`listing`], for a terminal of the given width: the least important columns are left out or
/// cut, and reasons of failure are cut before the columns that most runs have. The sorted column is
/// always kept, unless it is the start time.
pub fn listing_within(runs: &[RunSummary], sorted: Column, width: usize) -> String {
    let reasons = runs.iter().filter_map(|run| run.reason.as_deref());
    let reasons = reasons.map(wide).max().unwrap_or(0);
    // The last column has no space after it.
    let left = |columns: &[Column]| {
        let widths = columns.iter().map(|&column| widest(runs, column) + SPACE);
        width as isize - widths.sum::<usize>() as isize + SPACE as isize
    };
    let is_asked_for = |column: &Column| *column == sorted && sorted != Column::default();
    let mut columns = NEEDED.to_vec();
    let all = WANTED.iter().chain(&EXTRA);
    columns.extend(all.filter(|column| is_asked_for(column)));
    let mut add = |wanted: &[Column], reserved: isize| {
        for column in wanted.iter().filter(|column| !is_asked_for(column)) {
            columns.push(*column);
            if left(&columns) < reserved {
                columns.pop();
            }
        }
        left(&columns)
    };
    let room = add(&WANTED, 0) - SPACE as isize;
    let has_reasons = reasons > 0 && room >= reasons.clamp(WHY.len(), LEAST_REASON) as isize;
    let reserved = match has_reasons {
        // Space that it already has is not taken back.
        true => (reasons.clamp(WHY.len(), LEAST) as isize).min(room) + SPACE as isize,
        false => 0,
    };
    let left = add(&EXTRA, reserved);
    columns.sort_by_key(|column| COLUMNS.iter().position(|own| own == column));
    let within = |width: isize| width.clamp(LEAST as isize, WIDEST as isize) as usize;
    let name = within(widest(runs, Column::Name) as isize + left.min(0));
    let reason = (left - SPACE as isize).clamp(0, WIDEST as isize) as usize;
    draw(runs, &columns, name, has_reasons.then_some(reason))
}

/// Returns the width of a column of the table in terminal columns.
fn widest(runs: &[RunSummary], column: Column) -> usize {
    let cells = runs.iter().map(|run| wide(&cell(run, column)));
    cells.max().unwrap_or(0).max(column.name().len())
}

/// Returns the width of a cell in terminal columns.
fn wide(cell: &str) -> usize {
    shortened(&printable(cell), WIDEST).width()
}

/// Draws the table with limited widths of names and reasons; without a width, there are no reasons.
fn draw(runs: &[RunSummary], columns: &[Column], name: usize, reason: Option<usize>) -> String {
    let mut header: Vec<String> = columns
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    if reason.is_some() {
        header.push(WHY.to_owned());
    }
    let mut rows = vec![header];
    rows.extend(runs.iter().map(|run| {
        let cells = columns.iter().map(|&column| {
            let most = if column == Column::Name { name } else { WIDEST };
            shortened(&printable(&cell(run, column)), most)
        });
        let why = run.reason.as_deref().map(printable).unwrap_or_default();
        let why = reason.map(|most| shortened(&why, most));
        cells.chain(why).collect()
    }));
    let is_figure = |column: &Column| {
        matches!(
            column,
            Column::Epochs | Column::Accuracy | Column::Loss | Column::Test | Column::Time
        )
    };
    let first = columns.iter().position(is_figure).unwrap_or(0);
    let figures = columns.iter().filter(|column| is_figure(column)).count();
    table(&rows, &(first..first + figures))
}

fn cell(run: &RunSummary, column: Column) -> String {
    let known = match column {
        Column::Name => Some(run.name.clone()),
        Column::State => Some(run.state.name().to_owned()),
        Column::Data => run.data.clone(),
        Column::Model => run.model.clone(),
        Column::Device => run.device.clone(),
        Column::Seed => run.seed.map(|seed| seed.to_string()),
        Column::Epochs => Some(match run.epochs {
            Some(epochs) => format!("{}/{epochs}", run.epochs_done),
            None => run.epochs_done.to_string(),
        }),
        Column::Accuracy => run.accuracy.map(|share| percent(share, 2)),
        Column::Loss => run.loss.map(number),
        Column::Test => run.test_accuracy.map(|share| percent(share, 2)),
        Column::Time => run.seconds.map(duration),
        Column::Started => run.started.as_deref().map(minute),
    };
    known.unwrap_or_default()
}

/// Formats an RFC 3339 time to the minute, in its own time zone.
fn minute(started: &str) -> String {
    let Ok(pieces) = Pieces::parse(started) else {
        return String::new();
    };
    let time = pieces.time().unwrap_or_default();
    format!("{} {:02}:{:02}", pieces.date(), time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunState;
    use proptest::prelude::*;
    use std::path::Path;

    fn empty(name: &str, state: RunState) -> RunSummary {
        RunSummary::empty(name.to_owned(), Path::new(name), state)
    }

    #[test]
    fn table_has_a_row_per_run() {
        let mut runs = vec![
            RunSummary {
                data: Some("sample".to_owned()),
                model: Some("resnet8".to_owned()),
                device: Some("flex".to_owned()),
                epochs_done: 16,
                epochs: Some(16),
                accuracy: Some(0.8883),
                loss: Some(0.3857),
                test_accuracy: Some(0.897),
                seconds: Some(24.8),
                started: Some("2026-11-22T12:52:07+01:00".to_owned()),
                ..empty("study/plain-20", RunState::Finished)
            },
            RunSummary {
                seconds: Some(1224.0),
                started: Some("\u{1b}[2J".to_owned()),
                ..empty("\u{1b}[2J\u{202e}犬\n", RunState::Crashed)
            },
        ];
        insta::assert_snapshot!(listing(&runs), @r"
        name                   state     data    model    device  epochs  accuracy    loss     test         time  started
        study/plain-20         finished  sample  resnet8  flex     16/16   88.83 %  0.3857  89.70 %       24.8 s  2026-11-22 12:52
        \u{1b}[2J\u{202e}犬\n  crashed                                 0                             20 min 24 s
        ");
        runs[1].state = RunState::Failed;
        runs[1].reason = Some(format!("no space left\n{}", "x".repeat(100)));
        insta::assert_snapshot!(listing(&runs), @r"
        name                   state     data    model    device  epochs  accuracy    loss     test         time  started           why
        study/plain-20         finished  sample  resnet8  flex     16/16   88.83 %  0.3857  89.70 %       24.8 s  2026-11-22 12:52
        \u{1b}[2J\u{202e}犬\n  failed                                  0                             20 min 24 s                    no space left\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        ");
        insta::assert_snapshot!(listing(&[]), @"name  state  data  model  device  epochs  accuracy  loss  test  time  started");
    }

    #[test]
    fn absurd_numbers_are_short() {
        let absurd = RunSummary {
            seconds: Some(1e300),
            loss: Some(-1e300),
            epochs_done: usize::MAX,
            ..empty("a", RunState::Crashed)
        };
        assert!(listing(&[absurd]).lines().all(|line| line.len() < 200));
    }

    /// Returns a run with all values, and one that failed.
    fn wide_runs() -> [RunSummary; 2] {
        let run = RunSummary {
            data: Some("fashion-mnist".to_owned()),
            model: Some("resnet14".to_owned()),
            device: Some("flex (CPU, 2 threads)".to_owned()),
            epochs_done: 26,
            epochs: Some(26),
            accuracy: Some(0.9551),
            loss: Some(0.1857),
            test_accuracy: Some(0.9534),
            seconds: Some(2148.0),
            started: Some("2026-11-22T12:52:07+01:00".to_owned()),
            ..empty("fashion-recipe", RunState::Finished)
        };
        let failed = RunSummary {
            reason: Some("the loss of step 423 (epoch 2) is not a number".to_owned()),
            ..empty("hot", RunState::Failed)
        };
        [run, failed]
    }

    #[test]
    fn narrow_terminal_shows_main_columns() {
        let runs = wide_runs();
        let finished = &runs[..1];
        assert_eq!(
            listing_within(finished, Column::Started, 200),
            listing(finished)
        );
        insta::assert_snapshot!(listing_within(finished, Column::Started, 80), @r"
        name            state     data           model     epochs  accuracy     test
        fashion-recipe  finished  fashion-mnist  resnet14   26/26   95.51 %  95.34 %
        ");
        insta::assert_snapshot!(listing_within(finished, Column::Loss, 80), @r"
        name            state     model     epochs  accuracy    loss     test
        fashion-recipe  finished  resnet14   26/26   95.51 %  0.1857  95.34 %
        ");
    }

    #[test]
    fn failure_reason_is_truncated_first() {
        let runs = wide_runs();
        for (width, name) in [
            (80, "80"),
            (92, "92"),
            (106, "106"),
            (125, "125"),
            (160, "160"),
        ] {
            insta::assert_snapshot!(
                format!("reasons_{name}"),
                listing_within(&runs, Column::Started, width)
            );
        }
    }

    proptest! {
        /// No line is wider than the terminal, down to the minimum width of name, state, accuracy
        /// and sorted column. Some characters change the width of others, so the width is not the
        /// sum of their widths.
        #[test]
        fn rows_fit_terminal_width(
            names in prop::collection::vec("[ -~é犬]{0,70}", 1..5),
            reason in prop::option::of("[ -~é犬]{0,90}"),
            sorted in prop::sample::select(&Column::ALL[..]),
            width in 85_usize..260,
        ) {
            let mut runs: Vec<RunSummary> = names
                .into_iter()
                .map(|name| RunSummary { name, ..wide_runs()[0].clone() })
                .collect();
            runs[0].reason = reason;
            let table = listing_within(&runs, sorted, width);
            prop_assert_eq!(table.lines().count(), runs.len() + 1);
            let widest = table.lines().map(|line| line.width()).max();
            prop_assert!(widest.unwrap_or(0) <= width, "{}", table);
        }
    }
}
