//! The model that a command uses, and its images.

use std::path::{Path, PathBuf};

use command_line::terminal;
use command_line::voice::warn;
use data::{LoadProgress, Source};
use saved_models::SavedModel;
use saved_models::foreign::import;
use train::{ConfigError, EvaluationPlan, EvaluationSettings, RunFolder, TrainConfig, TrainError};

use crate::cli::arguments::subject::SubjectFlags;
use crate::cli::display::bar::image_bar;
use crate::cli::display::unreadable::tell_reading;
use crate::cli::prepare::{WrongFlag, make_absolute};

/// A model and the settings of the images to use it on.
pub(crate) struct Subject {
    pub saved: SavedModel,
    /// The run's settings, or the defaults, for its test images.
    pub settings: EvaluationSettings,
    /// Whether a run or a flag gives the seed.
    pub has_seed: bool,
    /// The run's folder or the weights file.
    pub path: PathBuf,
    /// The run's folder, in which the result is saved; `None` for a weights file.
    pub output_folder: Option<PathBuf>,
}

impl SubjectFlags {
    /// Returns the flags that are settings, after checking them.
    pub(crate) fn checked(&self) -> anyhow::Result<TrainConfig> {
        let default = TrainConfig::default();
        let flags = TrainConfig::default()
            .with_threads(self.threads)
            .with_seed(self.seed.unwrap_or(default.seed))
            .with_validation(self.validation.unwrap_or(default.validation));
        flags.validate().map_err(WrongFlag::from)?;
        Ok(flags)
    }
}

impl Subject {
    /// Finds the model that the flags name. `change` overrides settings of its run.
    pub(crate) fn of(
        flags: &SubjectFlags,
        change: impl FnOnce(&mut TrainConfig),
    ) -> anyhow::Result<Self> {
        if let Some(file) = &flags.weights {
            let options = flags.weights_flags.options(flags.model.clone());
            let import = import(file, &options)?;
            let config = RunFolder::config_of(file)?;
            let has_seed = config.is_some() || flags.seed.is_some();
            let settings = settings(flags, config, file, change)?;
            for note in &import.notes {
                warn(note);
            }
            let saved = import.saved;
            return Ok(Self {
                saved,
                settings,
                has_seed,
                path: file.clone(),
                output_folder: None,
            });
        }
        let folder = match &flags.run {
            Some(run) => command_line::find_run(run, &flags.runs_dir)?,
            None => command_line::newest_run(&flags.runs_dir, saved_models::DESCRIPTION_FILE)?
                .ok_or_else(|| TrainError::NoRuns {
                    folder: flags.runs_dir.clone(),
                })?,
        };
        let saved = SavedModel::open(&folder)?;
        let config = RunFolder::config_of(&folder)?;
        Ok(Self {
            saved,
            has_seed: config.is_some() || flags.seed.is_some(),
            settings: settings(flags, config, &folder, change)?,
            path: folder.clone(),
            output_folder: Some(folder),
        })
    }
}

/// Returns the settings of the model's run, if it has one, overridden by flags.
fn settings(
    flags: &SubjectFlags,
    run: Option<TrainConfig>,
    model: &Path,
    change: impl FnOnce(&mut TrainConfig),
) -> anyhow::Result<EvaluationSettings> {
    if run.is_none() && flags.data.is_none() {
        let model = model.to_owned();
        return Err(WrongFlag::from(ConfigError::NoData { model }).into());
    }
    let mut config = run.unwrap_or_default();
    if flags.data.is_some() || flags.labels.is_some() {
        config.labels = flags.labels.clone();
    }
    config.data = flags.data.clone().unwrap_or(config.data);
    config.data_dir = flags.data_dir.clone().or(config.data_dir);
    change(&mut config);
    config.seed = flags.seed.unwrap_or(config.seed);
    config.validation = flags.validation.unwrap_or(config.validation);
    if config.labels.is_some() && !matches!(config.data, Source::Folder(_)) {
        let data = config.data.to_string();
        return Err(WrongFlag::from(ConfigError::OwnLabels { data }).into());
    }
    config.loader.max_pixels = flags.max_pixels.or(config.loader.max_pixels);
    make_absolute(&mut config)?;
    Ok(EvaluationSettings::of_run(&config).with_batch_size(flags.batch_size))
}

/// Loads the images, with a progress bar, and tells how labels were read.
pub(crate) fn load(
    saved: SavedModel,
    settings: EvaluationSettings,
) -> anyhow::Result<EvaluationPlan> {
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
    Ok(plan)
}
