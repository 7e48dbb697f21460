//! The learning rate of each step.

use burn::lr_scheduler::LrScheduler;
use burn::tensor::backend::Backend;

/// Rises in a line from near zero over the warm-up, then falls to zero along half a cosine
/// (Loshchilov and Hutter 2016, <https://arxiv.org/abs/1608.03983>, without restarts).
#[derive(Clone, Debug)]
pub(crate) struct WarmupCosine {
    highest: f64,
    warmup_steps: usize,
    total_steps: usize,
    /// Steps taken.
    steps: usize,
}

impl WarmupCosine {
    pub(crate) fn new(highest: f64, warmup_steps: usize, total_steps: usize) -> Self {
        Self {
            highest,
            warmup_steps: warmup_steps.min(total_steps),
            total_steps,
            steps: 0,
        }
    }

    /// The rate of a step, counted from 0.
    fn rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.highest * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let falling = (self.total_steps - self.warmup_steps).max(1) as f64;
        let progress = ((step - self.warmup_steps) as f64 / falling).min(1.0);
        self.highest * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}

impl LrScheduler for WarmupCosine {
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

    #[test]
    fn rises_then_falls_and_never_comes_back() {
        let mut schedule = WarmupCosine::new(0.4, 4, 12);
        let rates: Vec<f64> = (0..16).map(|_| schedule.step()).collect();
        assert_eq!(&rates[..5], &[0.1, 0.2, 0.30000000000000004, 0.4, 0.4]);
        assert!((rates[8] - 0.2).abs() < 1e-12);
        assert!(rates[4..12].windows(2).all(|pair| pair[1] < pair[0]));
        assert!(rates[12..].iter().all(|&rate| rate.abs() < 1e-12));
    }

    #[test]
    fn a_warm_up_longer_than_the_run_only_rises() {
        let mut schedule = WarmupCosine::new(1.0, 100, 10);
        let rates: Vec<f64> = (0..10).map(|_| schedule.step()).collect();
        assert!(rates.windows(2).all(|pair| pair[1] > pair[0]) && rates[9] == 1.0);
    }

    #[test]
    fn goes_on_where_it_was_saved() {
        let mut whole = WarmupCosine::new(0.1, 3, 20);
        (0..7).for_each(|_| {
            whole.step();
        });
        let record = whole.to_record::<Flex>();
        let mut resumed = WarmupCosine::new(0.1, 3, 20).load_record::<Flex>(record);
        assert_eq!(resumed.step(), whole.step());
    }
}
