//! Ticks at round times along an axis, as on clocks.

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// Round steps from a second to less than a day.
const STEPS: [f64; 17] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
];

/// Returns the smallest round step that is at least `least`, both in seconds.
pub(super) fn round(least: f64) -> f64 {
    if least <= 0.5 {
        return super::decimal(least);
    }
    let step = STEPS.into_iter().find(|step| *step >= least * 0.999);
    step.unwrap_or_else(|| DAY * super::decimal(least / DAY).max(1.0))
}

/// Formats a time on an axis with the given step that ends at `end`; all its labels have the same
/// unit.
pub(super) fn label(seconds: f64, step: f64, end: f64) -> String {
    let (unit, name) = match end {
        180.0..10_800.0 => (MINUTE, " min"),
        10_800.0..172_800.0 => (HOUR, " h"),
        172_800.0.. => (DAY, " d"),
        _ => (1.0, " s"),
    };
    if step > 0.0 && step < 1.0 {
        return super::label(seconds, step) + " s";
    }
    if step % unit == 0.0 {
        return super::label(seconds / unit, step / unit) + name;
    }
    // Between whole units, as clocks show it.
    let (days, hours) = ((seconds / DAY).floor(), (seconds / HOUR).floor());
    let minutes = (seconds / MINUTE).floor();
    let (minute, second) = (minutes.rem_euclid(60.0), seconds.rem_euclid(MINUTE));
    if unit == MINUTE {
        format!("{minutes:.0}:{second:02.0} min")
    } else if unit == DAY {
        format!("{days:.0} d {:02.0}:{minute:02.0}", hours.rem_euclid(24.0))
    } else if step < MINUTE {
        format!("{hours:.0}:{minute:02.0}:{second:02.0} h")
    } else {
        format!("{hours:.0}:{minute:02.0} h")
    }
}

#[cfg(test)]
mod tests {
    use crate::ticks::{Scale, Unit};

    #[test]
    fn time_ticks_use_clock_units() {
        for (from, to, shown) in [
            (0.0, 4.0, &["0 s", "1 s", "2 s", "3 s", "4 s"][..]),
            (0.0, 63.0, &["0 s", "15 s", "30 s", "45 s", "60 s"]),
            (
                0.0,
                1200.0,
                &["0 min", "5 min", "10 min", "15 min", "20 min"],
            ),
            (
                600.0,
                700.0,
                &["10:00 min", "10:30 min", "11:00 min", "11:30 min"],
            ),
            (
                0.0,
                7200.0,
                &["0 min", "30 min", "60 min", "90 min", "120 min"],
            ),
            (0.0, 40_000.0, &["0 h", "3 h", "6 h", "9 h"]),
            (
                36_000.0,
                43_000.0,
                &["10:00 h", "10:30 h", "11:00 h", "11:30 h"],
            ),
            (
                36_000.0,
                36_040.0,
                &[
                    "10:00:00 h",
                    "10:00:10 h",
                    "10:00:20 h",
                    "10:00:30 h",
                    "10:00:40 h",
                ],
            ),
            (0.0, 1e6, &["0 d", "5 d", "10 d"]),
            (
                200_000.0,
                290_000.0,
                &["2 d 12:00", "2 d 18:00", "3 d 00:00", "3 d 06:00"],
            ),
        ] {
            let scale = Scale {
                low: from,
                high: to,
                log: false,
            };
            let ticks = scale.ticks(5, Unit::Time).into_iter();
            let labels: Vec<String> = ticks.map(|tick| tick.label).collect();
            assert_eq!(labels, shown);
        }
        let parts = super::label(12.2, 0.2, 13.0);
        assert_eq!(parts, "12.2 s");
    }
}
