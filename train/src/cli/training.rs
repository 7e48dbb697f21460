//! Training and its display.

use std::process::ExitCode;
use std::sync::Arc;

use command_line::console;
use command_line::started::{self, command_line};
use command_line::voice::{self, talk};
use device::Task;
use events::Level;
use indicatif::ProgressDrawTarget;
use model::ResidualBackend;
use train::{Control, Outcome, Plan, RunFolder, RunProgress, Stop, Stream, TrainError};

use crate::cli::about::about;
use crate::cli::arguments::Arguments;
use crate::cli::display::advice::{advice, shortened_warmup};
use crate::cli::display::bar::image_bar;
use crate::cli::display::broken;
use crate::cli::display::burn_screen::BurnScreen;
use crate::cli::display::held_back::HeldBack;
use crate::cli::display::live::{Closed, Live};
use crate::cli::display::log_file::log_to;
use crate::cli::display::progress::Reporter;
use crate::cli::display::screen::Screen;
use crate::cli::display::signals::Signals;
use crate::cli::display::ui::Shown;
use crate::cli::display::unreadable::UnreadableNews;
use crate::cli::prepare::{load, resolve, settle};

pub(crate) fn new_or_resumed(arguments: Arguments, signals: &Signals) -> anyhow::Result<ExitCode> {
    let silent = arguments.json || arguments.quiet;
    let shown = Shown::new(arguments.ui, silent);
    let echo = arguments.json;
    let is_of_flags = arguments.config.is_none() && arguments.recipe.is_none();
    let (config, resumed) = settle(arguments)?;
    let device = resolve(&config)?;
    talk(&format!("device: {device}"));

    let plan = load(config, resumed.as_ref())?;
    if is_of_flags && resumed.is_none() {
        for line in advice(&plan, started::words(), std::env::args_os().skip(1)) {
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
    if let Some(warning) = shortened_warmup(&plan.config) {
        voice::warn(&format!("warning: {warning}"));
        stream.say(Level::Warning, warning);
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

/// Training on the device's backend.
pub(crate) struct Train<'a> {
    pub plan: Arc<Plan>,
    pub folder: &'a RunFolder,
    pub stop: Stop,
    pub stream: Stream,
    pub shown: Shown,
    /// Whether the final line is printed.
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
            // Until the user closes the dashboard.
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
