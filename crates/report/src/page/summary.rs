//! Top of the page: the run's name, state, key figures and warnings.

use events::{Axis, History, Metrics, Split, Started, State, accuracy_interval, alerts};
use maud::{Markup, html};

use super::NamedRun;
use super::format::{count, duration, figure, moment, number, percent, short, shortened};
use super::outcome::Outcome;
use crate::places::RelativePaths;

/// Longer values are shown in a smaller font.
const LONG: usize = 12;

/// A key figure with its name.
pub(super) struct Key {
    pub name: &'static str,
    pub value: String,
    /// What the figure refers to.
    pub note: String,
}

pub(super) fn state(run: &NamedRun) -> Markup {
    let word = run.state().name();
    let class = match word {
        "crashed" => "failed",
        word => word,
    };
    html! { span class={ "state " (class) } { (word) } }
}

/// Returns a line with network, data and start time.
pub(super) fn subtitle(history: &History, places: &RelativePaths) -> String {
    let Some(started) = &history.started else {
        return "the start of this run was not recorded".to_owned();
    };
    let [model, data] = [&started.model, &started.data].map(|name| short(&places.value(name)));
    format!("{model} on {data}, started {}", moment(&started.at))
}

pub(super) fn key_figures(run: &NamedRun) -> Markup {
    html! {
        dl class="keys" {
            @for key in keys(run) {
                div class="card" {
                    dt { (key.name) }
                    dd class=[(key.value.chars().count() > LONG).then_some("long")] { (key.value) }
                    @if !key.note.is_empty() { dd class="faint" { (key.note) } }
                }
            }
        }
    }
}

pub(super) fn keys(run: &NamedRun) -> Vec<Key> {
    let history = run.history;
    let mut keys = Vec::new();
    let mut push = |name, value, note| keys.push(Key { name, value, note });
    if let Some(tested) = &history.tested {
        if let Some(accuracy) = tested.metrics.get("accuracy") {
            let interval = interval(history).map(|interval| format!(", {interval}"));
            let note = format!(
                "model of epoch {}{}",
                tested.epoch,
                interval.unwrap_or_default()
            );
            push("test accuracy", percent(accuracy), note);
        }
        if let Some(loss) = tested.metrics.get("loss") {
            push("test loss", number(loss), "cross entropy".to_owned());
        }
    }
    if let Some((epoch, accuracy)) = best(history, "accuracy") {
        push("best validation accuracy", percent(accuracy), epoch);
    }
    if let Some((epoch, loss)) = best(history, "loss") {
        push("best validation loss", number(loss), epoch);
    }
    push(
        "epochs",
        epochs(history),
        format!("{} steps", count(history.step() as u64)),
    );
    push("time", duration(history.seconds()), time_note(run));
    if let Some(started) = &history.started {
        let parameters = count(started.parameters as u64);
        push("parameters", parameters, short(&started.model));
        push("device", short(&started.device), threads(started));
    }
    keys
}

/// Formats the confidence interval of the test accuracy, such as "95 % interval 90.37 to 93.71 %".
pub(super) fn interval(history: &History) -> Option<String> {
    let [correct, images] = history.tested.as_ref()?.counts();
    let [low, high] = accuracy_interval(correct, images)?;
    Some(format!(
        "95 % interval {:.2} to {:.2} %",
        100.0 * low,
        100.0 * high
    ))
}

/// Returns the best validation figure, of the average if one is kept, and its epoch, or `None` if
/// no images are held back.
pub(super) fn best(history: &History, metric: &str) -> Option<(String, f64)> {
    if history.scores_on_test() {
        return None;
    }
    let (epoch, split, figure) = history.best_score(metric)?;
    let of = if split == Split::Average {
        ", average"
    } else {
        ""
    };
    Some((format!("epoch {}{of}", epoch.epoch), figure))
}

/// Formats the number of finished epochs, and of planned ones.
pub(super) fn epochs(history: &History) -> String {
    let done = count(history.epochs_done() as u64);
    match &history.started {
        Some(started) => format!("{done} of {}", count(started.epochs as u64)),
        None => done,
    }
}

fn time_note(run: &NamedRun) -> String {
    let left = run.history.seconds_left().filter(|_| run.is_running);
    if let Some(left) = left {
        return format!("about {} left", duration(left));
    }
    match run.history.sittings.len() {
        0 | 1 => String::new(),
        sessions => format!("in {sessions} sessions"),
    }
}

/// Formats the number of threads, unless the device's name contains it.
fn threads(started: &Started) -> String {
    match started.threads {
        _ if started.device.contains("thread") => String::new(),
        0 => String::new(),
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    }
}

/// Returns warnings about the run, as far as problems are visible.
pub(super) fn warnings(run: &NamedRun, places: &RelativePaths) -> Vec<String> {
    let history = run.history;
    let mut warnings: Vec<String> = alerts(history)
        .into_iter()
        .map(|alert| alert.text)
        .collect();
    if let Some(reason) = history.ended().and_then(|ended| ended.reason.as_ref()) {
        let reason = shortened(&places.text(reason.trim()));
        warnings.insert(0, format!("the run failed: {reason}"));
    }
    if run.state() == State::Crashed && history.extent(Axis::Step) > 0.0 {
        warnings.insert(
            0,
            format!(
                "the program ended unexpectedly after step {}",
                history.step()
            ),
        );
    }
    warnings
}

pub(super) fn warning_list(run: &NamedRun, places: &RelativePaths) -> Markup {
    let warnings = warnings(run, places);
    html! {
        @if !warnings.is_empty() {
            ul class="warnings" {
                @for warning in warnings { li { (warning) } }
            }
        }
    }
}

/// A title, the split, and its metrics.
pub(super) type ScoreColumn<'a> = (String, Split, &'a Metrics);

/// Returns the metrics of the test, of the kept epoch and of the last epoch.
pub(super) fn score_columns(history: &History) -> Vec<ScoreColumn<'_>> {
    let mut columns = Vec::new();
    if let Some(tested) = &history.tested {
        columns.push(("test".to_owned(), Split::Validation, &tested.metrics));
    }
    let kept = history.kept();
    for (word, epoch) in [("kept", kept), ("last", history.epochs.last())] {
        let Some(epoch) = epoch else { continue };
        if word == "last" && kept.is_some_and(|kept| kept.epoch == epoch.epoch) {
            continue;
        }
        let at = format!("{word} epoch {}", epoch.epoch);
        if let Some(average) = &epoch.average {
            columns.push((format!("average, {at}"), Split::Average, average));
        }
        let scored = history.name_of(Split::Validation);
        columns.push((
            format!("{scored}, {at}"),
            Split::Validation,
            &epoch.validation,
        ));
        columns.push((format!("train, {at}"), Split::Train, &epoch.train));
    }
    columns
}

/// Returns a figure of a column, or `None` if the split defines it differently, so that each row
/// has one definition, as in a chart.
pub(super) fn score(
    history: &History,
    (_, split, metrics): &ScoreColumn,
    name: &str,
) -> Option<f64> {
    metrics.get(history.figure_in(*split, name)?)
}

/// Returns the names of the metrics in the columns.
pub(super) fn score_names(history: &History, columns: &[ScoreColumn]) -> Vec<String> {
    let mut names = super::curves::metrics(&[history]);
    names.retain(|name| {
        columns
            .iter()
            .any(|column| score(history, column, name).is_some())
    });
    names
}

pub(super) fn scores(history: &History) -> Markup {
    let columns = score_columns(history);
    let names = score_names(history, &columns);
    html! {
        @if !columns.is_empty() {
            div class="scroll" {
                table class="scores" {
                    thead {
                        tr { th {} @for (title, ..) in &columns { th scope="col" { (title) } } }
                    }
                    tbody {
                        @for name in &names {
                            tr {
                                th scope="row" { (super::format::metric_name(name)) }
                                @for column in &columns {
                                    td { @if let Some(value) = score(history, column, name) { (figure(name, value)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns which images the tables of classes and mistakes refer to.
pub(super) fn images(outcome: &Outcome) -> Markup {
    html! { p class="faint" { "On the " (outcome.images()) "." } }
}
