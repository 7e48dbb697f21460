//! `train study`: shows why residual networks have shortcuts.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use command_line::voice::{self, OutputError, talk, warn};
use command_line::{console, terminal};
use device::{SelectedDevice, Task};
use files::{check_output, write_output};
use indicatif::{ProgressBar, ProgressStyle};
use model::ResidualBackend;
use train::study::{Curve, Degradation, GradientProfile, Gradients};
use train::{Outcome, Plan, RunFolder, Stream, TrainConfig, TrainError};

use crate::cli::about::about;
use crate::cli::arguments::study::{DegradationArguments, GradientArguments, StudyCommand};
use crate::cli::display::log_file::log_to;
use crate::cli::display::signals::Signals;
use crate::cli::display::ui::Shown;
use crate::cli::display::unreadable::{UnreadableNews, passed_over, tell_reading};
use crate::cli::prepare::{WrongFlag, load, make_absolute, resolve};
use crate::cli::training::Train;

/// Folder of the runs in a study's output.
const RUNS: &str = "runs";

pub(crate) fn run(command: &StudyCommand, signals: &Signals) -> anyhow::Result<ExitCode> {
    match command {
        StudyCommand::Degradation(arguments) => degradation(arguments, signals),
        StudyCommand::Gradients(arguments) => gradients(arguments),
    }
}

fn degradation(arguments: &DegradationArguments, signals: &Signals) -> anyhow::Result<ExitCode> {
    let output = &arguments.output;
    let base = arguments
        .common
        .over(Degradation::recipe())
        .with_epochs(arguments.epochs)
        .with_lr(Some(arguments.lr))
        .with_runs_dir(output.join(RUNS));
    let base = checked(base)?;
    let study = Degradation {
        depths: arguments.depths.clone(),
        base,
    };
    let runs = study.runs().map_err(wrong_depth)?;
    let device = resolve(&study.base)?;
    talk(&format!("device: {device}"));
    terminal::fetch_data(&study.base.data, study.base.data_dir.as_deref())?;
    create(output, "degradation.md")?;

    let mut curves = Vec::new();
    for (name, config) in runs {
        talk("");
        let (plan, folder) = begin(&name, config)?;
        if curves.is_empty() {
            log_to(&output.join("experiment.log"), None)?;
        }
        let Some(curve) = train(&device, &name, plan, &folder, signals)? else {
            talk(&format!(
                "stopped in {name}, everything is saved; repeat the command to continue"
            ));
            return Ok(ExitCode::from(console::INTERRUPTED));
        };
        curves.push(curve);
        // Written after each network, so that results can be inspected early.
        write(output, "degradation.csv", &Degradation::values(&curves))?;
        write(output, "degradation.md", &study.table(&curves))?;
        write(output, "degradation.svg", &study.chart(&curves).svg())?;
    }
    conclude(output, "degradation", &study.table(&curves))?;
    Ok(ExitCode::SUCCESS)
}

/// Creates the run of a network, or opens the one that was started earlier.
fn begin(name: &str, config: TrainConfig) -> anyhow::Result<(Arc<Plan>, RunFolder)> {
    let path = config.runs_dir.join(name);
    if !path.join("config.toml").is_file() {
        let plan = load(config, None)?;
        let folder = plan.create_folder()?;
        return Ok((plan, folder));
    }
    let (folder, begun) = RunFolder::open(path)?;
    if !is_same(&begun, &config) {
        return Err(TrainError::OtherSettings {
            path: folder.path().to_owned(),
        }
        .into());
    }
    // Settings that may change on resume take their new values.
    let going_on = begun
        .with_data_dir(config.data_dir)
        .with_threads(config.threads)
        .with_device(config.device)
        .with_runs_dir(config.runs_dir);
    Ok((load(going_on, Some(&folder))?, folder))
}

/// Trains a network; returns `None` if it was stopped.
fn train(
    device: &SelectedDevice,
    name: &str,
    plan: Arc<Plan>,
    folder: &RunFolder,
    signals: &Signals,
) -> anyhow::Result<Option<Curve>> {
    let stop = signals.training_starts();
    let stream = Stream::open(folder, about(device), stop.clone())?;
    let outcome = device.run(Train {
        plan,
        folder,
        stop,
        stream,
        shown: Shown::Lines,
        prints_result: false,
    })?;
    Ok(match outcome {
        Outcome::Finished(finished) => Some(Curve {
            network: name.to_owned(),
            history: finished.history,
        }),
        Outcome::Interrupted(_) => None,
    })
}

/// Returns whether two runs have the same result: device, threads and folders may differ.
fn is_same(begun: &TrainConfig, config: &TrainConfig) -> bool {
    let same = begun
        .clone()
        .with_data_dir(config.data_dir.clone())
        .with_threads(config.threads)
        .with_device(config.device)
        .with_runs_dir(config.runs_dir.clone())
        .with_image_size(begun.side());
    let config = config.clone().with_image_size(config.side());
    same == config
}

fn gradients(arguments: &GradientArguments) -> anyhow::Result<ExitCode> {
    let output = &arguments.output;
    let study = Gradients {
        depths: arguments.depths.clone(),
        batches: arguments.batches.get(),
        base: checked(arguments.common.over(Gradients::recipe()))?,
    };
    let networks = study.networks().map_err(wrong_depth)?;
    let device = resolve(&study.base)?;
    talk(&format!("device: {device}"));
    terminal::fetch_data(&study.base.data, study.base.data_dir.as_deref())?;
    create(output, "gradients.md")?;

    let mut unreadable = None;
    let mut profiles = Vec::new();
    for config in networks {
        let plan = Arc::new(Plan::new(config, &|_| {})?);
        let is_first = unreadable.is_none();
        let news = unreadable.get_or_insert_with(|| UnreadableNews::new(&plan.data));
        let passed_over = is_first
            .then(|| passed_over(&plan.data.passed_over))
            .flatten();
        if is_first {
            tell_reading(&plan.data.reading);
        }
        for line in passed_over.into_iter().chain(news.lines()) {
            warn(&line);
        }
        profiles.push(device.run(Measure {
            study: &study,
            plan,
        })?);
    }
    let table = Gradients::table(&profiles);
    let printed = voice::print(table.trim_end());
    write(output, "gradients.csv", &Gradients::values(&profiles))?;
    write(output, "gradients.md", &table)?;
    write(output, "gradients.svg", &study.chart(&profiles).svg())?;
    tell_chart(output, "gradients");
    printed?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the measurement on the device's backend.
struct Measure<'a> {
    study: &'a Gradients,
    plan: Arc<Plan>,
}

impl Task for Measure<'_> {
    type Output = Result<GradientProfile, TrainError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} batches")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::new(self.study.batches as u64).with_style(style);
        bar.set_message(self.plan.model.clone());
        let profile = self
            .study
            .measure::<B>(&self.plan, &device, &mut || bar.inc(1));
        bar.finish_and_clear();
        profile
    }
}

fn checked(mut config: TrainConfig) -> anyhow::Result<TrainConfig> {
    config.validate().map_err(WrongFlag::from)?;
    make_absolute(&mut config)?;
    Ok(config)
}

fn wrong_depth(error: model::UnknownNetwork) -> WrongFlag {
    WrongFlag::from(train::ConfigError::OutOfRange {
        key: "depths",
        value: error
            .name
            .trim_start_matches(char::is_alphabetic)
            .to_owned(),
        range: "of the form 6n+2, such as 8, 14, 20 or 56",
    })
}

/// Creates the folder of a study and checks that a file in it can be written, before the long work.
fn create(folder: &Path, name: &str) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(|source| TrainError::Io {
        action: "create",
        path: folder.to_owned(),
        source,
    })?;
    let path = folder.join(name);
    check_output(&path).map_err(|source| TrainError::Io {
        action: "write",
        path,
        source,
    })
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), TrainError> {
    let path = folder.join(name);
    write_output(&path, text.as_bytes()).map_err(|source| TrainError::Io {
        action: "write",
        path,
        source,
    })
}

fn conclude(folder: &Path, name: &str, table: &str) -> Result<(), OutputError> {
    let printed = voice::print(table.trim_end());
    tell_chart(folder, name);
    printed
}

fn tell_chart(folder: &Path, name: &str) {
    talk(&format!(
        "chart: {}",
        folder.join(name).with_extension("svg").display()
    ));
}
