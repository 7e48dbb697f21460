//! What standard output says of a run.

use indicatif::ProgressBar;
use train::{EpochReport, Finished, Observer, Place, Plan, Score};

use super::held_back::HeldBack;
use super::lines::picture_bar;
use super::ui::Shown;
use super::unreadable::UnreadableNews;

/// Prints a line for each epoch, as soon as nothing hides the terminal.
pub(crate) struct Reporter {
    lines: HeldBack,
    shown: Shown,
    /// What the pictures are called that each epoch is scored on.
    scored_on: &'static str,
    test_bar: Option<ProgressBar>,
    unreadable: UnreadableNews,
}

impl Reporter {
    pub(crate) fn new(
        lines: HeldBack,
        shown: Shown,
        plan: &Plan,
        unreadable: UnreadableNews,
    ) -> Self {
        Self {
            lines,
            shown,
            scored_on: scored_on(plan),
            test_bar: None,
            unreadable,
        }
    }

    fn warn(&mut self) {
        if let Some(line) = self.unreadable.line() {
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
            self.lines.print(epoch_line(report, self.scored_on));
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
            let bar = picture_bar(total);
            bar.set_message("test");
            bar
        });
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.burn_closed();
        self.warn();
    }
}

/// What the pictures are called that each epoch is scored on.
fn scored_on(plan: &Plan) -> &'static str {
    match plan.config.scores_on_test() {
        true => "test",
        false => "validation",
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

fn epoch_line(report: &EpochReport, scored_on: &str) -> String {
    let EpochReport {
        epoch,
        epochs,
        train,
        validation,
        averaged,
        learning_rate,
        seconds,
        best,
    } = report;
    let averaged = averaged.map(|averaged| format!("  average {}", score(&averaged)));
    let averaged = averaged.unwrap_or_default();
    let train = train.map_or_else(|| "none left".to_owned(), |train| score(&train));
    let mark = if *best { "  best" } else { "" };
    format!(
        "epoch {epoch:>width$}/{epochs}  train {train}  {scored_on} {}{averaged}  rate {learning_rate:.5}  {seconds:.1} s{mark}",
        score(validation),
        width = epochs.to_string().len(),
    )
}

fn score(score: &Score) -> String {
    format!(
        "loss {:.4} accuracy {:.2} %",
        score.loss,
        100.0 * score.accuracy
    )
}

/// The line that a run ends with.
pub(crate) fn final_line(finished: &Finished, run: &std::path::Path) -> String {
    let raw = finished.raw.as_ref().map(|raw| {
        format!(
            " (without averaging {:.2} %, {:.4})",
            100.0 * raw.accuracy,
            raw.loss
        )
    });
    format!(
        "test accuracy {:.2} %, average test loss {:.4}{}, wall time {}, run {}",
        100.0 * finished.test.accuracy,
        finished.test.loss,
        raw.unwrap_or_default(),
        duration(finished.seconds),
        run.display()
    )
}

fn duration(seconds: f64) -> String {
    match seconds {
        short if short < 600.0 => format!("{short:.1} s"),
        medium if medium < 36_000.0 => format!("{:.1} min", medium / 60.0),
        long => format!("{:.1} h", long / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use train::Evaluation;

    #[test]
    fn lines_say_what_happened() {
        let report = EpochReport {
            epoch: 3,
            epochs: 12,
            train: Some(Score {
                loss: 0.51,
                accuracy: 0.8125,
            }),
            validation: Score {
                loss: 0.4,
                accuracy: 0.85,
            },
            averaged: None,
            learning_rate: 0.05,
            seconds: 12.34,
            best: true,
        };
        assert_eq!(
            epoch_line(&report, "validation"),
            "epoch  3/12  train loss 0.5100 accuracy 81.25 %  validation loss 0.4000 accuracy 85.00 %  rate 0.05000  12.3 s  best"
        );
        let report = EpochReport {
            averaged: Some(Score {
                loss: 0.3,
                accuracy: 0.9,
            }),
            ..report
        };
        let line = epoch_line(&report, "validation");
        assert!(
            line.contains("85.00 %  average loss 0.3000 accuracy 90.00 %  rate"),
            "{line}"
        );
        let evaluation = |loss, accuracy| Evaluation {
            pictures: 1000,
            loss,
            accuracy,
            top5: 1.0,
            calibration_error: 0.0,
            classes: Vec::new(),
            confusion: Vec::new(),
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
