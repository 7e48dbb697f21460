//! `train watch` without a screen: prints a line for each epoch as runs finish them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use dashboard::Source;
use events::{Follower, Level, State, is_locked};

use crate::cli::display::epoch_line::EpochLine;
use crate::cli::display::progress::tested_line;
use command_line::voice::{self, talk, warn};

/// Interval between reads of a run's events.
const EVERY: Duration = Duration::from_millis(500);

/// A run, and how much of it was printed.
struct Followed {
    folder: PathBuf,
    /// Prefix of each line if there are several runs.
    prefix: String,
    resume: Option<String>,
    follower: Follower,
    has_begun: bool,
    /// The last epoch printed.
    epoch: usize,
    messages: usize,
    is_tested: bool,
    is_over: bool,
}

/// Prints the epochs of runs, past and new, until all runs have ended.
pub(crate) fn follow(sources: Vec<Source>) -> anyhow::Result<()> {
    let is_one = sources.len() == 1;
    let runs = sources.into_iter().map(|source| Followed {
        prefix: match is_one {
            true => String::new(),
            false => format!("{}: ", files::printable(&source.name)),
        },
        follower: Follower::open(&source.folder),
        folder: source.folder,
        resume: source.resume,
        has_begun: false,
        epoch: 0,
        messages: 0,
        is_tested: false,
        is_over: false,
    });
    let mut runs: Vec<Followed> = runs.collect();
    loop {
        for run in runs.iter_mut().filter(|run| !run.is_over) {
            run.tell()?;
        }
        if runs.iter().all(|run| run.is_over) {
            return Ok(());
        }
        std::thread::sleep(EVERY);
    }
}

impl Followed {
    /// Prints new events.
    fn tell(&mut self) -> anyhow::Result<()> {
        // Checked before reading the events, so that the last ones are read after the run is over.
        let is_running = is_locked(&self.folder);
        self.follower
            .poll()
            .with_context(|| format!("cannot read {}", self.folder.join(events::FILE).display()))?;
        let history = self.follower.history();
        let prefix = &self.prefix;
        if let Some(started) = history.started.as_ref().filter(|_| !self.has_begun) {
            self.has_begun = true;
            let (model, data) = (
                files::printable(&started.model),
                files::printable(&started.data),
            );
            talk(&format!(
                "{prefix}{model} on {data}, {} epochs",
                started.epochs
            ));
        }
        for message in history.messages.iter().skip(self.messages) {
            if message.level != Level::Info {
                warn(&format!("{prefix}{}", files::printable(&message.text)));
            }
        }
        self.messages = history.messages.len();
        // A run that was resumed may have lost its last epochs.
        let last = history.epochs_done();
        self.epoch = self.epoch.min(last);
        for epoch in history
            .epochs
            .iter()
            .filter(|epoch| epoch.epoch > self.epoch)
        {
            for line in EpochLine::of_history(epoch, history).text().lines() {
                voice::print_line(&format!("{prefix}{line}"))?;
            }
        }
        self.epoch = last;
        let tested = history.tested.as_ref().filter(|_| !self.is_tested);
        self.is_tested = history.tested.is_some();
        if let Some(tested) = tested {
            let line = tested_line(tested, &self.folder);
            voice::print_line(&format!("{prefix}{line}"))?;
        }
        if !is_running {
            self.is_over = true;
            if let Some(word) = ended(history.state(false)) {
                let instead = history.instead_of_resuming().map(str::to_owned);
                let resume = self.resume.as_ref();
                let resume = || resume.map(|command| format!("resume it with: {command}"));
                let next = instead.or_else(resume).map(|next| format!("; {next}"));
                warn(&format!("{prefix}{word}{}", next.unwrap_or_default()));
            }
        }
        Ok(())
    }
}

/// Returns how a run ended early.
fn ended(state: State) -> Option<&'static str> {
    match state {
        State::Stopped => Some("the run was stopped"),
        State::Failed => Some("the run failed"),
        State::Crashed => Some("the run crashed"),
        State::Running | State::Finished => None,
    }
}
