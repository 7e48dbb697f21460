//! Summary of a run without events, from its settings and from the files of older programs that did
//! not write events.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::CONFIG;
use super::summary::{RunState, RunSummary};

/// Maximum size of the files read here; valid files are smaller.
const LARGEST: u64 = 1 << 24;

/// The relevant part of `config.toml`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    data: Option<String>,
    model: Option<String>,
    device: Option<String>,
    epochs: Option<usize>,
    seed: Option<u64>,
}

/// The relevant part of `checkpoint/latest.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Checkpoint {
    history: Vec<Scored>,
    seconds: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Scored {
    validation: Scores,
    averaged: Option<Scores>,
}

/// Metrics of a set of images.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Scores {
    accuracy: Option<f64>,
    loss: Option<f64>,
}

/// Adds the settings, and the time they were written, which is when a run starts.
pub(super) fn fill(summary: &mut RunSummary) {
    let path = summary.folder.join(CONFIG);
    let settings: Settings = text(&path)
        .and_then(|text| toml::from_str(&text).ok())
        .unwrap_or_default();
    summary.data = settings.data;
    summary.model = settings.model;
    // The settings do not show which device `auto` became.
    summary.device = settings.device.filter(|device| device != "auto");
    summary.epochs = settings.epochs;
    summary.seed = settings.seed;
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
    let written = written.ok().and_then(|time| Timestamp::try_from(time).ok());
    let seconds = written.and_then(|time| Timestamp::from_second(time.as_second()).ok());
    summary.started = seconds.map(|time| time.to_string());
}

/// Summarizes a run without events. A run that was tested has finished.
pub(super) fn summary(name: String, folder: &Path, is_running: bool) -> RunSummary {
    let test: Option<Scores> = json(&folder.join("test.json"));
    let state = match (is_running, &test) {
        (true, _) => RunState::Running,
        (false, Some(_)) => RunState::Finished,
        (false, None) => RunState::Unknown,
    };
    let mut summary = RunSummary::empty(name, folder, state);
    fill(&mut summary);
    if let Some(test) = test {
        summary.test_accuracy = test.accuracy;
        summary.test_loss = test.loss;
    }
    let checkpoint: Option<Checkpoint> = json(&folder.join("checkpoint/latest.json"));
    if let Some(Checkpoint { history, seconds }) = checkpoint {
        summary.seconds = seconds;
        summary.epochs_done = history.len();
        let has_average = history.iter().any(|epoch| epoch.averaged.is_some());
        let scores = history.iter().enumerate().filter_map(|(place, epoch)| {
            let scores = match has_average {
                true => epoch.averaged?,
                false => epoch.validation,
            };
            Some((place + 1, scores.accuracy?, scores.loss))
        });
        // Among equal accuracies, the first with the lowest loss is the best.
        let best = scores.reduce(|best, next| {
            let is_better = next.1 > best.1 || (next.1 == best.1 && next.2 < best.2);
            if is_better { next } else { best }
        });
        if let Some((epoch, accuracy, loss)) = best {
            summary.kept_epoch = Some(epoch);
            summary.accuracy = Some(accuracy);
            summary.loss = loss;
        }
    } else if let Some(model) = json::<Value>(&folder.join("model.json")) {
        summary.accuracy = model
            .pointer("/accuracy/validation")
            .and_then(Value::as_f64);
    }
    // The settings may leave the network to the weights that the run starts from.
    if summary.model.is_none() {
        let model = json::<Value>(&folder.join("model.json"));
        let name = model.as_ref().and_then(|model| model["model"].as_str());
        summary.model = name.map(str::to_owned);
    }
    summary
}

fn json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&text(path)?).ok()
}

/// Returns the text of a file, or `None` if it is missing or too large.
fn text(path: &Path) -> Option<String> {
    files::read_text(path, LARGEST).ok()
}
