//! `train eval`: evaluates a model.

use std::path::{Path, PathBuf};

use command_line::terminal;
use command_line::voice::{self, talk, warn};
use data::{LoadProgress, Source};
use device::Task;
use files::printable_json;
use model::ResidualBackend;
use saved_models::foreign::import;
use saved_models::{SavedModel, Views};
use serde_json::Value;
use train::{
    ConfigError, Evaluation, EvaluationPlan, EvaluationSettings, MatchedBy, RunFolder, TrainConfig,
    TrainError,
};

use crate::cli::arguments::eval::EvalArguments;
use crate::cli::commands::eval_report::{Making, Report};
use crate::cli::destination::Destination;
use crate::cli::display::bar::image_bar;
use crate::cli::display::unreadable::{UnreadableNews, passed_over, reasons, tell_reading};
use crate::cli::prepare::{WrongFlag, make_absolute, resolve};

pub(crate) fn run(arguments: &EvalArguments) -> anyhow::Result<()> {
    let default = TrainConfig::default();
    let flags = TrainConfig::default()
        .with_device(arguments.device)
        .with_threads(arguments.threads)
        .with_seed(arguments.seed.unwrap_or(default.seed))
        .with_validation(arguments.validation.unwrap_or(default.validation));
    flags.validate().map_err(WrongFlag::from)?;
    let Subject {
        saved,
        settings,
        has_seed,
        path,
        output_folder,
    } = subject(arguments)?;
    let device = resolve(&flags)?;
    let destination = arguments.output.as_deref().map(Destination::of);
    if let Some(destination) = &destination {
        destination.check()?;
    }
    let model = path.display().to_string();
    talk(&format!("device: {device}"));
    talk(&format!("model: {} ({model})", saved.description.model));
    terminal::fetch_data(&settings.data, settings.data_dir.as_deref())?;
    let bar = image_bar(0);
    bar.set_message("loading");
    let progress = |LoadProgress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let plan = EvaluationPlan::new(saved, settings, &progress)?;
    bar.finish_and_clear();
    tell_reading(&plan.data.reading);
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

/// Model to evaluate.
struct Subject {
    saved: SavedModel,
    settings: EvaluationSettings,
    /// Whether a run or a flag gives the seed.
    has_seed: bool,
    /// The run's folder or the weights file.
    path: PathBuf,
    /// The run's folder, in which the result is saved; `None` for a weights file.
    output_folder: Option<PathBuf>,
}

fn subject(arguments: &EvalArguments) -> anyhow::Result<Subject> {
    if let Some(file) = &arguments.weights {
        let options = arguments.weights_flags.options(arguments.model.clone());
        let import = import(file, &options)?;
        let config = RunFolder::config_of(file)?;
        let has_seed = config.is_some() || arguments.seed.is_some();
        let settings = settings(arguments, config, file)?;
        for note in &import.notes {
            warn(note);
        }
        let saved = import.saved;
        return Ok(Subject {
            saved,
            settings,
            has_seed,
            path: file.clone(),
            output_folder: None,
        });
    }
    let folder = match &arguments.run {
        Some(run) => command_line::find_run(run, &arguments.runs_dir)?,
        None => command_line::newest_run(&arguments.runs_dir, saved_models::DESCRIPTION_FILE)?
            .ok_or_else(|| TrainError::NoRuns {
                folder: arguments.runs_dir.clone(),
            })?,
    };
    let saved = SavedModel::open(&folder)?;
    let config = RunFolder::config_of(&folder)?;
    Ok(Subject {
        saved,
        has_seed: config.is_some() || arguments.seed.is_some(),
        settings: settings(arguments, config, &folder)?,
        path: folder.clone(),
        output_folder: Some(folder),
    })
}

/// Returns the settings of the model's run, if it has one, overridden by flags.
fn settings(
    arguments: &EvalArguments,
    run: Option<TrainConfig>,
    model: &Path,
) -> anyhow::Result<EvaluationSettings> {
    if run.is_none() && arguments.data.is_none() {
        let model = model.to_owned();
        return Err(WrongFlag::from(ConfigError::NoData { model }).into());
    }
    let mut config = run.unwrap_or_default();
    if arguments.data.is_some() || arguments.labels.is_some() {
        config.labels = arguments.labels.clone();
    }
    config.data = arguments.data.clone().unwrap_or(config.data);
    config.data_dir = arguments.data_dir.clone().or(config.data_dir);
    config.flip_test = arguments.flip_test.unwrap_or(config.flip_test);
    config.shift_test = arguments.shift_test.unwrap_or(config.shift_test);
    config.seed = arguments.seed.unwrap_or(config.seed);
    config.validation = arguments.validation.unwrap_or(config.validation);
    if config.labels.is_some() && !matches!(config.data, Source::Folder(_)) {
        let data = config.data.to_string();
        return Err(WrongFlag::from(ConfigError::OwnLabels { data }).into());
    }
    config.loader.max_pixels = arguments.max_pixels.or(config.loader.max_pixels);
    make_absolute(&mut config)?;
    Ok(EvaluationSettings::of_run(&config)
        .with_part(arguments.split)
        .with_batch_size(arguments.batch_size))
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
