//! What standard output says of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::accuracy_interval;
use indicatif::ProgressBar;
use train::{EpochReport, Evaluation, Finished, Observer, Place, Plan};

use super::epoch_line::{EpochLine, duration};
use super::held_back::HeldBack;
use super::lines::image_bar;
use super::ui::Shown;
use super::unreadable::UnreadableNews;

/// Prints a line for each epoch, as soon as nothing hides the terminal.
pub(crate) struct Reporter {
    lines: HeldBack,
    shown: Shown,
    plan: Arc<Plan>,
    test_bar: Option<ProgressBar>,
    unreadable: UnreadableNews,
    /// The run's folder, if the line that a run ends with is printed.
    result: Option<PathBuf>,
}

impl Reporter {
    pub(crate) fn new(
        lines: HeldBack,
        shown: Shown,
        plan: Arc<Plan>,
        unreadable: UnreadableNews,
        result: Option<PathBuf>,
    ) -> Self {
        Self {
            lines,
            shown,
            plan,
            test_bar: None,
            unreadable,
            result,
        }
    }

    fn warn(&mut self) {
        for line in self.unreadable.lines() {
            self.lines
                .warn(format!("{line}; the run's experiment.log says why"));
        }
    }

    /// burn-train's dashboard closes before the test, or when the run stops.
    fn burn_closed(&self) {
        if self.shown == Shown::Burn {
            self.lines.release();
        }
    }
}

impl Observer for Reporter {
    fn resumed(&mut self, place: &Place) {
        if self.shown != Shown::Nothing {
            self.lines.print(resumed_line(place));
        }
    }

    fn epoch_ended(&mut self, report: &EpochReport) {
        if self.shown != Shown::Nothing {
            let line = EpochLine::of_report(report, &self.plan);
            self.lines.print(line.text());
        }
        self.warn();
    }

    fn ended_early(&mut self, last_better: usize) {
        if self.shown != Shown::Nothing {
            self.lines.print(format!(
                "ended early: no epoch was better than epoch {last_better} for as long as --patience says"
            ));
        }
    }

    fn tested(&mut self, done: usize, total: usize) {
        self.burn_closed();
        self.warn();
        if self.shown == Shown::Nothing || self.lines.is_hidden() {
            return;
        }
        let bar = self.test_bar.get_or_insert_with(|| {
            let bar = image_bar(total);
            bar.set_message("test");
            bar
        });
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }

    fn finished(&mut self, finished: &Finished) {
        if let Some(run) = &self.result {
            self.lines.print(final_line(finished, run));
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.burn_closed();
        self.warn();
    }
}

fn resumed_line(place: &Place) -> String {
    let Place {
        epoch,
        epochs,
        steps,
        steps_per_epoch,
        is_trained,
        last_better,
    } = *place;
    if let Some(best) = last_better {
        return format!(
            "resumed: {} epochs are trained already, none of them better than epoch {best} for as long as \
             --patience says; more with a higher one",
            epoch - 1
        );
    }
    match (is_trained, steps) {
        (true, _) => format!(
            "resumed: {} epochs are trained already and none is left; more of them with --epochs",
            epoch - 1
        ),
        (false, 0) => format!("resumed: epoch {epoch} of {epochs} is next"),
        (false, _) => {
            format!(
                "resumed: in epoch {epoch} of {epochs}, after {steps} of its {steps_per_epoch} steps"
            )
        }
    }
}

/// The line that a run ends with.
fn final_line(finished: &Finished, run: &Path) -> String {
    let score = |evaluation: &Evaluation| [evaluation.loss, evaluation.accuracy];
    let raw = finished.raw.as_ref().map(score);
    let images = finished.test.images as f64;
    let correct = (finished.test.accuracy * images).round();
    let counts = [correct as u64, images as u64];
    tested_line(score(&finished.test), counts, raw, finished.seconds, run)
}

/// The same of loss and accuracy on the test images, how many of them are right and how many there are, and loss and
/// accuracy of the weights without averaging.
pub(crate) fn tested_line(
    test: [f64; 2],
    counts: [u64; 2],
    raw: Option<[f64; 2]>,
    seconds: f64,
    run: &Path,
) -> String {
    let raw = raw.map(|[loss, accuracy]| {
        format!(" (without averaging {:.2} %, {loss:.4})", 100.0 * accuracy)
    });
    let [loss, accuracy] = test;
    format!(
        "test accuracy {:.2} %{}, average test loss {loss:.4}{}, wall time {}, run {}",
        100.0 * accuracy,
        interval(counts),
        raw.unwrap_or_default(),
        duration(seconds),
        run.display()
    )
}

/// Below so many test images, a percentage alone says more than is known.
const FEW_IMAGES: u64 = 1000;

/// The confidence interval of an accuracy over few images: of how many, and how many of them are right.
fn interval([correct, images]: [u64; 2]) -> String {
    match accuracy_interval(correct, images) {
        Some([low, high]) if images < FEW_IMAGES => format!(
            " (95 % interval {:.1} to {:.1} %, {images} images)",
            100.0 * low,
            100.0 * high
        ),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_the_test_came_to() {
        let evaluation = |loss, accuracy| Evaluation {
            images: 1000,
            loss,
            accuracy,
            accuracy_interval: Some([0.85, 0.89]),
            top5: 1.0,
            calibration_error: 0.0,
            classes: Vec::new(),
            confusion: Vec::new(),
            mistakes: Vec::new(),
        };
        let finished = Finished {
            test: evaluation(0.38, 0.871),
            raw: None,
            best_epoch: 3,
            history: Vec::new(),
            seconds: 61.0,
        };
        assert_eq!(
            final_line(&finished, Path::new("runs/mine")),
            "test accuracy 87.10 %, average test loss 0.3800, wall time 61.0 s, run runs/mine"
        );
        let finished = Finished {
            raw: Some(evaluation(0.41, 0.862)),
            ..finished
        };
        assert_eq!(
            final_line(&finished, Path::new("runs/mine")),
            "test accuracy 87.10 %, average test loss 0.3800 (without averaging 86.20 %, 0.4100), wall time 61.0 s, run runs/mine"
        );
        let few = Evaluation {
            images: 300,
            ..evaluation(0.38, 0.871)
        };
        let finished = Finished {
            test: few,
            raw: None,
            ..finished
        };
        assert_eq!(
            final_line(&finished, Path::new("runs/mine")),
            "test accuracy 87.10 % (95 % interval 82.7 to 90.3 %, 300 images), average test loss 0.3800, wall time 61.0 s, run runs/mine"
        );
    }

    #[test]
    fn a_resumed_run_says_where_it_goes_on() {
        let place = Place {
            epoch: 9,
            epochs: 16,
            steps: 12,
            steps_per_epoch: 169,
            is_trained: false,
            last_better: None,
        };
        assert_eq!(
            resumed_line(&place),
            "resumed: in epoch 9 of 16, after 12 of its 169 steps"
        );
        let place = Place { steps: 0, ..place };
        assert_eq!(resumed_line(&place), "resumed: epoch 9 of 16 is next");
        let place = Place {
            epochs: 6,
            is_trained: true,
            last_better: None,
            ..place
        };
        assert_eq!(
            resumed_line(&place),
            "resumed: 8 epochs are trained already and none is left; more of them with --epochs"
        );
    }

    #[test]
    fn long_times_are_readable() {
        assert_eq!(duration(599.0), "599.0 s");
        assert_eq!(duration(3600.0), "60.0 min");
        assert_eq!(duration(36_000.0), "10.0 h");
    }
}
