//! What stands at the top: the run's name, its state, its key figures and what someone should look at.

use events::{Axis, History, Metrics, Split, Started, State, alerts};
use maud::{Markup, html};

use super::NamedRun;
use super::format::{count, duration, figure, moment, number, percent, short, shortened};
use super::outcome::Outcome;

/// Longer values are written smaller.
const LONG: usize = 12;

/// A figure with its name.
struct Key {
    name: &'static str,
    value: String,
    /// A word more about it.
    note: String,
}

pub(super) fn state(run: &NamedRun) -> Markup {
    let (class, text) = match run.history.state(run.is_running) {
        State::Running => ("running", "running"),
        State::Finished => ("finished", "finished"),
        State::Stopped => ("stopped", "stopped"),
        State::Failed => ("failed", "failed"),
        State::Crashed => ("failed", "crashed"),
    };
    html! { span class={ "state " (class) } { (text) } }
}

/// One line: network, data and when it began.
pub(super) fn subtitle(history: &History) -> String {
    let Some(started) = &history.started else {
        return "its start is not known".to_owned();
    };
    let (model, data) = (short(&started.model), short(&started.data));
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

fn keys(run: &NamedRun) -> Vec<Key> {
    let history = run.history;
    let mut keys = Vec::new();
    let mut push = |name, value, note| keys.push(Key { name, value, note });
    if let Some(tested) = &history.tested {
        let note = format!("network of epoch {}", tested.epoch);
        if let Some(accuracy) = tested.metrics.get("accuracy") {
            push("test accuracy", percent(accuracy), note);
        }
        if let Some(loss) = tested.metrics.get("loss") {
            push("test loss", number(loss), "nats".to_owned());
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

/// The best validation figure, of the average if one is kept, and where it was; none if no pictures are held
/// back.
pub(super) fn best(history: &History, metric: &str) -> Option<(String, f64)> {
    if history.scores_on_test() {
        return None;
    }
    let averaged = history.best_of(Split::Average, metric);
    let of = if averaged.is_some() { ", average" } else { "" };
    let (epoch, figure) = averaged.or_else(|| history.best_of(Split::Validation, metric))?;
    Some((format!("epoch {}{of}", epoch.epoch), figure))
}

/// Epochs done of those planned.
pub(super) fn epochs(history: &History) -> String {
    let done = history.epochs.last().map_or(0, |epoch| epoch.epoch);
    match &history.started {
        Some(started) => format!("{} of {}", count(done as u64), count(started.epochs as u64)),
        None => count(done as u64),
    }
}

fn time_note(run: &NamedRun) -> String {
    let left = run.history.seconds_left().filter(|_| run.is_running);
    if let Some(left) = left {
        return format!("about {} left", duration(left));
    }
    match run.history.sittings.len() {
        0 | 1 => String::new(),
        sittings => format!("in {sittings} sittings"),
    }
}

/// Where the device's name does not say it.
fn threads(started: &Started) -> String {
    match started.threads {
        _ if started.device.contains("thread") => String::new(),
        0 => String::new(),
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    }
}

/// What is the matter, if anything is.
pub(super) fn warnings(run: &NamedRun) -> Markup {
    let history = run.history;
    let mut warnings: Vec<String> = alerts(history)
        .into_iter()
        .map(|alert| alert.text)
        .collect();
    let ended = history
        .sittings
        .last()
        .and_then(|sitting| sitting.ended.as_ref());
    if let Some(reason) = ended.and_then(|ended| ended.reason.as_ref()) {
        warnings.insert(0, format!("the run failed: {}", shortened(reason.trim())));
    }
    if history.state(run.is_running) == State::Crashed && history.extent(Axis::Step) > 0.0 {
        warnings.insert(
            0,
            format!(
                "the program ended without a word after step {}",
                history.step()
            ),
        );
    }
    html! {
        @if !warnings.is_empty() {
            ul class="warnings" {
                @for warning in warnings { li { (warning) } }
            }
        }
    }
}

/// Every figure of the test, of the kept epoch and of the last one.
pub(super) fn scores(history: &History) -> Markup {
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
    // A row has figures of one definition, as a chart has.
    let value =
        |split: Split, metrics: &Metrics, name: &str| metrics.get(history.figure_in(split, name)?);
    let names = super::curves::metrics(&[history]);
    let names = names.iter().filter(|name| {
        let mut columns = columns.iter();
        columns.any(|(_, split, metrics)| value(*split, metrics, name).is_some())
    });
    html! {
        @if !columns.is_empty() {
            div class="scroll" {
                table class="scores" {
                    thead {
                        tr { th {} @for (title, ..) in &columns { th scope="col" { (title) } } }
                    }
                    tbody {
                        @for name in names {
                            tr {
                                th scope="row" { (super::format::metric_name(name)) }
                                @for (_, split, metrics) in &columns {
                                    td { @if let Some(value) = value(*split, metrics, name) { (figure(name, value)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the tables of classes are of, if there are any.
pub(super) fn pictures(outcome: &Outcome) -> Markup {
    html! { p class="faint" { "Of the " (outcome.pictures()) "." } }
}
