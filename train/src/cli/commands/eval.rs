//! `train eval`: evaluates a model.

use std::path::{Path, PathBuf};

use command_line::voice::{self, talk, warn};
use data::Source;
use device::Task;
use files::printable_json;
use model::ResidualBackend;
use saved_models::Views;
use serde_json::Value;
use train::{Evaluation, EvaluationPlan, EvaluationSettings, MatchedBy, TrainError};

use crate::cli::arguments::eval::EvalArguments;
use crate::cli::commands::eval_report::{Making, Report};
use crate::cli::commands::subject::{Subject, load};
use crate::cli::destination::Destination;
use crate::cli::display::bar::image_bar;
use crate::cli::display::unreadable::{UnreadableNews, passed_over, reasons};
use crate::cli::prepare::resolve;

pub(crate) fn run(arguments: &EvalArguments) -> anyhow::Result<()> {
    let flags = arguments.subject.checked()?.with_device(arguments.device);
    let Subject {
        saved,
        settings,
        has_seed,
        path,
        output_folder,
    } = Subject::of(&arguments.subject, |config| {
        config.flip_test = arguments.flip_test.unwrap_or(config.flip_test);
        config.shift_test = arguments.shift_test.unwrap_or(config.shift_test);
    })?;
    let settings = settings.with_part(arguments.split);
    let device = resolve(&flags)?;
    let destination = arguments.output.as_deref().map(Destination::of);
    if let Some(destination) = &destination {
        destination.check()?;
    }
    let model = path.display().to_string();
    talk(&format!("device: {device}"));
    talk(&format!("model: {} ({model})", saved.description.model));
    let plan = load(saved, settings)?;
    if plan.is_split_by_seed && !has_seed {
        let seed = plan.settings.seed;
        warn(&format!(
            "images are split by seed {seed}; --seed changes it"
        ));
    }
    if plan.matched_by == MatchedBy::Position {
        warn("classes are matched by position");
    }
    let making = Making::of(&plan.settings);
    // Checked before the long work. A result that cannot be saved in the run's folder is still printed.
    let in_run = |folder: PathBuf| free_path(&folder, &name(&plan.settings), &making);
    let destination = match (destination, output_folder.map(in_run)) {
        (None, Some(path)) => {
            let destination = Destination::File(path);
            if let Err(error) = destination.check() {
                warn(&format!(
                    "warning: the result will only be printed: {error}"
                ));
            }
            Some(destination)
        }
        (named, _) => named,
    };
    let evaluation = device.run(Evaluate { plan: &plan })?;
    let found = passed_over(&plan.data.passed_over);
    let unreadable = UnreadableNews::new(&plan.data).lines();
    for line in found.into_iter().chain(unreadable) {
        warn(&line);
    }
    let report = Report {
        model,
        making,
        classes_matched_by: plan.matched_by,
        unreadable: reasons(&plan.data.unreadable),
        passed_over: plan.data.passed_over.clone(),
        reading: plan.data.reading.clone(),
        evaluation,
    };
    let json = serde_json::to_string_pretty(&report)?;
    // Printed before writing, which may fail; a failure to print is reported after that.
    let printed = match arguments.json || destination == Some(Destination::StandardOutput) {
        true => voice::print_json(&json),
        false => voice::print(report.text().trim_end()),
    };
    match destination {
        Some(Destination::StandardOutput) => {}
        Some(destination) => save(&destination, &json)?,
        None => {}
    }
    Ok(printed?)
}

/// Saves the result to a file.
fn save(destination: &Destination, json: &str) -> anyhow::Result<()> {
    destination.write((printable_json(json) + "\n").as_bytes())?;
    if let Destination::File(path) = destination {
        talk(&format!("saved: {}", path.display()));
    }
    Ok(())
}

/// Returns the name of the JSON file without its ending.
fn name(settings: &EvaluationSettings) -> String {
    let data = match &settings.data {
        Source::Folder(path) => folder_name(path),
        named => named.to_string(),
    };
    let Views { flip, shift, .. } = settings.views;
    let mut name = format!("eval-{data}-{}", settings.part.name());
    for (is_used, view) in [(flip, "-flip"), (shift, "-shift")] {
        if is_used {
            name += view;
        }
    }
    name
}

fn folder_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(|| "folder".to_owned(), |name| name.into_owned())
}

/// Returns the path of the JSON file. It replaces only a result of an identical evaluation, because folders of images
/// may have the same name.
fn free_path(folder: &Path, name: &str, making: &Making) -> PathBuf {
    let mut path = folder.join(format!("{name}.json"));
    let mut number = 2;
    while holds_another(&path, making) {
        path = folder.join(format!("{name}-{number}.json"));
        number += 1;
    }
    path
}

/// Returns whether the file holds a different evaluation. Settings that an older version did not record are ignored.
fn holds_another(path: &Path, making: &Making) -> bool {
    let Ok(bytes) = files::read_file(path, files::MAX_DOCUMENT_BYTES) else {
        return false;
    };
    let earlier: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let Ok(Value::Object(making)) = serde_json::to_value(making) else {
        return false;
    };
    let differs = |(key, value)| earlier.get(key).is_some_and(|earlier| earlier != value);
    making.iter().any(differs)
}

struct Evaluate<'a> {
    plan: &'a EvaluationPlan,
}

impl Task for Evaluate<'_> {
    type Output = Result<Evaluation, TrainError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let bar = image_bar(self.plan.images());
        bar.set_message("evaluating");
        let evaluation = self
            .plan
            .run::<B>(&device, &mut |done| bar.set_position(done as u64));
        bar.finish_and_clear();
        evaluation
    }
}
