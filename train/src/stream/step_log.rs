//! burn-train's metrics as events.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn_train::metric::{MetricDefinition, MetricId, NumericEntry};
use events::{CROSS_ENTROPY, Event, Metrics, Step, Writer};

use super::clock::Clock;

/// Names of burn-train's metrics with ours, and what theirs are divided by.
const NAMES: [(&str, &str, f64); 3] = [
    ("Accuracy", "accuracy", 100.0),
    ("Learning Rate", "rate", 1.0),
    ("Loss", "loss", 1.0),
];

/// burn-train computes metrics on threads of its own; a step counts as logged soon after it was taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes an event for each training step. What epochs come to is counted elsewhere, over all of
/// their images.
pub(crate) struct StepLog {
    writer: Writer,
    clock: Clock,
    names: HashMap<MetricId, (&'static str, f64)>,
    logged: Logged,
}

/// The number of the last step that was logged, and what is known of later ones.
#[derive(Clone, Default)]
pub(crate) struct Logged {
    number: Arc<(Mutex<usize>, Condvar)>,
    /// The loss without smoothed labels of steps that were not logged yet.
    cross_entropies: Arc<Mutex<BTreeMap<usize, f64>>>,
}

impl Logged {
    fn after(steps: usize) -> Self {
        Self {
            number: Arc::new((Mutex::new(steps), Condvar::new())),
            cross_entropies: Arc::default(),
        }
    }

    /// Has a figure logged with a step, before burn-train is told of the step.
    pub(crate) fn note(&self, step: usize, cross_entropy: f64) {
        self.cross_entropies().insert(step, cross_entropy);
    }

    /// The figure that was noted for a step; those of earlier steps are forgotten.
    fn take_note(&self, step: usize) -> Option<f64> {
        let mut noted = self.cross_entropies();
        let later = noted.split_off(&(step + 1));
        let figure = noted.remove(&step);
        *noted = later;
        figure
    }

    fn cross_entropies(&self) -> MutexGuard<'_, BTreeMap<usize, f64>> {
        self.cross_entropies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this step was logged.
    pub(crate) fn wait_for(&self, step: usize) {
        let (number, changed) = &*self.number;
        let number = number.lock().unwrap_or_else(PoisonError::into_inner);
        // A step that never comes is one that burn-train could not compute: the run goes on.
        let result = changed.wait_timeout_while(number, PATIENCE, |number| *number < step);
        if result.is_ok_and(|(_, waited)| waited.timed_out()) {
            log::warn!("the figures of step {step} are missing in the events");
        }
    }

    fn next(&self) -> usize {
        let (number, changed) = &*self.number;
        let mut number = number.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        changed.notify_all();
        *number
    }
}

impl StepLog {
    /// For a run that has taken so many steps.
    pub(crate) fn new(writer: Writer, clock: Clock, steps: usize) -> Self {
        Self {
            writer,
            clock,
            names: HashMap::new(),
            logged: Logged::after(steps),
        }
    }

    /// To wait for steps.
    pub(crate) fn logged(&self) -> Logged {
        self.logged.clone()
    }
}

impl MetricLogger for StepLog {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        if *split != Split::Train {
            return;
        }
        let mut metrics = Metrics::default();
        for numeric in &update.entries_numeric {
            if let Some(&(name, unit)) = self.names.get(&numeric.entry.metric_id) {
                metrics.set(name, round(numeric.numeric_entry.current() / unit));
            }
        }
        let step = self.logged.number() + 1;
        if let Some(cross_entropy) = self.logged.take_note(step) {
            metrics.set(CROSS_ENTROPY, round(cross_entropy));
        }
        let step = Event::Step(Step {
            seconds: self.clock.seconds(),
            epoch,
            step,
            metrics,
        });
        self.writer.send(step);
        self.logged.next();
    }

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        // Asked by burn-train's own ways to choose epochs, which are not used.
        Err("steps are written, not read".to_owned())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let name = NAMES.iter().find(|(theirs, ..)| *theirs == definition.name);
        if let Some(&(_, name, unit)) = name {
            self.names.insert(definition.metric_id, (name, unit));
        }
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

impl Logged {
    fn number(&self) -> usize {
        *self.number.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To seven digits, as many as single precision has.
pub(super) fn round(figure: f64) -> f64 {
    let digits = figure.abs().log10().floor();
    if !digits.is_finite() {
        return figure;
    }
    let scale = 10.0_f64.powf(6.0 - digits);
    match scale.is_finite() && scale > 0.0 {
        true => (figure * scale).round() / scale,
        false => figure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_close() {
        assert_eq!(round(0.532_100_021_839_141_8), 0.5321);
        assert_eq!(round(-1_234.567_89), -1_234.568);
        assert_eq!(round(0.0), 0.0);
        assert!(round(f64::NAN).is_nan());
        assert_eq!(round(f64::INFINITY), f64::INFINITY);
        assert_eq!(round(f64::MIN_POSITIVE), f64::MIN_POSITIVE);
        for figure in [1.0_f32 / 3.0, 1e-30, 2e-9, 7.1e20] {
            let figure = f64::from(figure);
            assert!((round(figure) - figure).abs() <= 5e-7 * figure);
        }
    }

    #[test]
    fn figures_are_logged_with_their_own_step() {
        let logged = Logged::after(6);
        for step in [7, 8, 9] {
            logged.note(step, step as f64);
        }
        assert_eq!(logged.take_note(8), Some(8.0));
        assert_eq!(logged.take_note(7), None);
        assert_eq!(logged.take_note(9), Some(9.0));
        assert_eq!(logged.number(), 6);
    }

    #[test]
    fn waiting_ends_when_the_step_is_logged() {
        let logged = Logged::default();
        let other = logged.clone();
        let thread = std::thread::spawn(move || other.wait_for(3));
        for step in 1..=3 {
            assert_eq!(logged.next(), step);
        }
        thread.join().unwrap();
        logged.wait_for(2);
    }
}
