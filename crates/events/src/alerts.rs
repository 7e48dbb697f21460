//! Alerts: signs that something is wrong with a run.

use crate::event::Speed;
use crate::format::number;
use crate::history::History;
use crate::metrics::{Metrics, Split};
use crate::series::Axis;

/// Kinds of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// A loss was infinite or not a number.
    NotFinite,
    /// The training loss has risen far above what it was.
    Diverging,
    /// The last epochs did not improve the score.
    NoBetter,
    /// Training waits for images.
    SlowLoader,
    /// The model overfits to the training images.
    Overfitting,
}

/// A sign that something is wrong with a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Kind of the alert.
    pub kind: AlertKind,
    /// The observation: a sentence without a period.
    pub text: String,
}

/// Number of epochs without improvement that raises an alert.
const PATIENCE: usize = 5;
/// Fraction of a step's time that the loader may take.
const WAITING: f64 = 0.2;
/// Number of parts of the run so far that the loss is compared over.
const WINDOWS: usize = 40;

/// Returns the alerts of a run, as far as its figures show them.
pub fn alerts(history: &History) -> Vec<Alert> {
    [
        not_finite(history),
        not_finite_score(history),
        diverging(history),
        no_better(history),
        slow_loader(history),
        overfitting(history),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn alert(kind: AlertKind, text: String) -> Option<Alert> {
    Some(Alert { kind, text })
}

/// Reports only the first non-finite loss, because later ones follow from it.
fn not_finite(history: &History) -> Option<Alert> {
    let step = history.steps.first_not_finite("loss")?;
    alert(
        AlertKind::NotFinite,
        format!("the loss of step {step} is not finite"),
    )
}

fn not_finite_score(history: &History) -> Option<Alert> {
    let is_broken = |metrics: &Metrics| metrics.get("loss").is_some_and(|loss| !loss.is_finite());
    let epoch = history.epochs.iter().find(|epoch| {
        let average = epoch.average.as_ref();
        is_broken(&epoch.validation) || average.is_some_and(is_broken)
    })?;
    alert(
        AlertKind::NotFinite,
        format!("the validation loss of epoch {} is not finite", epoch.epoch),
    )
}

fn diverging(history: &History) -> Option<Alert> {
    let end = history.extent(Axis::Step);
    let curve = history.curve(Split::Train, "loss", Axis::Step, [0.0, end], WINDOWS);
    if curve.buckets.len() < WINDOWS || history.steps.len() < 4 * WINDOWS {
        return None;
    }
    let last = curve.buckets.last()?.mean;
    let least = curve
        .buckets
        .iter()
        .map(|bucket| bucket.mean)
        .fold(f64::INFINITY, f64::min);
    if last < 2.0 * least + 0.5 {
        return None;
    }
    alert(
        AlertKind::Diverging,
        format!(
            "the training loss is {} again after {}",
            number(last),
            number(least)
        ),
    )
}

fn no_better(history: &History) -> Option<Alert> {
    let (best, _, accuracy) = history.best_score("accuracy")?;
    let since = history.epochs_done().saturating_sub(best.epoch);
    if since < PATIENCE {
        return None;
    }
    alert(
        AlertKind::NoBetter,
        format!(
            "no better epoch since epoch {}, {since} epochs ago, with {:.2} %",
            best.epoch,
            100.0 * accuracy
        ),
    )
}

fn slow_loader(history: &History) -> Option<Alert> {
    let recent = &history.speeds[history.speeds.len().saturating_sub(10)..];
    let waiting: f64 = recent.iter().map(|speed| speed.waiting).sum();
    let whole: f64 = recent.iter().map(Speed::whole).sum();
    if recent.len() < 3 || waiting.is_nan() || waiting <= WAITING * whole {
        return None;
    }
    alert(
        AlertKind::SlowLoader,
        format!(
            "steps wait for images {:.0} % of their time",
            100.0 * waiting / whole
        ),
    )
}

fn overfitting(history: &History) -> Option<Alert> {
    let (best, split, least) = history.best_score("loss")?;
    let last = history.epochs.last()?;
    let loss = last.metrics(split)?.get("loss")?;
    let learned = last.train.get("loss")? < best.train.get("loss")?;
    let since = last.epoch.saturating_sub(best.epoch);
    if since < 3 || !learned || loss < 1.1 * least {
        return None;
    }
    alert(
        AlertKind::Overfitting,
        format!(
            "the validation loss has risen from {} in epoch {} to {}, while the training loss fell",
            number(least),
            best.epoch,
            number(loss)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Epoch, Event, Step};

    fn steps(losses: impl Iterator<Item = f64>) -> History {
        let mut history = History::default();
        for (index, loss) in losses.enumerate() {
            history.push(Event::Step(Step {
                seconds: index as f64,
                epoch: 1,
                step: index + 1,
                metrics: Metrics::from_iter([("loss", loss)]),
            }));
        }
        history
    }

    fn epochs(scores: &[(f64, f64, f64)]) -> History {
        let mut history = History::default();
        for (index, &(train, loss, accuracy)) in scores.iter().enumerate() {
            history.push(Event::Epoch(Box::new(Epoch {
                epoch: index + 1,
                train: Metrics::from_iter([("loss", train)]),
                validation: Metrics::from_iter([("loss", loss), ("accuracy", accuracy)]),
                ..Epoch::default()
            })));
        }
        history
    }

    fn kinds(history: &History) -> Vec<AlertKind> {
        alerts(history).iter().map(|alert| alert.kind).collect()
    }

    #[test]
    fn bad_losses_raise_alerts() {
        let well = (0..400).map(|step| 2.0 / (1.0 + step as f64 / 50.0));
        assert_eq!(kinds(&steps(well.clone())), []);
        let rising = well
            .clone()
            .chain((0..40).map(|step| 1.0 + step as f64 / 5.0));
        assert_eq!(kinds(&steps(rising)), [AlertKind::Diverging]);
        let exploding = steps(well.clone().chain((0..40).map(|_| 2.150_65e21)));
        assert_eq!(
            alerts(&exploding)[0].text,
            "the training loss is 2.15e21 again after 0.2273"
        );
        let broken = well.chain([f64::NAN]);
        for after in [vec![], vec![f64::NAN; 700], vec![0.2; 3]] {
            let broken = steps(broken.clone().chain(after));
            assert_eq!(kinds(&broken), [AlertKind::NotFinite]);
            assert_eq!(
                alerts(&broken)[0].text,
                "the loss of step 401 is not finite"
            );
        }
    }

    #[test]
    fn non_finite_scores_raise_alerts() {
        let scores = [(1.0, 1.0, 0.5), (0.9, f64::INFINITY, 0.1), (0.8, 0.8, 0.7)];
        let mut history = epochs(&scores);
        let text = "the validation loss of epoch 2 is not finite";
        assert_eq!(kinds(&history), [AlertKind::NotFinite]);
        assert_eq!(alerts(&history)[0].text, text);
        history.epochs[1].validation = history.epochs[0].validation.clone();
        assert_eq!(kinds(&history), []);
        history.epochs[1].average = Some(Metrics::from_iter([("loss", f64::NAN)]));
        assert_eq!(alerts(&history)[0].text, text);
    }

    #[test]
    fn epochs_without_improvement_raise_alert() {
        let better = [(1.0, 1.0, 0.5), (0.9, 0.9, 0.6), (0.8, 0.8, 0.7)];
        assert_eq!(kinds(&epochs(&better)), []);
        let flat = [&better[..], &[(0.8, 0.82, 0.69); 5]].concat();
        assert_eq!(kinds(&epochs(&flat)), [AlertKind::NoBetter]);
        let learned_by_heart = [&better[..], &[(0.2, 0.9, 0.72); 3]].concat();
        assert_eq!(kinds(&epochs(&learned_by_heart)), [AlertKind::Overfitting]);
    }

    #[test]
    fn slow_loader_raises_alert() {
        let mut history = History::default();
        for waiting in [0.01, 0.01, 0.01] {
            history.push(Event::Speed(Speed {
                waiting,
                forward: 0.04,
                backward: 0.06,
                ..Speed::default()
            }));
        }
        assert_eq!(kinds(&history), []);
        for _ in 0..10 {
            history.push(Event::Speed(Speed {
                waiting: 0.05,
                forward: 0.05,
                ..Speed::default()
            }));
        }
        assert_eq!(kinds(&history), [AlertKind::SlowLoader]);
    }
}
