//! The learning rate of each step.

use std::f64::consts::PI;
use std::fmt;

use burn::lr_scheduler::LrScheduler;
use burn::tensor::backend::Backend;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ConfigError;

/// How the learning rate falls from its highest value. But for `one-cycle` it rises to that in a
/// line over the warm-up, and what is told here begins after it.
///
/// In a file, it is a name that [`named`](Self::named) knows, or a table with such a name, but for
/// `linear`, as its `kind`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    deny_unknown_fields,
    remote = "Self"
)]
pub enum Schedule {
    /// To zero along half a cosine (Loshchilov and Hutter 2016,
    /// <https://arxiv.org/abs/1608.03983>, without restarts).
    #[default]
    Cosine,
    /// From a 25th of the highest rate up to it over the warm-up and down to a 250,000th, both along
    /// half a cosine (Smith and Topin 2017, <https://arxiv.org/abs/1708.07120>, as PyTorch's
    /// `OneCycleLR` with a constant momentum).
    OneCycle,
    /// To zero as a power of what is left of the run.
    Polynomial {
        /// 1 for a line, more for a curve that falls early; above 0, at most 10.
        #[serde(default = "parabola")]
        power: f64,
    },
    /// By a factor at certain points of the run (He et al. 2015,
    /// <https://arxiv.org/abs/1512.03385>).
    Step {
        /// The points as shares of the run, ascending, each above 0 and below 1.
        #[serde(default = "half_and_three_quarters")]
        at: Vec<f64>,
        /// What the rate is multiplied by at each, above 0, at most 1.
        #[serde(default = "tenth")]
        factor: f64,
    },
    /// Not at all.
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
    /// What [`named`](Self::named) knows.
    pub const NAMES: [&str; 6] = [
        "cosine",
        "one-cycle",
        "linear",
        "polynomial",
        "step",
        "constant",
    ];

    /// A schedule with its usual values: `linear` is a polynomial of power 1, `polynomial` one of
    /// power 2, `step` falls to a tenth after half and three quarters of the run.
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

/// The rates of a run, step by step.
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
            // A short run is not to end before its rate begins to fall.
            warmup_steps: warmup_steps.min(total_steps / 2),
            total_steps,
            steps: 0,
        }
    }

    /// That of the last step; 0 before the first.
    pub(crate) fn last(&self) -> f64 {
        self.steps
            .checked_sub(1)
            .map_or(0.0, |step| self.rate(step))
    }

    /// The rate of a step, counted from 0.
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

    /// A share of the highest rate.
    fn one_cycle(&self, step: usize) -> f64 {
        const FIRST: f64 = 1.0 / 25.0;
        const LAST: f64 = FIRST / 1e4;
        // The top is one step before the warm-up's end, and the last step is at the bottom.
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

/// From one value to another along half a cosine.
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
        // What has fallen is counted from the start of the run, not from the warm-up's end.
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
