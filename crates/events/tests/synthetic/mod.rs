//! A run as it could be, for tests of this crate, the dashboard and reports, and for the demo: the
//! same whenever it is made.

#![allow(dead_code, reason = "no test needs all of it")]

use events::{
    Checkpoint, Ended, Ending, Epoch, Event, History, ImageCounts, Level, Message, Metrics,
    Mistake, Progress, Resumed, Speed, Started, Step, System, Tested, Thumbnail, Work,
};

/// What kind of run is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub epochs: usize,
    pub steps_per_epoch: usize,
    pub seed: u64,
    pub classes: usize,
    /// Whether a moving average of the weights is scored as well.
    pub has_average: bool,
    /// Whether labels are smoothed, so that the training loss is not the scored one.
    pub is_smoothed: bool,
    /// The epoch that scores worse than the one before.
    pub worse: Option<usize>,
    /// The step after which it was stopped; it went on six hours later.
    pub stopped_after: Option<usize>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            epochs: 5,
            steps_per_epoch: 169,
            seed: 1,
            classes: CLASSES.len(),
            has_average: false,
            is_smoothed: true,
            worse: None,
            stopped_after: None,
        }
    }
}

pub const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Seconds of a step.
const STEP: f64 = 0.1;
/// Seconds of a validation.
const VALIDATION: f64 = 2.0;

/// A number from 0 to 1 that looks drawn.
fn noise(seed: u64, place: u64) -> f64 {
    let mut bits =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xd1b5_4a32_d192_ed03);
    bits ^= bits >> 31;
    bits = bits.wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 29;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

impl Plan {
    /// A run with an average and without smoothed labels, as reports show it best.
    pub fn averaged() -> Self {
        Self {
            has_average: true,
            is_smoothed: false,
            ..Self::default()
        }
    }

    /// A run that was stopped in its fourth epoch, and whose last epoch is not the best.
    pub fn resumed() -> Self {
        let plan = Self::averaged();
        Self {
            stopped_after: Some(3 * plan.steps_per_epoch + 40),
            worse: Some(plan.epochs),
            ..plan
        }
    }

    fn steps(&self) -> usize {
        self.epochs * self.steps_per_epoch
    }

    /// How the learning rate goes: a warm-up, then a cosine.
    fn rate(&self, place: f64) -> f64 {
        match place {
            0.0..0.1 => 0.1 * place / 0.1,
            _ => 0.05 * (1.0 + (std::f64::consts::PI * (place - 0.1) / 0.9).cos()),
        }
    }

    fn loss(&self, place: f64) -> f64 {
        0.18 + 2.1 * (-6.0 * place).exp() + 0.25 * (1.0 - place)
    }

    fn step_metrics(&self, step: usize) -> Metrics {
        let place = step as f64 / self.steps() as f64;
        let shake = noise(self.seed, step as u64) - 0.5;
        let loss = self.loss(place) * (1.0 + 0.35 * shake);
        let accuracy = (1.0 - 0.38 * self.loss(place) + 0.08 * shake).clamp(0.05, 1.0);
        let mut metrics = Metrics::from_iter([
            ("loss", loss),
            ("accuracy", (accuracy * 128.0).round() / 128.0),
            ("rate", self.rate(place)),
        ]);
        if self.is_smoothed {
            metrics.set("loss", 0.9 * loss + 0.3);
            metrics.set("cross_entropy", loss);
        }
        metrics
    }

    fn scores(&self, epoch: usize, better: f64) -> Metrics {
        let place = epoch as f64 / self.epochs as f64;
        let shake = noise(self.seed ^ 77, epoch as u64) - 0.5;
        let worse = if self.worse == Some(epoch) { 0.3 } else { 0.0 };
        let loss = self.loss(place) * 1.05 - better + worse + 0.02 * shake;
        let accuracy = 1.0 - 0.33 * loss;
        Metrics::from_iter([
            ("loss", loss),
            ("accuracy", accuracy),
            ("top5", 1.0 - 0.01 * loss),
            ("calibration_error", 0.02 + 0.02 * loss),
        ])
    }

    /// What is written before the first step.
    pub fn started(&self) -> Event {
        let places = (0..=100).map(|place| f64::from(place) / 100.0);
        let name = |class: usize| match CLASSES.get(class) {
            Some(name) => (*name).to_owned(),
            None => format!("kind {class}"),
        };
        Event::Started(Box::new(Started {
            at: "2026-01-02T03:04:05+00:00".to_owned(),
            version: "0.1.0".to_owned(),
            command: ["train", "--model", "resnet20", "--ema", "0.999"]
                .map(str::to_owned)
                .to_vec(),
            folder: None,
            machine: "box, Linux 6.12".to_owned(),
            processor: "Example 9000".to_owned(),
            device: "flex".to_owned(),
            threads: 8,
            data: "fashion-mnist".to_owned(),
            classes: (0..self.classes).map(name).collect(),
            images: ImageCounts {
                train: self.steps_per_epoch * 128,
                validation: 2000,
                test: 10_000,
            },
            shape: [1, 28, 28],
            model: "resnet20".to_owned(),
            parameters: 272_186,
            epochs: self.epochs,
            steps_per_epoch: self.steps_per_epoch,
            batch_size: 128,
            rates: places.map(|place| (place, self.rate(place))).collect(),
            config: serde_json::json!({
                "seed": self.seed,
                "batch_size": 128,
                "optimizer": {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.0005},
                "schedule": {"kind": "cosine", "rate": 0.1 * self.seed as f64, "warm_up": 0.1},
                "augmentation": ["flip", "crop", "cutout"],
                "label_smoothing": if self.is_smoothed { 0.1 } else { 0.0 },
                "validation": {"share": 0.1, "every": 1},
            }),
            ..Started::default()
        }))
    }

    /// The events of a step, that of its epoch's end included, without the time that they take.
    pub fn step(&self, step: usize) -> Vec<Event> {
        let epoch = (step - 1) / self.steps_per_epoch + 1;
        let seconds = step as f64 * STEP + (epoch - 1) as f64 * VALIDATION;
        let mut events = vec![Event::Step(Step {
            seconds,
            epoch,
            step,
            metrics: self.step_metrics(step),
        })];
        if step.is_multiple_of(10) {
            events.push(Event::Speed(self.speed(step, seconds)));
            events.push(Event::System(self.system(step, seconds)));
        }
        if step.is_multiple_of(self.steps_per_epoch) {
            events.extend(self.epoch(epoch, step, seconds));
        }
        if self.stopped_after == Some(step) {
            let scored = step.is_multiple_of(self.steps_per_epoch);
            let seconds = if scored {
                seconds + VALIDATION
            } else {
                seconds
            };
            events.extend(self.pause(step, seconds));
        }
        events
    }

    fn pause(&self, step: usize, seconds: f64) -> [Event; 4] {
        let epochs_done = step / self.steps_per_epoch;
        [
            Event::Checkpoint(Checkpoint {
                seconds,
                step,
                epoch: epochs_done + 1,
            }),
            Event::Message(Message {
                seconds,
                level: Level::Info,
                text: "told to stop".to_owned(),
            }),
            Event::Ended(Ended {
                seconds,
                ending: Ending::Stopped,
                hint: None,
                reason: None,
            }),
            Event::Resumed(Resumed {
                at: "2026-01-02T09:04:05+00:00".to_owned(),
                seconds,
                step,
                epochs_done,
                command: ["train", "--resume"].map(str::to_owned).to_vec(),
                device: "flex".to_owned(),
                ..Resumed::default()
            }),
        ]
    }

    fn speed(&self, step: usize, seconds: f64) -> Speed {
        let shake = noise(self.seed ^ 5, step as u64);
        Speed {
            seconds,
            step,
            images: 1220.0 + 90.0 * shake,
            waiting: 0.004 + 0.002 * shake,
            forward: 0.031,
            backward: 0.055 + 0.004 * shake,
            optimizer: 0.006,
            rest: 0.002,
        }
    }

    fn system(&self, step: usize, seconds: f64) -> System {
        let shake = noise(self.seed ^ 9, step as u64);
        System {
            seconds,
            cpu: 0.86 + 0.08 * shake,
            cpu_machine: 0.9 + 0.08 * shake,
            memory: 640_000_000 + (40_000_000.0 * shake) as u64,
            memory_machine: 6_200_000_000 + (300_000_000.0 * shake) as u64,
            memory_total: 16_000_000_000,
            gpu: None,
            gpu_memory: None,
        }
    }

    fn epoch(&self, epoch: usize, step: usize, seconds: f64) -> Vec<Event> {
        let progress = [500, 1000, 1500].map(|done| {
            Event::Progress(Progress {
                seconds: seconds + VALIDATION * done as f64 / 2000.0,
                work: Work::Validation,
                done,
                total: 2000,
            })
        });
        let seconds = seconds + VALIDATION;
        let scored = Event::Epoch(Box::new(Epoch {
            seconds,
            epoch,
            step,
            took: self.steps_per_epoch as f64 * STEP + VALIDATION,
            train: self.step_metrics(step),
            validation: self.scores(epoch, 0.0),
            average: self.has_average.then(|| self.scores(epoch, 0.03)),
            best: self.worse != Some(epoch),
            ended_early: None,
            confusion: self.confusion(epoch, 200),
            mistakes: self.mistakes(epoch),
        }));
        let saved = Event::Checkpoint(Checkpoint {
            seconds,
            step,
            epoch: epoch + 1,
        });
        let said = Event::Message(Message {
            seconds,
            level: Level::Info,
            text: format!("epoch {epoch} is the best so far; its network is kept"),
        });
        let warned = (epoch == 2).then(|| {
            Event::Message(Message {
                seconds,
                level: Level::Warning,
                text: "3 images cannot be read and are left out: train/bag/0007.png, \
                       train/bag/0019.png and train/coat/0003.png"
                    .to_owned(),
            })
        });
        let mut events = progress.to_vec();
        events.extend([scored, saved, said]);
        events.extend(warned);
        events
    }

    fn confusion(&self, epoch: usize, images: u64) -> Vec<(usize, usize, u64)> {
        let wrong = self.loss(epoch as f64 / self.epochs as f64) * 0.2;
        let like = |one: usize, other: usize| match (one.min(other), one.max(other)) {
            (0, 6) | (2, 4) => 3.0,
            (2, 6) | (4, 6) => 2.5,
            (5, 7) | (7, 9) => 1.0,
            (0, 3) | (3, 4) => 0.8,
            (one, other) if (one + other).is_multiple_of(7) => 0.1,
            _ => 0.0,
        };
        let mut entries = Vec::new();
        for class in 0..self.classes {
            let mut right = images;
            for other in (0..self.classes).filter(|other| *other != class) {
                let count = (like(class, other) * wrong * images as f64 * 0.35) as u64;
                right -= count;
                if count > 0 {
                    entries.push((class, other, count));
                }
            }
            entries.push((class, class, right));
        }
        entries
    }

    fn mistakes(&self, epoch: usize) -> Vec<Mistake> {
        let pairs = [
            (6, 0),
            (4, 2),
            (9, 7),
            (2, 4),
            (5, 7),
            (3, 0),
            (0, 6),
            (7, 5),
            (8, 1),
            (6, 4),
            (2, 6),
            (3, 4),
        ];
        let mistakes = pairs
            .iter()
            .enumerate()
            .map(|(index, &(class, likeliest))| Mistake {
                image: index * 137 + epoch,
                path: None,
                class,
                likeliest,
                confidence: 0.99 - 0.03 * index as f64,
                thumbnail: thumbnail(class, index as u64),
            });
        mistakes.collect()
    }

    /// What is written after the last step.
    pub fn ended(&self) -> Vec<Event> {
        let seconds = self.steps() as f64 * STEP + self.epochs as f64 * VALIDATION + 3.0;
        let epoch = match self.worse == Some(self.epochs) {
            true => self.epochs - 1,
            false => self.epochs,
        };
        vec![
            Event::Tested(Box::new(Tested {
                seconds,
                epoch,
                metrics: self.scores(epoch, -0.01),
                raw: None,
                confusion: self.confusion(epoch, 1000),
                mistakes: self.mistakes(epoch),
            })),
            Event::Ended(Ended {
                seconds,
                ending: Ending::Finished,
                hint: None,
                reason: None,
            }),
        ]
    }

    /// All events.
    pub fn events(&self) -> Vec<Event> {
        let steps = (1..=self.steps()).flat_map(|step| self.step(step));
        [self.started()]
            .into_iter()
            .chain(steps)
            .chain(self.ended())
            .collect()
    }

    /// The history of all events up to a step.
    pub fn history(&self, steps: usize) -> History {
        let steps = (1..=steps).flat_map(|step| self.step(step));
        history([self.started()].into_iter().chain(steps))
    }

    /// The history of all events.
    pub fn finished(&self) -> History {
        history(self.events())
    }
}

/// What comes of events.
pub fn history(events: impl IntoIterator<Item = Event>) -> History {
    let mut history = History::default();
    events.into_iter().for_each(|event| history.push(event));
    history
}

/// A run whose loss explodes after 100 steps.
pub fn diverged() -> History {
    let steps = (1..=150_usize).map(|step| {
        let loss = match step {
            ..=100 => 2.3 - step as f64 / 100.0,
            _ => 1.3 * 4_f64.powi(step as i32 - 100),
        };
        Event::Step(Step {
            seconds: step as f64,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", loss), ("rate", 20.0)]),
        })
    });
    history([Plan::averaged().started()].into_iter().chain(steps))
}

/// A gray image of a piece of clothing, roughly.
fn thumbnail(class: usize, seed: u64) -> Thumbnail {
    let shape = |y: f64, x: f64| -> bool {
        let (y, x) = (y / 28.0, (x - 14.0).abs() / 14.0);
        match class {
            0 | 2 | 4 | 6 => (x < 0.5 && y > 0.1) || (x < 0.95 && (0.12..0.45).contains(&y)),
            1 => (0.12..0.45).contains(&x) || (y < 0.25 && x < 0.45),
            3 => x < 0.2 + 0.4 * y,
            8 => (y > 0.4 && x < 0.8) || (y > 0.15 && (0.3..0.45).contains(&x)),
            _ => y > 0.75 - 0.35 * (1.0 - x) && y < 0.9,
        }
    };
    let pixels = (0..28 * 28).map(|place| {
        let (y, x) = (place / 28, place % 28);
        let light = 120.0 + 110.0 * noise(seed, place as u64 / 5) - 2.0 * (y as f64 - 14.0).abs();
        match shape(y as f64, x as f64) {
            true => light.clamp(0.0, 255.0) as u8,
            false => 0,
        }
    });
    Thumbnail::new([28, 28, 1], pixels.collect()).expect("28 x 28 gray pixels")
}
