//! The learning rate of each step.

use std::f64::consts::PI;
use std::fmt;

use burn::lr_scheduler::LrScheduler;
use burn::tensor::backend::Backend;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ConfigError;

/// Decay of the learning rate from its highest value. Except for `one-cycle`, the rate first rises linearly to that
/// value over the warm-up, and the decay described here starts afterwards.
///
/// In a file, a schedule is a name that [`named`](Self::named) accepts, or a table with such a name, except `linear`,
/// as its `kind`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    deny_unknown_fields,
    remote = "Self"
)]
pub enum Schedule {
    /// Falls to zero along half a cosine (Loshchilov and Hutter 2016,
    /// <https://arxiv.org/abs/1608.03983>, without restarts).
    #[default]
    Cosine,
    /// Rises from 1/25 of the highest rate to that rate over the warm-up, then falls to 1/250,000 of it, both along
    /// half a cosine (Smith and Topin 2017, <https://arxiv.org/abs/1708.07120>, like PyTorch's `OneCycleLR` with
    /// constant momentum).
    OneCycle,
    /// Falls to zero as a power of the remaining share of the run.
    Polynomial {
        /// Exponent, above 0, at most 10; 1 gives a line, and higher values fall earlier.
        #[serde(default = "parabola")]
        power: f64,
    },
    /// Falls by a factor at certain points of the run (He et al. 2015,
    /// <https://arxiv.org/abs/1512.03385>).
    Step {
        /// Points as shares of the run, ascending, each above 0 and below 1.
        #[serde(default = "half_and_three_quarters")]
        at: Vec<f64>,
        /// Factor that multiplies the rate at each point, above 0, at most 1.
        #[serde(default = "tenth")]
        factor: f64,
    },
    /// Stays at its highest value.
    Constant,
}

fn parabola() -> f64 {
    2.0
}

fn half_and_three_quarters() -> Vec<f64> {
    vec![0.5, 0.75]
}

fn tenth() -> f64 {
    0.1
}

impl Schedule {
    /// Names that [`named`](Self::named) accepts.
    pub const NAMES: [&str; 6] = [
        "cosine",
        "one-cycle",
        "linear",
        "polynomial",
        "step",
        "constant",
    ];

    /// Returns a schedule with its default values: `linear` is a polynomial of power 1, `polynomial` one of power 2,
    /// and `step` multiplies the rate by 0.1 after half and again after three quarters of the run.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "cosine" => Some(Self::Cosine),
            "one-cycle" => Some(Self::OneCycle),
            "linear" => Some(Self::Polynomial { power: 1.0 }),
            "polynomial" => Some(Self::Polynomial { power: parabola() }),
            "step" => Some(Self::Step {
                at: half_and_three_quarters(),
                factor: tenth(),
            }),
            "constant" => Some(Self::Constant),
            _ => None,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |key, value: &dyn std::fmt::Debug, range| ConfigError::OutOfRange {
            key,
            value: format!("{value:?}"),
            range,
        };
        match self {
            Self::Polynomial { power } if !(*power > 0.0 && *power <= 10.0) => {
                Err(wrong("schedule.power", power, "above 0, at most 10"))
            }
            Self::Step { factor, .. } if !(*factor > 0.0 && *factor <= 1.0) => {
                Err(wrong("schedule.factor", factor, "above 0, at most 1"))
            }
            Self::Step { at, .. } => {
                let inside = at.iter().all(|share| *share > 0.0 && *share < 1.0);
                let ascending = at.windows(2).all(|pair| pair[0] < pair[1]);
                match inside && ascending && !at.is_empty() {
                    true => Ok(()),
                    false => Err(wrong(
                        "schedule.at",
                        at,
                        "one or more shares of the run, ascending, above 0 and below 1",
                    )),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Schedule;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} or a table with a kind",
            Schedule::NAMES.join(", ")
        )
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Schedule, E> {
        Schedule::named(name).ok_or_else(|| E::invalid_value(Unexpected::Str(name), &self))
    }

    fn visit_map<M: MapAccess<'de>>(self, table: M) -> Result<Schedule, M::Error> {
        Schedule::deserialize(MapAccessDeserializer::new(table))
    }
}

/// Learning rates of a run, step by step.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    schedule: Schedule,
    highest: f64,
    warmup_steps: usize,
    total_steps: usize,
    /// Steps taken.
    steps: usize,
}

impl Rates {
    pub(crate) fn new(
        schedule: Schedule,
        highest: f64,
        warmup_steps: usize,
        total_steps: usize,
    ) -> Self {
        Self {
            schedule,
            highest,
            // Otherwise, a short run could end before its rate begins to fall.
            warmup_steps: warmup_steps.min(total_steps / 2),
            total_steps,
            steps: 0,
        }
    }

    /// Returns the rate of the last step, or 0 before the first.
    pub(crate) fn last(&self) -> f64 {
        self.steps
            .checked_sub(1)
            .map_or(0.0, |step| self.rate(step))
    }

    /// Returns the rate of a step, counted from 0.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        if self.schedule == Schedule::OneCycle {
            return self.highest * self.one_cycle(step);
        }
        if step < self.warmup_steps {
            return self.highest * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let falling = (self.total_steps - self.warmup_steps).max(1) as f64;
        let progress = ((step - self.warmup_steps) as f64 / falling).min(1.0);
        let share = match &self.schedule {
            Schedule::Cosine => half_cosine(1.0, 0.0, progress),
            Schedule::Polynomial { power } => (1.0 - progress).powf(*power),
            Schedule::Step { at, factor } => {
                let run = step as f64 / self.total_steps.max(1) as f64;
                let passed = at.iter().filter(|share| **share <= run).count();
                factor.powi(i32::try_from(passed).unwrap_or(i32::MAX))
            }
            Schedule::Constant | Schedule::OneCycle => 1.0,
        };
        self.highest * share
    }

    /// Returns the rate of a step as a share of the highest rate.
    fn one_cycle(&self, step: usize) -> f64 {
        const FIRST: f64 = 1.0 / 25.0;
        const LAST: f64 = FIRST / 1e4;
        // The peak is one step before the end of the warm-up, and the last step has the lowest rate.
        let top = self.warmup_steps.saturating_sub(1) as f64;
        let bottom = self.total_steps.saturating_sub(1) as f64;
        let step = step as f64;
        if step < top {
            half_cosine(FIRST, 1.0, step / top)
        } else {
            let falling = (bottom - top).max(1.0);
            half_cosine(1.0, LAST, ((step - top) / falling).min(1.0))
        }
    }
}

/// Interpolates between two values along half a cosine.
fn half_cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * progress).cos())
}

impl LrScheduler for Rates {
    type Record<B: Backend> = usize;

    fn step(&mut self) -> f64 {
        let rate = self.rate(self.steps);
        self.steps += 1;
        rate
    }

    fn to_record<B: Backend>(&self) -> usize {
        self.steps
    }

    fn load_record<B: Backend>(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    fn rates(schedule: Schedule, highest: f64, warmup: usize, total: usize) -> Vec<f64> {
        let mut rates = Rates::new(schedule, highest, warmup, total);
        (0..total + 4).map(|_| rates.step()).collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    #[test]
    fn cosine_rises_then_falls() {
        let rates = rates(Schedule::Cosine, 0.4, 4, 12);
        assert_close(&rates[..5], &[0.1, 0.2, 0.3, 0.4, 0.4]);
        assert!((rates[8] - 0.2).abs() < 1e-12);
        assert!(rates[4..12].windows(2).all(|pair| pair[1] < pair[0]));
        assert!(rates[12..].iter().all(|&rate| rate.abs() < 1e-12));
    }

    #[test]
    fn one_cycle_matches_pytorch() {
        // OneCycleLR(max_lr=0.5, total_steps=10, pct_start=0.3, cycle_momentum=False)
        let expected = [
            0.02,
            0.26,
            0.5,
            0.475242316,
            0.405872827,
            0.305631011,
            0.194370989,
            0.094129173,
            0.024759684,
            0.000002,
        ];
        for (found, expected) in rates(Schedule::OneCycle, 0.5, 3, 10).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-8, "{found} is not {expected}");
        }
    }

    #[test]
    fn other_schedules_decay_as_documented() {
        let named = |name| rates(Schedule::named(name).unwrap(), 1.0, 0, 8);
        assert_close(&named("linear"), &[1.0, 0.875, 0.75, 0.625, 0.5]);
        assert_close(&named("polynomial"), &[1.0, 0.765625, 0.5625]);
        assert_close(
            &named("step"),
            &[1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01],
        );
        assert_close(&named("constant"), &[1.0; 8]);
        // Points are counted from the start of the run, not from the end of the warm-up.
        let warm = rates(Schedule::named("step").unwrap(), 1.0, 2, 8);
        assert_close(&warm, &[0.5, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01]);
    }

    #[test]
    fn schedules_round_trip_and_validate() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Table {
            schedule: Schedule,
        }
        for name in Schedule::NAMES {
            let schedule = Schedule::named(name).unwrap();
            schedule.validate().unwrap();
            let table = Table { schedule };
            let text = toml::to_string(&table).unwrap();
            assert_eq!(toml::from_str::<Table>(&text).unwrap(), table, "{text}");
        }
        assert_eq!(Schedule::named("cosines"), None);
        for name in Schedule::NAMES {
            let text = format!("schedule = \"{name}\"");
            let table: Table = toml::from_str(&text).unwrap();
            assert_eq!(Some(table.schedule), Schedule::named(name));
        }
        for name in Schedule::NAMES.into_iter().filter(|name| *name != "linear") {
            let text = format!("schedule = {{ kind = \"{name}\" }}");
            let table: Table = toml::from_str(&text).unwrap();
            assert_eq!(Some(table.schedule), Schedule::named(name), "{text}");
        }
        let error = toml::from_str::<Table>("schedule = \"cosines\"").unwrap_err();
        assert!(error.message().contains("one-cycle"), "{error}");
        for wrong in [
            "{ kind = \"step\", at = [0.5, 0.5] }",
            "{ kind = \"step\", at = [1.0] }",
            "{ kind = \"step\", at = [] }",
            "{ kind = \"step\", factor = 0.0 }",
            "{ kind = \"polynomial\", power = nan }",
        ] {
            let table: Table = toml::from_str(&format!("schedule = {wrong}")).unwrap();
            let error = table.schedule.validate().unwrap_err().to_string();
            assert!(error.contains("`schedule."), "{error}");
        }
        assert!(toml::from_str::<Table>("schedule = { kind = \"step\", when = [0.5] }").is_err());
    }

    #[test]
    fn warmup_takes_at_most_half_of_run() {
        for schedule in [Schedule::Cosine, Schedule::OneCycle] {
            let rates = rates(schedule, 1.0, 100, 10);
            let (rising, falling) = rates[..10].split_at(5);
            assert!(rising.windows(2).all(|pair| pair[1] > pair[0]) && rising[4] == 1.0);
            assert!(falling.windows(2).all(|pair| pair[1] < pair[0]));
        }
    }

    #[test]
    fn schedule_continues_from_saved_step() {
        let mut whole = Rates::new(Schedule::Cosine, 0.1, 3, 20);
        (0..7).for_each(|_| {
            whole.step();
        });
        let record = whole.to_record::<Flex>();
        let new = Rates::new(Schedule::Cosine, 0.1, 3, 20);
        assert_eq!(new.last(), 0.0);
        let mut resumed = new.load_record::<Flex>(record);
        assert_eq!(resumed.last(), whole.last());
        assert_eq!(resumed.step(), whole.step());
        assert_eq!(resumed.last(), resumed.rate(7));
    }
}
