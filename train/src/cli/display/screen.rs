//! Renderer of burn-train's metrics: its own dashboard, if requested.

use burn_train::LearnerSummary;
use burn_train::metric::MetricDefinition;
use burn_train::renderer::{
    EvaluationName, EvaluationProgress, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining, ProgressType, TrainingProgress,
};

use crate::cli::display::burn_screen::BurnScreen;

/// Forwards burn-train's calls to its dashboard, if that is shown.
pub(crate) struct Screen(pub Option<BurnScreen>);

impl Screen {
    /// Returns `None` if there is no dashboard, or if it failed.
    fn call<T>(&mut self, call: impl FnOnce(&mut dyn MetricsRenderer) -> T) -> Option<T> {
        self.0.as_mut()?.call(call)
    }
}

impl MetricsRendererTraining for Screen {
    fn update_train(&mut self, state: MetricState) {
        self.call(|screen| screen.update_train(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.call(|screen| screen.update_valid(state));
    }

    fn render_train(&mut self, item: TrainingProgress, indicators: Vec<ProgressType>) {
        self.call(|screen| screen.render_train(item, indicators));
    }

    fn render_valid(&mut self, item: TrainingProgress, indicators: Vec<ProgressType>) {
        self.call(|screen| screen.render_valid(item, indicators));
    }

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn core::error::Error>> {
        self.call(|screen| screen.on_train_end(summary))
            .unwrap_or(Ok(()))
    }
}

impl MetricsRendererEvaluation for Screen {
    fn update_test(&mut self, name: EvaluationName, state: MetricState) {
        self.call(|screen| screen.update_test(name, state));
    }

    fn render_test(&mut self, item: EvaluationProgress, indicators: Vec<ProgressType>) {
        self.call(|screen| screen.render_test(item, indicators));
    }
}

impl MetricsRenderer for Screen {
    fn manual_close(&mut self) {
        self.call(|screen| screen.manual_close());
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.call(|screen| screen.register_metric(definition));
    }
}
