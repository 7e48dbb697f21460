//! Parts of a step, and the mean speed of a run.

use crate::event::Speed;
use crate::history::History;

impl Speed {
    /// Names of the parts of a step.
    pub const PARTS: [&str; 5] = ["waiting", "forward", "backward", "optimizer", "rest"];

    /// Returns the seconds of each of the [`PARTS`](Self::PARTS).
    pub fn parts(&self) -> [f64; 5] {
        [
            self.waiting,
            self.forward,
            self.backward,
            self.optimizer,
            self.rest,
        ]
    }

    /// Returns the total duration of a step.
    pub fn whole(&self) -> f64 {
        self.parts().iter().sum()
    }
}

impl History {
    /// Returns the means over all steps with a known speed: of the parts of a step, and of images
    /// per second, which is the total number of images divided by the total time. `step` is the
    /// last of these steps. Returns `None` if there are none.
    pub fn mean_speed(&self) -> Option<Speed> {
        let counted = self.speeds.iter().zip(self.steps_of_speeds());
        let counted: Vec<(&Speed, f64)> = counted.filter(|(_, steps)| *steps > 0.0).collect();
        let (last, _) = counted.last()?;
        let [waiting, forward, backward, optimizer, rest] = std::array::from_fn(|part| {
            let times = counted.iter();
            mean(times.map(|(speed, steps)| (speed.parts()[part], *steps)))
        });
        let rates = counted
            .iter()
            .map(|(speed, steps)| (speed.images, steps * speed.whole()));
        Some(Speed {
            images: mean(rates),
            waiting,
            forward,
            backward,
            optimizer,
            rest,
            ..**last
        })
    }

    /// Returns the number of steps that each speed is averaged over: those since the previous
    /// speed, or since the start of the sitting.
    fn steps_of_speeds(&self) -> impl Iterator<Item = f64> {
        let mut begins = self.begins().into_iter().peekable();
        let mut before = 0;
        self.speeds.iter().map(move |speed| {
            while let Some(begin) = begins.next_if(|&begin| begin < speed.step) {
                before = before.max(begin);
            }
            let steps = speed.step.saturating_sub(before);
            before = before.max(speed.step);
            steps as f64
        })
    }

    /// Returns the steps at which sittings began, except those that a later sitting discarded.
    fn begins(&self) -> Vec<usize> {
        let mut begins = Vec::new();
        for sitting in &self.sittings {
            begins.retain(|&begin| begin < sitting.step);
            begins.push(sitting.step);
        }
        begins
    }
}

/// Returns the weighted mean of values; NaN values are skipped.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, weight) in values {
        if value.is_finite() && weight.is_finite() && weight > 0.0 {
            sum += value * weight;
            weights += weight;
        }
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Resumed};

    /// Returns a speed with 10 images per step.
    fn speed(step: usize, seconds: f64) -> Event {
        Event::Speed(Speed {
            step,
            images: 10.0 / seconds,
            forward: 0.25 * seconds,
            backward: 0.75 * seconds,
            ..Speed::default()
        })
    }

    fn resumed(step: usize) -> Event {
        Event::Resumed(Resumed {
            at: String::new(),
            seconds: 0.0,
            step,
            epochs_done: 0,
            command: vec![],
            folder: None,
            device: String::new(),
            ..Resumed::default()
        })
    }

    fn mean_of(events: impl IntoIterator<Item = Event>) -> Option<[f64; 3]> {
        let mut history = History::default();
        history.push(Event::Started(Box::default()));
        events.into_iter().for_each(|event| history.push(event));
        let mean = history.mean_speed()?;
        Some([mean.images, mean.forward, mean.backward])
    }

    #[test]
    fn speed_weighs_steps_equally() {
        // 8 steps of 0.125 s, then 2 of 0.5 s: 10 steps in 2 s.
        let slowed = mean_of([speed(8, 0.125), speed(10, 0.5)]);
        assert_eq!(slowed, Some([50.0, 0.05, 0.15]));
        assert_eq!(mean_of([]), None);
        assert_eq!(mean_of([speed(0, 1.0)]), None);
    }

    #[test]
    fn session_speed_starts_at_session_start() {
        // Steps 9 to 12 have no recorded speed, and those after 12 are in the second sitting.
        let expected = mean_of([speed(8, 0.125), speed(10, 0.5)]);
        let events = [speed(8, 0.125), resumed(12), speed(14, 0.5)];
        assert_eq!(mean_of(events), expected);
        // A third sitting begins before the second one did.
        let events = [resumed(12), speed(14, 9.0), resumed(4), speed(20, 0.5)];
        assert_eq!(mean_of(events), Some([20.0, 0.125, 0.375]));
        let events = [
            speed(4, 0.125),
            resumed(12),
            resumed(4),
            speed(20, 0.25),
            resumed(20),
            speed(24, 0.5),
        ];
        assert_eq!(mean_of(events).unwrap()[0], 240.0 / 6.5);
    }

    #[test]
    fn non_finite_values_are_skipped() {
        let broken = Event::Speed(Speed {
            step: 12,
            images: f64::NAN,
            forward: f64::INFINITY,
            backward: 0.5,
            ..Speed::default()
        });
        let mean = mean_of([speed(8, 0.125), broken]).unwrap();
        assert_eq!(mean[..2], [80.0, 0.03125]);
    }
}
