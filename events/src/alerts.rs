//! What someone should look at.

use crate::history::History;
use crate::series::{Axis, Split};

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// The loss is infinite or not a number.
    NotFinite,
    /// The training loss has risen far above what it was.
    Diverging,
    /// The last epochs brought nothing.
    NoBetter,
    /// Training waits for pictures.
    SlowLoader,
    /// What is learned is of the training pictures only.
    Overfitting,
}

/// Something that someone should look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What kind.
    pub kind: AlertKind,
    /// What is seen: a sentence without a full stop.
    pub text: String,
}

/// Epochs without a better one that are worth a word.
const PATIENCE: usize = 5;
/// Share of a step's time that the loader may take.
const WAITING: f64 = 0.2;
/// Parts of the run so far that the loss is compared over.
const WINDOWS: usize = 40;

/// What is the matter with a run, as far as figures tell.
pub fn alerts(history: &History) -> Vec<Alert> {
    [
        not_finite(history),
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

fn not_finite(history: &History) -> Option<Alert> {
    let losses = history.steps.figures("loss")?;
    if losses.last()?.is_finite() {
        return None;
    }
    let step = history.step();
    alert(
        AlertKind::NotFinite,
        format!("the loss of step {step} is not finite"),
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
        format!("the training loss is {last:.3} again after {least:.3}"),
    )
}

/// That of the average, if there is one.
fn kept(history: &History) -> Split {
    match history.epochs.iter().any(|epoch| epoch.average.is_some()) {
        true => Split::Average,
        false => Split::Validation,
    }
}

fn no_better(history: &History) -> Option<Alert> {
    let (best, accuracy) = history.best_of(kept(history), "accuracy")?;
    let since = history.epochs.last()?.epoch.saturating_sub(best.epoch);
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
    let sum = |part: fn(&crate::Speed) -> f64| recent.iter().map(part).sum::<f64>();
    let waiting = sum(|speed| speed.waiting);
    let whole =
        waiting + sum(|speed| speed.forward + speed.backward + speed.optimizer + speed.rest);
    if recent.len() < 3 || waiting.is_nan() || waiting <= WAITING * whole {
        return None;
    }
    alert(
        AlertKind::SlowLoader,
        format!(
            "steps wait for pictures {:.0} % of their time",
            100.0 * waiting / whole
        ),
    )
}

fn overfitting(history: &History) -> Option<Alert> {
    let split = kept(history);
    let (best, least) = history.best_of(split, "loss")?;
    let last = history.epochs.last()?;
    let metrics = match split {
        Split::Average => last.average.as_ref()?,
        _ => &last.validation,
    };
    let loss = metrics.get("loss")?;
    let learned = last.train.get("loss")? < best.train.get("loss")?;
    let since = last.epoch.saturating_sub(best.epoch);
    if since < 3 || !learned || loss < 1.1 * least {
        return None;
    }
    alert(
        AlertKind::Overfitting,
        format!(
            "the validation loss has risen from {least:.3} in epoch {} to {loss:.3}, while the training loss fell",
            best.epoch
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Epoch, Event, Speed, Step};
    use crate::metrics::Metrics;

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
    fn losses_that_go_wrong_are_told() {
        let well = (0..400).map(|step| 2.0 / (1.0 + step as f64 / 50.0));
        assert_eq!(kinds(&steps(well.clone())), []);
        let rising = well
            .clone()
            .chain((0..40).map(|step| 1.0 + step as f64 / 5.0));
        assert_eq!(kinds(&steps(rising)), [AlertKind::Diverging]);
        let broken = steps(well.chain([f64::NAN]));
        assert_eq!(kinds(&broken), [AlertKind::NotFinite]);
        assert_eq!(
            alerts(&broken)[0].text,
            "the loss of step 401 is not finite"
        );
    }

    #[test]
    fn epochs_that_bring_nothing_are_told() {
        let better = [(1.0, 1.0, 0.5), (0.9, 0.9, 0.6), (0.8, 0.8, 0.7)];
        assert_eq!(kinds(&epochs(&better)), []);
        let flat = [&better[..], &[(0.8, 0.82, 0.69); 5]].concat();
        assert_eq!(kinds(&epochs(&flat)), [AlertKind::NoBetter]);
        let learned_by_heart = [&better[..], &[(0.2, 0.9, 0.72); 3]].concat();
        assert_eq!(kinds(&epochs(&learned_by_heart)), [AlertKind::Overfitting]);
    }

    #[test]
    fn a_loader_that_is_waited_for_is_told() {
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
