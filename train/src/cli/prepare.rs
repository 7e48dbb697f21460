//! Preparation of a run: settings, device and data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use command_line::voice::{talk, warn};
use command_line::{environment, terminal};
use data::{LoadProgress, Source};
use device::SelectedDevice;
use model::NetworkPart;
use thiserror::Error;
use train::{ConfigError, Fitting, Plan, RunFolder, TrainConfig};

use crate::cli::arguments::Arguments;
use crate::cli::display::bar::image_bar;
use crate::cli::display::epoch_line::legend;
use crate::cli::display::unreadable::{passed_over, tell_reading};

/// A flag has a value that is out of range: wrong usage, unlike the same value in a file.
#[derive(Debug, Error)]
#[error(transparent)]
pub(crate) struct WrongFlag(#[from] ConfigError);

impl WrongFlag {
    pub(crate) fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

/// Starts the CPU threads, and warns if there are fewer than requested.
pub(crate) fn start_threads(threads: Option<usize>) -> anyhow::Result<()> {
    if let Some(line) = environment::start_threads(threads)? {
        warn(&line);
    }
    Ok(())
}

/// Resolves the device of the settings and starts its threads; prints what `auto` skipped.
pub(crate) fn resolve(config: &TrainConfig) -> anyhow::Result<SelectedDevice> {
    start_threads(config.threads)?;
    let resolution = device::resolve(&config.device)?;
    for skipped in &resolution.skipped {
        talk(&format!("skipped {}: {}", skipped.kind, skipped.reason));
    }
    if let Some(notice) = resolution.device.notice() {
        talk(&notice);
    }
    Ok(resolution.device)
}

/// Returns the settings of a new run, or those of the run to resume with its folder.
pub(crate) fn settle(arguments: Arguments) -> anyhow::Result<(TrainConfig, Option<RunFolder>)> {
    let overrides = &arguments.settings.overrides;
    let (mut config, folder) = match (&arguments.resume, &arguments.config) {
        (Some(run), _) => {
            let default = TrainConfig::default().runs_dir;
            let runs_dir = overrides.text("runs_dir").map_or(default, PathBuf::from);
            let (folder, config) = RunFolder::open(command_line::find_run(run, &runs_dir)?)?;
            let moved = moved_labels(&config, overrides)?;
            let mut resumed = config.with(overrides)?;
            resumed.labels = moved.or(resumed.labels);
            (resumed, Some(folder))
        }
        (None, Some(file)) => (TrainConfig::read(file)?.with(overrides)?, None),
        (None, None) => match &arguments.recipe {
            Some(recipe) => (TrainConfig::recipe(recipe)?.with(overrides)?, None),
            None => (TrainConfig::of_flags(overrides)?, None),
        },
    };
    config.validate().map_err(WrongFlag)?;
    make_absolute(&mut config)?;
    Ok((config, folder))
}

/// Checks that flags change only the location of a run's data. Returns the new path of labels inside the data folder,
/// which move with it.
fn moved_labels(
    config: &TrainConfig,
    overrides: &train::Overrides,
) -> Result<Option<PathBuf>, WrongFlag> {
    let Some(data) = overrides.data() else {
        return Ok(None);
    };
    match (&config.data, data) {
        (Source::Folder(before), Source::Folder(now)) => {
            let labels = config.labels.as_ref().map(|labels| {
                let inside = labels.strip_prefix(before);
                inside.map_or_else(|_| labels.clone(), |inside| now.join(inside))
            });
            Ok(labels.filter(|_| overrides.get("labels").is_none()))
        }
        (before, now) if *before == now => Ok(None),
        (before, now) => Err(WrongFlag(ConfigError::OtherData {
            data: now.to_string(),
            run: before.to_string(),
        })),
    }
}

/// Makes all paths absolute, because a run may be resumed from another folder.
pub(crate) fn make_absolute(config: &mut TrainConfig) -> anyhow::Result<()> {
    if let Some(data_dir) = &mut config.data_dir {
        *data_dir = absolute(data_dir)?;
    }
    if let Source::Folder(path) = &mut config.data {
        *path = absolute(path)?;
    }
    // A missing table may be in the folder of images.
    if let Some(labels) = config.labels.as_mut().filter(|labels| labels.exists()) {
        *labels = absolute(labels)?;
    }
    if let Some(weights) = &mut config.weights {
        *weights = absolute(weights)?;
    }
    Ok(())
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute =
        std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))?;
    anyhow::ensure!(
        absolute.to_str().is_some(),
        "cannot use {}: a run's settings hold no path that is not valid UTF-8",
        absolute.display()
    );
    Ok(absolute)
}

pub(crate) fn load(
    mut config: TrainConfig,
    resumed: Option<&RunFolder>,
) -> anyhow::Result<Arc<Plan>> {
    // The config of a resumed run names its weights.
    if let (Some(name), None) = (&config.pretrained, resumed) {
        let weights = name.parse().map_err(ConfigError::from)?;
        config.weights = Some(terminal::fetch(weights)?);
    }
    terminal::fetch_data(&config.data, config.data_dir.as_deref())?;
    let bar = image_bar(0);
    bar.set_message("loading");
    let progress = |LoadProgress { done, total }: LoadProgress| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let plan = match resumed {
        Some(folder) => Plan::resumed(config, folder, &progress)?,
        None => Plan::new(config, &progress)?,
    };
    bar.finish_and_clear();
    if let Some(folder) = resumed
        && let Some(warning) = plan.check_data(folder)?
    {
        warn(&format!("warning: {warning}"));
    }
    let [channels, height, width] = plan.data.preprocessing.shape();
    let held_out = match plan.config.scores_on_test() {
        true => String::new(),
        false => format!(", {} validation", plan.validation.indices().len()),
    };
    talk(&format!(
        "data: {}, {} classes, {} training{held_out} and {} test images of {channels}x{height}x{width}",
        plan.data.name,
        plan.data.class_names.len(),
        plan.train.indices().len(),
        plan.data.test.len(),
    ));
    tell_reading(&plan.data.reading);
    if let Some(line) = passed_over(&plan.data.passed_over) {
        warn(&line);
    }
    talk(&format!(
        "model: {}, {} of {}",
        plan.model,
        counted(plan.config.epochs, "epoch"),
        counted(plan.steps_per_epoch, "step")
    ));
    talk(&legend(&plan));
    if resumed.is_none() {
        tell_weights(&plan);
    }
    Ok(Arc::new(plan))
}

/// Returns lines about the initial weights of a run and how they are adapted.
fn tell_weights(plan: &Plan) {
    let (Some(pretrained), Some(fitting)) = (&plan.pretrained, plan.fitting()) else {
        return;
    };
    talk(&format!(
        "weights: {} trained on {}",
        pretrained.path().display(),
        pretrained.description.trained_on
    ));
    let Fitting {
        from: [channels_before, classes_before],
        to: [channels, classes],
    } = fitting;
    for note in &pretrained.notes {
        warn(note);
    }
    if fitting.replaces_head() && classes_before == 1 {
        talk(&format!(
            "head: a new one for {classes} classes, because the weights have none"
        ));
    } else if fitting.replaces_head() {
        talk(&format!(
            "head: replaced by a new one for {classes} classes, because that of the weights has {classes_before}"
        ));
    }
    if fitting.changes_channels() {
        talk(&format!(
            "first convolution: its weights for {channels_before} channels are shared out to {channels}"
        ));
    }
    if !plan.config.freeze.is_empty() {
        let parts: Vec<_> = plan.config.freeze.iter().map(ToString::to_string).collect();
        let parts = match plan.config.freeze.contains(&NetworkPart::All) {
            true => "all but the head".to_owned(),
            false => parts.join(", "),
        };
        talk(&format!("frozen: {parts}"));
    }
}

/// Formats a count with its noun, in the singular for one.
fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
