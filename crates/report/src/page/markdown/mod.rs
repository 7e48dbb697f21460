//! Runs as a Markdown file, for repositories, issues and terminals: tables, and curves as text.

mod plot;
mod write;

use std::fmt::Write as _;

use events::{History, Level};
use files::printable_lines;

use super::comparison;
use super::curves;
use super::figure::{Across, Figure};
use super::format::{count, duration, figure, metric_name, percent, short, shortened};
use super::outcome::Outcome;
use super::{NamedRun, classes, machine, mistakes, settings, summary, timing, title};
use crate::places::RelativePaths;
use events::Confusion;
use write::{Table, code, escaped};

/// Maximum number of classes for showing the whole matrix.
const MATRIX: usize = 16;
/// Maximum rows of the class table.
const MOST_CLASSES: usize = 200;

/// Returns the report of one or more runs as Markdown.
pub fn markdown(runs: &[NamedRun]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    match runs {
        [run] => {
            let _ = writeln!(text, "# {} ({})\n", escaped(run.name), run.state().name());
            write_run(&mut text, run, "##");
        }
        runs => {
            let _ = writeln!(text, "# {}\n", escaped(&title(runs)));
            write_comparison(&mut text, runs);
            for run in runs {
                let state = run.state().name();
                let _ = writeln!(text, "## {} ({state})\n", escaped(run.name));
                write_run(&mut text, run, "###");
            }
        }
    }
    let text = text.trim_end().to_owned() + "\n";
    printable_lines(&text).into_owned()
}

/// Writes everything about a run, under headings of the given level.
fn write_run(text: &mut String, run: &NamedRun, level: &str) {
    let history = run.history;
    let places = RelativePaths::of(history);
    let _ = writeln!(text, "{}\n", escaped(&summary::subtitle(history, &places)));
    let warnings = summary::warnings(run, &places);
    for warning in &warnings {
        let _ = writeln!(text, "- **Warning:** {}", escaped(warning));
    }
    if !warnings.is_empty() {
        text.push('\n');
    }
    let mut keys = Table::new(["", "value", ""], 0..0);
    for key in summary::keys(run) {
        keys.row([key.name, &key.value, &key.note]);
    }
    text.push_str(&keys.text());
    let mut section = |title: &str, content: String| {
        if !content.is_empty() {
            let _ = writeln!(text, "{level} {title}\n\n{}\n", content.trim_end());
        }
    };
    section("Curves", run_curves(history));
    section("Metrics", metrics(history));
    if let Some(outcome) = Outcome::of(history) {
        let confusion = history.confusion(outcome.confusion);
        if !confusion.is_empty() {
            section("Confusion matrix", matrix(history, &outcome, &confusion));
            section("Metrics of each class", class_table(history, &confusion));
        }
        section("Worst mistakes", mistake_table(history, &outcome, &places));
    }
    section("Epochs", epochs(history));
    section("Timing", timing_tables(run));
    if let Some(started) = &history.started {
        section("Settings", setting_list(&settings::rows(started, &places)));
        let mut table = Table::new(["", "value"], 0..0);
        for (name, value) in settings::environment_rows(started, &history.systems, &places) {
            table.row([name, &value]);
        }
        section("Environment", table.text());
    }
    section("Messages", messages(history, &places));
    if history.started.is_some() {
        let mut commands = String::new();
        for (sentence, command) in settings::command_lines(history, run.folder, &places) {
            let _ = writeln!(commands, "{sentence}\n\n{}", code("sh", &command));
        }
        if !commands.is_empty() {
            commands.insert_str(
                0,
                "Paths are relative to the folder in which the run was started.\n\n",
            );
        }
        section("Commands", commands);
    }
    if history.damaged > 0 {
        let _ = writeln!(
            text,
            "{} damaged lines of the events file were skipped.\n",
            history.damaged
        );
    }
}

fn write_comparison(text: &mut String, runs: &[NamedRun]) {
    if runs.is_empty() {
        return;
    }
    let names = runs.iter().map(|run| short(run.name));
    let head: Vec<String> = [String::new()].into_iter().chain(names).collect();
    let columns = head.len();
    let mut table = Table::new(head.clone(), 1..columns);
    let mut row = |name: &str, values: Vec<String>| {
        table.row([name.to_owned()].into_iter().chain(values));
    };
    let words = runs.iter().map(|run| run.state().name().to_owned());
    row("state", words.collect());
    for comparison::Row {
        name, values, text, ..
    } in comparison::results(runs)
    {
        if values.iter().any(Option::is_some) {
            let shown = |value: &Option<f64>| value.map_or_else(String::new, text);
            row(name, values.iter().map(shown).collect());
        }
    }
    let done = runs.iter().map(|run| summary::epochs(run.history));
    row("epochs", done.collect());
    let _ = writeln!(text, "## Comparison\n\n{}", table.text().trim_end());
    let differences = comparison::differences(runs);
    let mut table = Table::new(head, 0..0);
    for (name, values) in &differences {
        let values = values.iter().map(|value| value.clone().unwrap_or_default());
        table.row([name.clone()].into_iter().chain(values));
    }
    match differences.is_empty() {
        true => text.push_str("All settings are equal.\n\n"),
        false => {
            let _ = writeln!(text, "Settings that differ:\n\n{}", table.text().trim_end());
        }
    }
    let histories: Vec<&History> = runs.iter().map(|run| run.history).collect();
    let drawn = plots(comparison::figures(runs), curves::across(&histories));
    if !drawn.is_empty() {
        let _ = writeln!(text, "## Curves\n\n{}\n", drawn.trim_end());
    }
}

fn run_curves(history: &History) -> String {
    let metrics = curves::metrics(&[history]);
    let figures = metrics
        .iter()
        .filter_map(|metric| curves::metric_figure(history, metric));
    plots(figures, curves::across(&[history]))
}

fn plots(figures: impl IntoIterator<Item = Figure>, across: Across) -> String {
    let mut text = String::new();
    for figure in figures {
        if let Some(plot) = plot::plot(&figure, across) {
            let _ = writeln!(
                text,
                "**{}**\n\n{}",
                escaped(&figure.title),
                code("text", &plot)
            );
        }
    }
    text
}

fn metrics(history: &History) -> String {
    let columns = summary::score_columns(history);
    if columns.is_empty() {
        return String::new();
    }
    let titles = columns.iter().map(|(title, ..)| title.clone());
    let head: Vec<String> = ["metric".to_owned()].into_iter().chain(titles).collect();
    let right = 1..head.len();
    let mut table = Table::new(head, right);
    for name in summary::score_names(history, &columns) {
        let values = columns.iter().map(|column| {
            let value = summary::score(history, column, &name);
            value.map_or_else(String::new, |value| figure(&name, value))
        });
        table.row([metric_name(&name)].into_iter().chain(values));
    }
    let interval = summary::interval(history).map(|interval| {
        format!("The {interval} is the Wilson confidence interval of the test accuracy.\n")
    });
    table.text() + &interval.unwrap_or_default()
}

fn matrix(history: &History, outcome: &Outcome, confusion: &Confusion) -> String {
    let mut text = format!("On the {}.\n\n", outcome.images());
    let name = |class: usize| short(&history.class_name(class));
    let classes = &confusion.classes;
    if classes.len() <= MATRIX {
        text += "Rows are true classes, columns are predicted classes.\n\n";
        let names = classes.iter().map(|&class| name(class));
        let head: Vec<String> = [String::new()].into_iter().chain(names).collect();
        let right = 1..head.len();
        let mut table = Table::new(head, right);
        for (row, &class) in classes.iter().enumerate() {
            let counts = (0..classes.len()).map(|column| {
                let images = confusion.count(row, column);
                match images {
                    0 => String::new(),
                    images => count(images),
                }
            });
            table.row([name(class)].into_iter().chain(counts));
        }
        text += &table.text();
    }
    let pairs = confusion.worst(classes::PAIRS);
    if pairs.is_empty() {
        return text + "Every image was classified correctly.\n";
    }
    let head = [
        "true class",
        "predicted class",
        "images",
        "share of the class",
    ];
    let mut table = Table::new(head, 2..4);
    for (row, column, images) in pairs {
        let [class, likeliest] = [row, column].map(|place| name(confusion.classes[place]));
        let share = percent(confusion.share(row, column));
        table.row([class, likeliest, count(images), share]);
    }
    text + "Most frequent confusions:\n\n" + &table.text()
}

fn class_table(history: &History, confusion: &Confusion) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "undefined".to_owned(), percent);
    let head = ["class", "precision", "recall", "F1", "images"];
    let mut table = Table::new(head, 1..5);
    let classes = &confusion.classes;
    for (row, &class) in classes.iter().enumerate().take(MOST_CLASSES) {
        let scores = confusion.scores(row);
        table.row([
            short(&history.class_name(class)),
            share(scores.precision),
            share(scores.recall),
            share(scores.f1),
            count(scores.images),
        ]);
    }
    let left_out = classes.len().saturating_sub(MOST_CLASSES);
    match left_out {
        0 => table.text(),
        left_out => format!("{}{left_out} more classes are not shown.\n", table.text()),
    }
}

fn mistake_table(history: &History, outcome: &Outcome, places: &RelativePaths) -> String {
    if outcome.mistakes.is_empty() {
        return String::new();
    }
    let head = ["file", "true class", "predicted class", "probability"];
    let mut table = Table::new(head, 3..4);
    for mistake in outcome.mistakes.iter().take(mistakes::MOST) {
        table.row([
            mistakes::file(history, mistake, places),
            short(&history.class_name(mistake.class)),
            short(&history.class_name(mistake.likeliest)),
            percent(mistake.confidence),
        ]);
    }
    format!("On the {}.\n\n{}", outcome.images(), table.text())
}

fn epochs(history: &History) -> String {
    if history.epochs.is_empty() {
        return String::new();
    }
    let (head, rows) = timing::epoch_rows(history);
    let right = 0..head.len() - 1;
    let mut table = Table::new(head, right);
    for row in rows {
        table.row(row.cells);
    }
    table.text()
}

fn timing_tables(run: &NamedRun) -> String {
    let history = run.history;
    let mut text = String::new();
    let rows = timing::session_rows(history, run.is_running);
    if !rows.is_empty() {
        let head = [
            "session started",
            "pause before",
            "from step",
            "duration",
            "end",
        ];
        let mut table = Table::new(head, 1..4);
        rows.into_iter().for_each(|row| table.row(row));
        text += &table.text();
    }
    if let Some(mean) = history.mean_speed() {
        let mut table = Table::new(["average step", "time", "share"], 1..3);
        for (name, seconds, share) in timing::parts(&mean) {
            let share = share.map_or_else(String::new, percent);
            table.row([name.to_owned(), timing::milliseconds(seconds), share]);
        }
        text += &table.text();
    }
    let speeds = machine::figures(history).into_iter();
    let speeds = speeds.filter(|figure| figure.title == "speed");
    text + &plots(speeds, curves::across(&[history]))
}

/// Returns settings in TOML syntax.
fn setting_list(rows: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut before = None;
    for (path, value) in rows.iter().filter(|(_, value)| value != "null") {
        let table = settings::table_of(path);
        if let Some(table) = table
            && before != Some(table)
        {
            let _ = writeln!(text, "\n[{table}]");
        }
        before = table;
        let name = path.rsplit('.').next().unwrap_or(path);
        let _ = writeln!(text, "{name} = {value}");
    }
    match text.is_empty() {
        true => text,
        false => code("toml", text.trim()),
    }
}

fn messages(history: &History, places: &RelativePaths) -> String {
    let messages = &history.messages;
    let left_out = messages.len().saturating_sub(settings::MOST_MESSAGES);
    let mut text = match left_out {
        0 => String::new(),
        left_out => format!("{left_out} earlier messages are not shown.\n\n"),
    };
    for message in &messages[left_out..] {
        let word = match message.level {
            Level::Info => settings::level(message.level).to_owned(),
            level => format!("**{}**", settings::level(level)),
        };
        let said = shortened(&places.text(message.text.trim()));
        let at = duration(message.seconds);
        let _ = writeln!(text, "- {at} {word}: {}", escaped(&said));
    }
    text
}
