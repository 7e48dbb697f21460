//! A progress bar, for where there is no dashboard.

use burn_train::LearnerSummary;
use burn_train::metric::MetricDefinition;
use burn_train::renderer::{
    EvaluationName, EvaluationProgress, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining, ProgressType, TrainingProgress,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::ui::{is_dumb, is_in_foreground};

/// Moves a bar on standard error; it hides itself where that is no terminal.
pub(crate) struct Lines {
    bar: ProgressBar,
    started: bool,
}

impl Lines {
    pub(crate) fn new(bar: ProgressBar) -> Self {
        Self {
            bar,
            started: false,
        }
    }
}

/// A bar that counts images.
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
        // Where a line cannot be drawn over, each move of the bar would be another one; in the background, the bar
        // would be drawn over what the user types.
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

impl MetricsRendererTraining for Lines {
    fn update_train(&mut self, _: MetricState) {}

    fn update_valid(&mut self, _: MetricState) {}

    fn render_train(&mut self, item: TrainingProgress, _: Vec<ProgressType>) {
        let Some(progress) = item.progress else {
            return;
        };
        let epochs = item.global_progress;
        let before = epochs.items_processed.saturating_sub(1) * progress.items_total;
        self.bar
            .set_length((epochs.items_total * progress.items_total) as u64);
        self.bar
            .set_position((before + progress.items_processed) as u64);
        if !self.started {
            self.started = true;
            self.bar.reset_eta(); // a resumed run did not just take all steps before
        }
        self.bar.set_message(format!(
            "epoch {}/{}",
            epochs.items_processed, epochs.items_total
        ));
    }

    fn render_valid(&mut self, item: TrainingProgress, _: Vec<ProgressType>) {
        let epochs = item.global_progress;
        self.bar.set_message(format!(
            "epoch {}/{} scores",
            epochs.items_processed, epochs.items_total
        ));
    }

    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn core::error::Error>> {
        self.bar.finish_and_clear();
        Ok(())
    }
}

impl MetricsRendererEvaluation for Lines {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}

    fn render_test(&mut self, _: EvaluationProgress, _: Vec<ProgressType>) {}
}

impl MetricsRenderer for Lines {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _: MetricDefinition) {}
}
