//! Timing of the parts of a step.

use std::time::{Duration, Instant};

use events::{Event, Speed, round};

/// Parts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepPart {
    Waiting,
    Forward,
    Backward,
    Optimizer,
    Rest,
}

/// Approximate interval between speed events.
const TOLD: Duration = Duration::from_secs(1);

/// Times consecutive parts of steps and sums them up. On an asynchronous device, it measures the time to enqueue work;
/// if the device falls behind, the rest of a step includes waiting for the previous step.
#[derive(Debug)]
pub(crate) struct Laps {
    last: Instant,
    parts: [Duration; 5],
    steps: usize,
    images: usize,
}

impl Laps {
    pub(crate) fn start() -> Self {
        Self {
            last: Instant::now(),
            parts: [Duration::ZERO; 5],
            steps: 0,
            images: 0,
        }
    }

    /// Adds the time since the last call to a part.
    pub(crate) fn lap(&mut self, part: StepPart) {
        let now = Instant::now();
        self.parts[part as usize] += now - self.last;
        self.last = now;
    }

    /// Ends a step with the given number of images. Returns the speed of the last steps about once a second.
    pub(crate) fn step(&mut self, images: usize, seconds: f64, step: usize) -> Option<Event> {
        self.lap(StepPart::Rest);
        self.steps += 1;
        self.images += images;
        match self.whole() < TOLD {
            true => None,
            false => self.told(seconds, step),
        }
    }

    fn whole(&self) -> Duration {
        self.parts.iter().sum()
    }

    /// Returns the speed of the steps since the last event, if any.
    pub(crate) fn told(&mut self, seconds: f64, step: usize) -> Option<Event> {
        if self.steps == 0 {
            return None;
        }
        let whole = self.whole();
        let each =
            |part: StepPart| round(self.parts[part as usize].as_secs_f64() / self.steps as f64);
        let speed = Speed {
            seconds,
            step,
            images: round(self.images as f64 / whole.as_secs_f64()),
            waiting: each(StepPart::Waiting),
            forward: each(StepPart::Forward),
            backward: each(StepPart::Backward),
            optimizer: each(StepPart::Optimizer),
            rest: each(StepPart::Rest),
        };
        *self = Self {
            last: self.last,
            ..Self::start()
        };
        Some(Event::Speed(speed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_time_of_a_step() {
        let mut laps = Laps::start();
        assert!(laps.step(32, 0.1, 1).is_none());
        laps.parts = [100, 200, 300, 400, 1000].map(Duration::from_millis);
        laps.lap(StepPart::Forward);
        let Some(Event::Speed(speed)) = laps.step(32, 0.2, 2) else {
            panic!("a second is over");
        };
        assert_eq!((speed.step, speed.seconds), (2, 0.2));
        assert!((speed.backward - 0.15).abs() < 1e-3, "{speed:?}");
        let parts = [
            speed.waiting,
            speed.forward,
            speed.backward,
            speed.optimizer,
            speed.rest,
        ];
        let each: f64 = parts.iter().sum();
        assert!((speed.images - 32.0 / each).abs() < 0.1, "{speed:?}");
        assert_eq!(laps.steps, 0);
    }
}
