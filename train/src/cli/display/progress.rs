//! Lines of a run on standard output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::format::short_duration;
use events::{Event, Metrics, Progress, Resumed, Tested, Work, accuracy_interval};
use indicatif::ProgressBar;
use train::{Listener, Plan};

use crate::cli::display::bar::{TrainingBar, image_bar};
use crate::cli::display::epoch_line::{EpochFacts, EpochLine};
use crate::cli::display::held_back::HeldBack;
use crate::cli::display::ui::Shown;
use crate::cli::display::unreadable::UnreadableNews;

/// Prints a line for each epoch, once the terminal is free.
pub(crate) struct Reporter {
    lines: HeldBack,
    shown: Shown,
    plan: Arc<Plan>,
    bar: TrainingBar,
    test_bar: Option<ProgressBar>,
    /// Learning rate of the last step.
    rate: Option<f64>,
    unreadable: UnreadableNews,
    /// The run's folder, if the final line is printed.
    result: Option<PathBuf>,
}

impl Reporter {
    pub(crate) fn new(
        lines: HeldBack,
        shown: Shown,
        plan: Arc<Plan>,
        bar: ProgressBar,
        unreadable: UnreadableNews,
        result: Option<PathBuf>,
    ) -> Self {
        Self {
            lines,
            shown,
            bar: TrainingBar::new(bar, &plan),
            plan,
            test_bar: None,
            rate: None,
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

    fn say(&self, line: impl FnOnce(&Self) -> String) {
        if self.shown != Shown::Nothing {
            self.lines.print(line(self));
        }
    }

    /// Shows the number of test images done.
    fn tested(&mut self, progress: &Progress) {
        self.bar.clear();
        self.burn_closed();
        self.warn();
        if self.shown == Shown::Nothing || self.lines.is_hidden() {
            return;
        }
        let bar = self.test_bar.get_or_insert_with(|| {
            let bar = image_bar(progress.total);
            bar.set_message("test");
            bar
        });
        bar.set_position(progress.done as u64);
        if progress.done == progress.total {
            bar.finish_and_clear();
        }
    }

    /// burn-train's dashboard closes before the test, or when the run stops.
    fn burn_closed(&self) {
        if self.shown == Shown::Burn {
            self.lines.release();
        }
    }
}

impl Listener for Reporter {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Resumed(resumed) => self.say(|reporter| resumed_line(resumed, &reporter.plan)),
            Event::Step(step) => {
                self.rate = step.metrics.get("rate");
                self.bar.step(step.epoch, step.step);
            }
            Event::Progress(Progress {
                work: Work::Validation,
                ..
            }) => self.bar.score(),
            Event::Progress(progress) => self.tested(progress),
            Event::Epoch(epoch) => {
                let rate = self.rate;
                self.say(|reporter| {
                    EpochLine::new(epoch, &EpochFacts::of(&reporter.plan), rate).text()
                });
                self.warn();
                if let Some(best) = epoch.ended_early {
                    self.bar.clear();
                    self.say(|_| {
                        format!(
                            "ended early: no epoch was better than epoch {best} within --patience"
                        )
                    });
                }
            }
            Event::Tested(tested) => {
                if let Some(run) = &self.result {
                    self.lines.print(tested_line(tested, run));
                }
            }
            _ => {}
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.bar.clear();
        self.burn_closed();
        self.warn();
    }
}

fn resumed_line(resumed: &Resumed, plan: &Plan) -> String {
    let Resumed {
        step, epochs_done, ..
    } = *resumed;
    let epochs = plan.config.epochs;
    if let Some(best) = resumed.ended_early {
        return format!(
            "resumed: {epochs_done} epochs are trained, none better than epoch {best} within --patience; raise \
             --patience to train more"
        );
    }
    if epochs_done >= epochs {
        return format!(
            "resumed: all {epochs_done} epochs are trained; raise --epochs to train more"
        );
    }
    let epoch = epochs_done + 1;
    match step.saturating_sub(epochs_done * plan.steps_per_epoch) {
        0 => format!("resumed: epoch {epoch} of {epochs} is next"),
        steps => format!(
            "resumed: in epoch {epoch} of {epochs}, after {steps} of its {} steps",
            plan.steps_per_epoch
        ),
    }
}

/// Returns the final line of a run.
pub(crate) fn tested_line(tested: &Tested, run: &Path) -> String {
    let score = |metrics: &Metrics| {
        let figure = |name| metrics.get(name).unwrap_or(f64::NAN);
        [figure("loss"), figure("accuracy")]
    };
    let raw = tested.raw.as_ref().map(score);
    let raw = raw.map(|[loss, accuracy]| {
        format!(" (without averaging {:.2} %, {loss:.4})", 100.0 * accuracy)
    });
    let [loss, accuracy] = score(&tested.metrics);
    format!(
        "test accuracy {:.2} %{}, average test loss {loss:.4}{}, wall time {}, run {}",
        100.0 * accuracy,
        interval(tested.counts()),
        raw.unwrap_or_default(),
        short_duration(tested.seconds),
        run.display()
    )
}

/// Number of test images below which the final line has a confidence interval.
const FEW_IMAGES: u64 = 1000;

/// Returns the confidence interval of an accuracy over few images, given their number and how many are correct.
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
    use train::TrainConfig;

    #[test]
    fn last_line_shows_test_metrics() {
        let metrics = |loss, accuracy| Metrics::from_iter([("loss", loss), ("accuracy", accuracy)]);
        let tested = Tested {
            seconds: 61.0,
            epoch: 3,
            metrics: metrics(0.38, 0.871),
            raw: None,
            confusion: vec![(0, 0, 871), (0, 1, 129)],
            mistakes: Vec::new(),
        };
        let line = |tested: &Tested| tested_line(tested, Path::new("runs/mine"));
        assert_eq!(
            line(&tested),
            "test accuracy 87.10 %, average test loss 0.3800, wall time 61.0 s, run runs/mine"
        );
        let averaged = Tested {
            raw: Some(metrics(0.41, 0.862)),
            ..tested.clone()
        };
        assert_eq!(
            line(&averaged),
            "test accuracy 87.10 %, average test loss 0.3800 (without averaging 86.20 %, 0.4100), wall time 61.0 s, run runs/mine"
        );
        let few = Tested {
            confusion: vec![(0, 0, 261), (0, 1, 39)],
            ..tested
        };
        assert_eq!(
            line(&few),
            "test accuracy 87.10 % (95 % interval 82.7 to 90.3 %, 300 images), average test loss 0.3800, wall time 61.0 s, run runs/mine"
        );
    }

    #[test]
    fn resumed_line_states_position() {
        let config = TrainConfig::default().with_epochs(16);
        let plan = Plan::new(config, &|_| {}).unwrap();
        let line = |epochs_done, steps, ended_early| {
            let resumed = Resumed {
                epochs_done,
                step: epochs_done * plan.steps_per_epoch + steps,
                ended_early,
                ..Resumed::default()
            };
            resumed_line(&resumed, &plan)
        };
        assert_eq!(
            line(8, 12, None),
            "resumed: in epoch 9 of 16, after 12 of its 169 steps"
        );
        assert_eq!(line(8, 0, None), "resumed: epoch 9 of 16 is next");
        assert_eq!(
            line(16, 0, None),
            "resumed: all 16 epochs are trained; raise --epochs to train more"
        );
        let early = line(8, 0, Some(5));
        assert!(early.contains("better than epoch 5"), "{early}");
    }
}
