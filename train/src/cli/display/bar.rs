//! Progress bars over images, on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use train::Plan;

use crate::cli::display::ui::{is_dumb, is_in_foreground};

/// Creates a bar that counts images.
pub(crate) fn image_bar(total: usize) -> ProgressBar {
    let rate = |state: &ProgressState, output: &mut dyn std::fmt::Write| {
        // Writing to the bar's string cannot fail.
        let _ = write!(output, "{:.0}", state.per_sec());
    };
    let style = ProgressStyle::with_template(
        "{msg} [{bar:30}] {percent:>3} %  {rate} images/s  {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .with_key("rate", rate)
    .progress_chars("=> ");
    let bar = ProgressBar::new(total as u64).with_style(style);
    if is_dumb() || !is_in_foreground() {
        // If lines cannot be overwritten, each update would print another one; in the background, the bar would
        // overwrite what the user types.
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

/// Progress bar over the training images of all epochs.
pub(crate) struct TrainingBar {
    bar: ProgressBar,
    /// Number of images in an epoch.
    images: u64,
    in_a_step: u64,
    steps_per_epoch: usize,
    epochs: usize,
    started: bool,
}

impl TrainingBar {
    pub(crate) fn new(bar: ProgressBar, plan: &Plan) -> Self {
        let config = &plan.config;
        let in_a_step = config.batch_size.saturating_mul(config.accumulate);
        Self {
            bar,
            images: plan.train.indices().len() as u64,
            in_a_step: in_a_step.get() as u64,
            steps_per_epoch: plan.steps_per_epoch,
            epochs: config.epochs,
            started: false,
        }
    }

    /// Shows a step of an epoch; both are counted from 1 since the start of the run.
    pub(crate) fn step(&mut self, epoch: usize, step: usize) {
        let before = epoch.saturating_sub(1);
        let in_epoch = step.saturating_sub(before * self.steps_per_epoch) as u64;
        let done = in_epoch.saturating_mul(self.in_a_step).min(self.images);
        self.bar.set_position(before as u64 * self.images + done);
        if !self.started {
            self.started = true;
            self.bar.reset_eta(); // a resumed run did not just take all steps before
        }
        self.bar
            .set_message(format!("epoch {epoch}/{}", self.epochs));
    }

    /// Shows that an epoch is being scored.
    pub(crate) fn score(&self) {
        let message = self.bar.message();
        if !message.is_empty() && !message.ends_with(SCORES) {
            self.bar.set_message(format!("{message}{SCORES}"));
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

const SCORES: &str = " scores";
