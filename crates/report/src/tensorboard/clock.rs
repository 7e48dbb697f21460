//! Converts the time of a run to wall-clock time.

use events::Sitting;
use jiff::Timestamp;

/// The end of the year 9999, after which programs cannot show times.
const LAST: f64 = 253_402_300_799.0;

/// Converts the time of a run to wall-clock time.
pub(super) struct Clock {
    /// Start of each sitting: time of the run, ascending, and seconds since 1970.
    sittings: Vec<(f64, f64)>,
}

impl Clock {
    /// Creates a clock. A sitting with an unreadable start belongs to the previous one.
    pub(super) fn new(sittings: &[Sitting]) -> Self {
        let mut begun: Vec<(f64, f64)> = Vec::new();
        for sitting in sittings {
            let Ok(at) = sitting.at.parse::<Timestamp>() else {
                continue;
            };
            // Everything after the checkpoint that it continued from is discarded.
            while begun
                .last()
                .is_some_and(|&(seconds, _)| seconds >= sitting.seconds)
            {
                begun.pop();
            }
            begun.push((sitting.seconds, at.as_duration().as_secs_f64()));
        }
        Self { sittings: begun }
    }

    /// Returns the seconds since 1970 at a time of the run, or since the start of the run if that
    /// is unknown.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        let after = self.sittings.partition_point(|&(begun, _)| begun < seconds);
        let time = match self.sittings.get(after.saturating_sub(1)) {
            Some((begun, at)) => at + (seconds - begun),
            None => seconds,
        };
        match time.is_nan() {
            true => 0.0,
            false => time.clamp(0.0, LAST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sitting(at: &str, seconds: f64) -> Sitting {
        Sitting {
            at: at.to_owned(),
            seconds,
            ..Sitting::default()
        }
    }

    #[test]
    fn pauses_count_in_wall_time() {
        let clock = Clock::new(&[
            sitting("1970-01-01T01:00:00+01:00", 0.0),
            sitting("1970-01-01T00:10:00Z", 90.0),
            sitting("yesterday", 100.0),
            sitting("1970-01-01T01:00:00Z", 60.0),
        ]);
        for (seconds, time) in [
            (0.0, 0.0),
            (60.0, 60.0),
            (61.0, 3601.0),
            (95.0, 3635.0),
            (1e300, LAST),
            (f64::NAN, 0.0),
        ] {
            assert_eq!(clock.at(seconds), time, "{seconds}");
        }
        assert_eq!(Clock::new(&[]).at(7.0), 7.0);
    }
}
