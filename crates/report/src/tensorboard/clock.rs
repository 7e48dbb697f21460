//! What time it was.

use events::Sitting;
use jiff::Timestamp;

/// The end of the year 9999: programs that show times know none after it.
const LAST: f64 = 253_402_300_799.0;

/// Tells the time of the day from the time that a run had taken.
pub(super) struct Clock {
    /// Time of the run that each sitting began at, ascending, and seconds since 1970 there.
    sittings: Vec<(f64, f64)>,
}

impl Clock {
    /// A sitting whose begin cannot be read counts to the one before.
    pub(super) fn new(sittings: &[Sitting]) -> Self {
        let mut begun: Vec<(f64, f64)> = Vec::new();
        for sitting in sittings {
            let Ok(at) = sitting.at.parse::<Timestamp>() else {
                continue;
            };
            // What came after the checkpoint that it went on from does not count any more.
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

    /// Seconds since 1970 when the run had taken this long; since the begin of the run, if it is not
    /// known when that was.
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
    fn pauses_are_counted() {
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
