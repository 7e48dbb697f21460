//! The table of runs.

use jiff::fmt::temporal::Pieces;

use super::summary::RunSummary;
use crate::table::{shortened, table};

/// Columns that a cell may take.
const WIDEST: usize = 60;

/// Runs as a table, a line for each below one of names; why runs failed stands in the last column, if any
/// did.
pub fn listing(runs: &[RunSummary]) -> String {
    let mut header = [
        "name", "state", "data", "model", "device", "epochs", "accuracy", "loss", "test", "time",
        "started",
    ]
    .map(str::to_owned)
    .to_vec();
    let has_reasons = runs.iter().any(|run| run.reason.is_some());
    if has_reasons {
        header.push("why".to_owned());
    }
    let mut rows = vec![header];
    rows.extend(runs.iter().map(|run| row(run, has_reasons)));
    table(&rows, &(5..10))
}

fn row(run: &RunSummary, has_reasons: bool) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let share = |share: Option<f64>| share.map(|share| format!("{:.2} %", 100.0 * share));
    let epochs = match run.epochs {
        Some(epochs) => format!("{}/{epochs}", run.epochs_done),
        None => run.epochs_done.to_string(),
    };
    let mut row = vec![
        run.name.clone(),
        run.state.name().to_owned(),
        text(&run.data),
        text(&run.model),
        text(&run.device),
        epochs,
        share(run.accuracy).unwrap_or_default(),
        run.loss
            .map(|loss| format!("{loss:.4}"))
            .unwrap_or_default(),
        share(run.test_accuracy).unwrap_or_default(),
        run.seconds.map(time).unwrap_or_default(),
        run.started.as_deref().map(minute).unwrap_or_default(),
    ];
    if has_reasons {
        row.push(text(&run.reason));
    }
    row.iter().map(|cell| shortened(cell, WIDEST)).collect()
}

/// A time in the unit that suits it.
fn time(seconds: f64) -> String {
    let (unit, name) = match seconds {
        ..60.0 => (1.0, "s"),
        ..3600.0 => (60.0, "min"),
        ..172_800.0 => (3600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{:.1} {name}", seconds / unit)
}

/// A time of RFC 3339 to the minute, on the clock of the place where it was written.
fn minute(started: &str) -> String {
    let Ok(pieces) = Pieces::parse(started) else {
        return String::new();
    };
    let time = pieces.time().unwrap_or_default();
    format!("{} {:02}:{:02}", pieces.date(), time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunState;
    use std::path::Path;

    fn empty(name: &str, state: RunState) -> RunSummary {
        RunSummary::empty(name.to_owned(), Path::new(name), state)
    }

    #[test]
    fn a_line_for_each_run() {
        let mut runs = vec![
            RunSummary {
                data: Some("sample".to_owned()),
                model: Some("resnet8".to_owned()),
                device: Some("flex".to_owned()),
                epochs_done: 16,
                epochs: Some(16),
                accuracy: Some(0.8883),
                loss: Some(0.3857),
                test_accuracy: Some(0.897),
                seconds: Some(24.8),
                started: Some("2026-11-22T12:52:07+01:00".to_owned()),
                ..empty("study/plain-20", RunState::Finished)
            },
            RunSummary {
                seconds: Some(1224.0),
                started: Some("\u{1b}[2J".to_owned()),
                ..empty("\u{1b}[2J\u{202e}犬\n", RunState::Crashed)
            },
        ];
        insta::assert_snapshot!(listing(&runs), @r"
        name            state     data    model    device  epochs  accuracy    loss     test      time  started
        study/plain-20  finished  sample  resnet8  flex     16/16   88.83 %  0.3857  89.70 %    24.8 s  2026-11-22 12:52
        �[2J�犬�        crashed                                 0                             20.4 min
        ");
        runs[1].state = RunState::Failed;
        runs[1].reason = Some(format!("no space left\n{}", "x".repeat(100)));
        insta::assert_snapshot!(listing(&runs), @r"
        name            state     data    model    device  epochs  accuracy    loss     test      time  started           why
        study/plain-20  finished  sample  resnet8  flex     16/16   88.83 %  0.3857  89.70 %    24.8 s  2026-11-22 12:52
        �[2J�犬�        failed                                  0                             20.4 min                    no space left�xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
        ");
        insta::assert_snapshot!(listing(&[]), @"name  state  data  model  device  epochs  accuracy  loss  test  time  started");
    }

    #[test]
    fn times_have_units() {
        let times = [0.0, 59.0, 61.0, 3700.0, 40.0 * 3600.0, 1e6].map(time);
        assert_eq!(
            times,
            ["0.0 s", "59.0 s", "1.0 min", "1.0 h", "40.0 h", "11.6 d"]
        );
        let absurd = RunSummary {
            seconds: Some(1e300),
            loss: Some(-1e300),
            epochs_done: usize::MAX,
            ..empty("a", RunState::Crashed)
        };
        assert!(listing(&[absurd]).lines().all(|line| line.len() < 300));
    }
}
