//! The program's course: settings, device, data, folder, run, report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use command_line::benchmark::ProgramStart;
use command_line::voice::{self, be_quiet, talk, warn};
use command_line::{console, environment, terminal};
use data::{LoadProgress, Source};
use device::{SelectedDevice, Task};
use events::Level;
use indicatif::ProgressDrawTarget;
use model::{NetworkPart, ResidualBackend};
use thiserror::Error;
use train::{
    ConfigError, Control, Fitting, Outcome, Plan, RunFolder, RunProgress, Stop, Stream,
    TrainConfig, TrainError,
};

use crate::cli::about::about;
use crate::cli::arguments::help;
use crate::cli::arguments::{Arguments, Command};
use crate::cli::commands::benchmark;
use crate::cli::commands::convert;
use crate::cli::commands::eval;
use crate::cli::commands::export;
use crate::cli::commands::report;
use crate::cli::commands::runs;
use crate::cli::commands::study;
use crate::cli::commands::summary;
use crate::cli::commands::survey;
use crate::cli::commands::watch;
use crate::cli::display::advice::advice;
use crate::cli::display::bar::image_bar;
use crate::cli::display::broken;
use crate::cli::display::burn_screen::BurnScreen;
use crate::cli::display::epoch_line::legend;
use crate::cli::display::held_back::HeldBack;
use crate::cli::display::launcher;
use crate::cli::display::live::{Closed, Live};
use crate::cli::display::log_file::log_to;
use crate::cli::display::progress::Reporter;
use crate::cli::display::screen::Screen;
use crate::cli::display::signals::Signals;
use crate::cli::display::ui::Shown;
use crate::cli::display::unreadable::{UnreadableNews, passed_over, tell_reading};
use crate::cli::own::command_line;

/// A flag has a value that is out of range: wrong usage, unlike the same value in a file.
#[derive(Debug, Error)]
#[error(transparent)]
pub(crate) struct WrongFlag(#[from] ConfigError);

impl WrongFlag {
    pub(crate) fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

pub(crate) fn run(arguments: Arguments, start: &ProgramStart) -> anyhow::Result<ExitCode> {
    environment::prepare()?;
    let trains =
        arguments.command.is_none() && !arguments.benchmark.bench && !arguments.list_devices;
    let silent = arguments.json || arguments.quiet;
    if trains
        && Shown::new(arguments.ui, silent) == Shown::Dashboard
        && let Some(code) = launcher::launch()?
    {
        return Ok(code);
    }
    let signals = Signals::install()?;
    if arguments.quiet {
        be_quiet();
    }
    if arguments.list_devices {
        start_threads(None)?;
        voice::print(device::table(&device::list_devices()).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }

    if let Some(command) = &arguments.command {
        match command {
            Command::Summary(arguments) => summary::run(arguments)?,
            Command::Eval(arguments) => eval::run(arguments)?,
            Command::Watch(arguments) => watch::run(arguments)?,
            Command::Study(command) => return study::run(command, &signals),
            Command::Completions(arguments) => help::print_completions(arguments)?,
            Command::Man(arguments) => help::run_man(arguments)?,
            command => {
                start_threads(None)?;
                without_device(command)?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }

    let profile = arguments.profile;
    if profile {
        ops::profile::start();
    }
    let result = if arguments.benchmark.bench {
        benchmark::run(arguments, start).map(|()| ExitCode::SUCCESS)
    } else {
        new_or_resumed(arguments, &signals)
    };
    if profile {
        voice::print(&format!("\n{}", ops::profile::stop().table().trim_end()))?;
    }
    result
}

/// Commands whose work needs threads, but no device.
fn without_device(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Data(arguments) => survey::run(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        _ => Ok(()),
    }
}

/// Starts the threads that CPUs compute with, and tells if they are fewer than they should be.
fn start_threads(threads: Option<usize>) -> anyhow::Result<()> {
    if let Some(line) = environment::start_threads(threads)? {
        warn(&line);
    }
    Ok(())
}

fn new_or_resumed(arguments: Arguments, signals: &Signals) -> anyhow::Result<ExitCode> {
    let silent = arguments.json || arguments.quiet;
    let shown = Shown::new(arguments.ui, silent);
    let echo = arguments.json;
    let is_of_flags = arguments.config.is_none() && arguments.recipe.is_none();
    let (config, resumed) = settle(arguments)?;
    let device = resolve(&config)?;
    talk(&format!("device: {device}"));

    let plan = load(config, resumed.as_ref())?;
    if is_of_flags && resumed.is_none() {
        for line in advice(&plan, std::env::args_os()) {
            talk(&line);
        }
    }
    let folder = match &resumed {
        Some(folder) => folder.clone(),
        None => plan.create_folder()?,
    };
    let stop = signals.training_starts();
    let stream = Stream::open(&folder, about(&device), stop.clone())?;
    if echo {
        stream.echo(Box::new(voice::json_lines()));
    }
    talk(&format!("run: {}", folder.path().display()));
    log_to(&folder.log_file(), Some(stream.teller()))?;
    for note in &plan.data.reading.notes {
        stream.say(Level::Info, note.clone());
    }
    for warning in &plan.data.reading.warnings {
        stream.say(Level::Warning, warning.clone());
    }
    if !plan.data.passed_over.is_empty() {
        stream.say(Level::Warning, plan.data.passed_over.to_string());
    }

    let train = Train {
        plan,
        folder: &folder,
        stop,
        stream,
        shown,
        prints_result: !echo,
    };
    let outcome = broken::catch(folder.path(), || device.run(train))??;
    Ok(match outcome {
        Outcome::Finished(_) => {
            if shown == Shown::Dashboard {
                talk(&format!(
                    "`{}` shows it again, `{}` writes a report",
                    command_line(&["watch"], folder.path()),
                    command_line(&["report"], folder.path())
                ));
            }
            ExitCode::SUCCESS
        }
        Outcome::Interrupted(RunProgress { epoch, steps, .. }) => {
            let place = match steps {
                0 if epoch > 1 => format!("after epoch {}", epoch - 1),
                steps => format!("in epoch {epoch} after {steps} of its steps"),
            };
            talk(&format!(
                "stopped {place}, everything is saved; resume with: {}",
                command_line(&["--resume"], folder.path())
            ));
            ExitCode::from(console::INTERRUPTED)
        }
    })
}

/// The device that the settings mean, with as many threads; what `auto` passed over is said.
pub(super) fn resolve(config: &TrainConfig) -> anyhow::Result<SelectedDevice> {
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

/// The settings of a new run, or those of the run to resume and its folder.
fn settle(arguments: Arguments) -> anyhow::Result<(TrainConfig, Option<RunFolder>)> {
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

/// Checks that flags change no more of a run's data than their place. Labels that lie in its folder move with it; these
/// are where they come to.
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

/// A run may be resumed from another folder than it was started from.
pub(super) fn make_absolute(config: &mut TrainConfig) -> anyhow::Result<()> {
    if let Some(data_dir) = &mut config.data_dir {
        *data_dir = absolute(data_dir)?;
    }
    if let Source::Folder(path) = &mut config.data {
        *path = absolute(path)?;
    }
    // What is not here may be in the folder of images.
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

pub(super) fn load(
    mut config: TrainConfig,
    resumed: Option<&RunFolder>,
) -> anyhow::Result<Arc<Plan>> {
    // A resumed run has its weights where its config says.
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

/// What a run starts from, and what of it is changed.
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

/// Trains on whichever backend the device has.
pub(super) struct Train<'a> {
    pub plan: Arc<Plan>,
    pub folder: &'a RunFolder,
    pub stop: Stop,
    pub stream: Stream,
    pub shown: Shown,
    /// Whether the line that a run ends with is printed.
    pub prints_result: bool,
}

impl Task for Train<'_> {
    type Output = Result<Outcome, TrainError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let Self {
            plan,
            folder,
            stop,
            stream,
            shown,
            prints_result,
        } = self;
        let total = plan.config.epochs * plan.train.indices().len();
        let bar = image_bar(total);
        if shown != Shown::Lines {
            // Until the user wants to be without the dashboard.
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let is_hidden = matches!(shown, Shown::Dashboard | Shown::Burn);
        let lines = HeldBack::new(bar.clone(), is_hidden);
        let mut unreadable = UnreadableNews::new(&plan.data);
        for line in unreadable.lines() {
            lines.warn(line);
        }
        let live = (shown == Shown::Dashboard).then(|| {
            let (bar, lines) = (bar.clone(), lines.clone());
            let watch = command_line(&["watch"], folder.path());
            Live::start(folder, stop.clone(), move |closed| {
                if closed == Closed::GoesOn {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    lines.warn(format!("training continues; `{watch}` shows it"));
                }
                lines.release();
            })
        });
        let screen = (shown == Shown::Burn).then(|| BurnScreen::new(stop.clone()));
        let result = prints_result.then(|| folder.path().to_owned());
        let reporter = Reporter::new(lines, shown, Arc::clone(&plan), bar, unreadable, result);
        stream.listen(Box::new(reporter));
        let control = Control {
            stop,
            stream,
            renderer: Screen(screen),
        };
        let result = train::train::<B, _>(plan, folder, device, control);
        drop(live); // and with it the screen
        result
    }
}

/// A number with what it counts, in the singular for one.
fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
