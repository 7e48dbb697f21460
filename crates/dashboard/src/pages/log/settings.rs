//! Description and settings of a run, next to those of the run it is compared with.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::panel::panel;
use crate::pen::Pen;
use crate::runs::Run;
use crate::settings::{Setting, Settings, different};
use crate::state::{Pane, State};
use crate::text::{width, wrap};

/// Maximum columns for names.
const NAMES: usize = 28;

/// Returns the run that this one is compared with: the first run, or the second for the first.
fn other<'a>(state: &State, runs: &'a [Run<'a>]) -> Option<&'a Run<'a>> {
    match state.run {
        0 => runs.get(1),
        _ => runs.first(),
    }
}

/// A row of the pane.
#[derive(Default)]
struct Row {
    /// Whether the row contains only the name.
    is_heading: bool,
    name: String,
    value: String,
    other: String,
}

/// All rows, laid out for a given width.
struct Rows {
    rows: Vec<Row>,
    /// Columns of the names.
    names: usize,
    /// Titles of both parts; that of the second is also a heading row.
    titles: [String; 2],
    second: usize,
}

impl Rows {
    fn new(state: &State, runs: &[Run], columns: u16) -> Self {
        let other = other(state, runs);
        let settings = runs.get(state.run).map_or_else(Settings::default, |run| {
            Settings::new(run.history, other.map(|run| run.history))
        });
        let mut parts = [("run", settings.facts), ("settings", settings.settings)];
        if other.is_some() {
            // When comparing, settings are more interesting.
            parts.reverse();
        }
        let titles = [0, 1].map(|part| {
            let (name, lines): &(_, Vec<Setting>) = &parts[part];
            match other {
                Some(other) => format!("{name}, {} other than in {}", different(lines), other.name),
                None => (*name).to_owned(),
            }
        });
        let columns = usize::from(columns);
        let all = parts.iter().flat_map(|(_, lines)| lines);
        let longest = all.map(|line| width(&line.name) + 2).max().unwrap_or(0);
        let names = longest.min(NAMES).min(columns * 11 / 20);
        let [first, second] = parts.map(|(_, lines)| {
            let rows = lines
                .iter()
                .flat_map(|line| wrapped(line, names, columns - names));
            rows.collect::<Vec<Row>>()
        });
        let mut rows = first;
        if !second.is_empty() {
            let heading = Row {
                is_heading: true,
                name: titles[1].clone(),
                ..Row::default()
            };
            rows.extend([Row::default(), heading]);
        }
        let start = rows.len();
        rows.extend(second);
        Self {
            rows,
            names,
            titles,
            second: start,
        }
    }
}

/// Wraps a line into as many rows as its name and values need.
fn wrapped(line: &Setting, names: usize, values: usize) -> Vec<Row> {
    let lines = |text: &str, columns: usize| match text.len() <= columns {
        // No text takes more columns than bytes.
        true => vec![text.to_owned()],
        false => wrap(text, columns, usize::MAX),
    };
    let mut names = lines(&line.name, names.saturating_sub(1)).into_iter();
    let mut rows: Vec<Row> = Vec::new();
    let mut push = |value: String, other: String| {
        rows.push(Row {
            is_heading: false,
            name: names.next().unwrap_or_default(),
            value,
            other,
        });
    };
    match &line.other {
        Some(other) if width(&line.value) + width(other) + 3 <= values => {
            push(line.value.clone(), format!(" / {other}"));
        }
        other => {
            for value in lines(&line.value, values) {
                push(value, String::new());
            }
            let other = other
                .iter()
                .flat_map(|other| lines(other, values.saturating_sub(2)));
            for (index, other) in other.enumerate() {
                let sign = if index == 0 { "/" } else { " " };
                push(String::new(), format!("{sign} {other}"));
            }
        }
    }
    rows.extend(names.map(|name| Row {
        name,
        ..Row::default()
    }));
    rows
}

/// Returns the number of rows at the given width.
pub(super) fn count(state: &State, runs: &[Run], columns: u16) -> usize {
    Rows::new(state, runs, columns).rows.len()
}

pub(super) fn draw(pen: &mut Pen, state: &State, runs: &[Run], area: Rect) {
    let rows = Rows::new(state, runs, area.width);
    let shown = usize::from(area.height.saturating_sub(1));
    let first = state.setting.min(rows.rows.len().saturating_sub(shown));
    // The title stays while its part scrolls.
    let title = &rows.titles[usize::from(first >= rows.second)];
    let notes = super::title(pen, state, Pane::Settings);
    let inner = panel(pen, area, title, &notes);
    let names = rows.names as u16;
    let bold = pen.theme.heading();
    for (y, row) in (0..inner.height).zip(&rows.rows[first..]) {
        if row.is_heading {
            pen.print(inner, 0, y, &row.name, bold);
            let line = pen.theme.either('─', '-');
            let start = width(&row.name) as u16 + 1;
            pen.rule(inner, start, y, line, pen.theme.faint());
            continue;
        }
        pen.print(inner, 0, y, &row.name, Style::new());
        let x = pen.print(inner, names, y, &row.value, bold);
        let warning = pen.theme.warning();
        pen.print(inner, x, y, &row.other, warning);
    }
}
