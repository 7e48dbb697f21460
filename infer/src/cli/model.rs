//! Selects the model for prediction.

use std::path::Path;

use command_line::started::with_commands;
use command_line::{Candidates, Choice, terminal, voice};
use saved_models::foreign::{Import, import};
use saved_models::{DESCRIPTION_FILE, SavedModel};
use serde::Serialize;

use super::arguments::Arguments;

/// Values of `--run` that are not the folder or name of a run.
const BEST: &str = "best";
const NEWEST: &str = "newest";
const SHIPPED: &str = "shipped";

/// Origin of the selected model and the reason for selecting it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Source {
    /// `run`, `shipped` or `weights`.
    pub kind: &'static str,
    /// Folder of the run, or path of the weights file.
    pub path: Option<String>,
    /// Short reason: [`command_line::Why::name`], or `named`.
    pub reason: &'static str,
    /// Reason in words; `None` if the user named the model.
    pub why: Option<String>,
    /// Naming scheme of the tensors in a weights file, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<&'static str>,
    /// Assumptions made about a weights file and its ignored parts, as sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Runs excluded from the comparison because their models are damaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
}

/// A run excluded from the comparison.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Skipped {
    pub run: String,
    pub reason: String,
}

impl Source {
    fn named(kind: &'static str, path: Option<&Path>) -> Self {
        Self {
            kind,
            path: path.map(|path| path.display().to_string()),
            reason: "named",
            why: None,
            layout: None,
            notes: Vec::new(),
            skipped: Vec::new(),
        }
    }
}

/// Opens the weights or the run that the user named, or the model that `--run` selects, and returns
/// it with its origin.
pub(crate) fn open_model(arguments: &Arguments) -> anyhow::Result<(SavedModel, Source)> {
    let downloaded = arguments.pretrained.map(terminal::fetch).transpose()?;
    if let Some(file) = arguments.weights.as_ref().or(downloaded.as_ref()) {
        let options = arguments.weights_flags.options(arguments.model.clone());
        let Import {
            saved,
            layout,
            notes,
            ..
        } = import(file, &options)?;
        // Speed does not depend on the notes.
        if !arguments.benchmark.bench {
            for note in &notes {
                voice::warn(note);
            }
        }
        let source = Source {
            layout: Some(layout),
            notes,
            ..Source::named("weights", Some(file))
        };
        return Ok((saved, source));
    }
    let runs_dir = &arguments.runs_dir;
    let run = arguments.run.as_deref().unwrap_or(Path::new(BEST));
    let choice = match run.to_str() {
        Some(BEST) => Candidates::in_folder(runs_dir)?.best()?,
        Some(NEWEST) => Candidates::in_folder(runs_dir)?.newest()?,
        Some(SHIPPED) => {
            note_hidden_run(run, runs_dir);
            return Ok((SavedModel::shipped()?, Source::named("shipped", None)));
        }
        _ => {
            let folder = command_line::find_run(run, runs_dir)?;
            return Ok((
                SavedModel::open(&folder)?,
                Source::named("run", Some(&folder)),
            ));
        }
    };
    if arguments.run.is_some() {
        note_hidden_run(run, runs_dir);
    }
    Ok(chosen(choice))
}

fn chosen(choice: Choice) -> (SavedModel, Source) {
    let Choice {
        saved,
        folder,
        why,
        skipped,
    } = choice;
    let kind = match folder {
        Some(_) => "run",
        None => "shipped",
    };
    let skipped = skipped.into_iter().map(|skipped| Skipped {
        run: skipped.folder.display().to_string(),
        reason: skipped.reason,
    });
    let source = Source {
        reason: why.name(),
        why: Some(with_commands(&why.to_string()).into_owned()),
        skipped: skipped.collect(),
        ..Source::named(kind, folder.as_deref())
    };
    (saved, source)
}

/// Explains how to name a run whose name is also a choice of `--run`.
fn note_hidden_run(name: &Path, runs_dir: &Path) {
    let folder = runs_dir.join(name);
    if folder.join(DESCRIPTION_FILE).is_file() {
        let (name, folder) = (name.display(), folder.display());
        let text = format!("--run {name} chooses a model; the run of that name is --run {folder}");
        voice::warn(&text);
    }
}
