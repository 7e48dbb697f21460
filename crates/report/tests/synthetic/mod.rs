//! Runs that look like real ones, the same at every call.

use events::{
    Checkpoint, Ended, Ending, Epoch, Event, History, ImageCounts, Level, Message, Metrics,
    Mistake, Resumed, Speed, Started, Step, System, Tested, Thumbnail,
};

/// What a run is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Synthetic {
    pub epochs: usize,
    /// Epochs after which it was stopped, and went on an hour later.
    pub stopped_after: Option<usize>,
    pub classes: usize,
    pub has_average: bool,
    pub is_tested: bool,
    /// Decides on the noise, and a little on how good the run is.
    pub seed: u64,
    pub rate: f64,
}

pub const STEPS: usize = 169;
const BATCH: usize = 32;
const NAMES: [&str; 10] = [
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

impl Default for Synthetic {
    fn default() -> Self {
        Self {
            epochs: 5,
            stopped_after: None,
            classes: 10,
            has_average: true,
            is_tested: true,
            seed: 1,
            rate: 0.1,
        }
    }
}

/// Numbers from 0 to 1 that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }

    /// Around zero, -1 to 1.
    fn around(&mut self) -> f64 {
        self.next() + self.next() - 1.0
    }
}

impl Synthetic {
    pub fn history(self) -> History {
        let mut history = History::default();
        for event in self.events() {
            history.push(event);
        }
        history
    }

    pub fn events(self) -> Vec<Event> {
        let mut noise = Noise(self.seed);
        let mut seconds = 0.0;
        let mut events = vec![self.started()];
        for epoch in 1..=self.epochs {
            self.epoch(epoch, &mut seconds, &mut noise, &mut events);
            if self.stopped_after == Some(epoch) {
                self.pause(epoch, seconds, &mut events);
            }
        }
        if self.is_tested {
            seconds += 0.4;
            let accuracy = self.accuracy(self.epochs) - 0.01;
            events.push(Event::Tested(Box::new(Tested {
                seconds,
                epoch: self.epochs,
                metrics: self.scores(accuracy, 0.37),
                raw: None,
                confusion: self.confusion(accuracy, &mut noise),
                mistakes: self.mistakes(&mut noise),
            })));
            events.push(Event::Ended(Ended {
                seconds,
                ending: Ending::Finished,
                hint: None,
                reason: None,
            }));
        }
        events
    }

    fn started(self) -> Event {
        let name = |class: usize| match NAMES.get(class) {
            Some(name) => (*name).to_owned(),
            None => format!("kind {class}"),
        };
        let command = format!(
            "target/release/train --data sample --lr {} --seed {}",
            self.rate, self.seed
        );
        Event::Started(Box::new(Started {
            at: "2026-03-04T12:52:07+01:00".to_owned(),
            version: "0.1.0".to_owned(),
            command: command.split(' ').map(str::to_owned).collect(),
            folder: None,
            machine: "workbench (Linux 6.1)".to_owned(),
            processor: "AMD EPYC 9B14".to_owned(),
            device: "flex (CPU, 2 threads)".to_owned(),
            threads: 2,
            data: "sample".to_owned(),
            classes: (0..self.classes).map(name).collect(),
            images: ImageCounts {
                train: 5400,
                validation: 600,
                test: 1000,
            },
            shape: [1, 28, 28],
            model: "resnet8".to_owned(),
            parameters: 77_850,
            epochs: self.epochs,
            steps_per_epoch: STEPS,
            batch_size: BATCH,
            rates: vec![(0.0, 0.0), (0.05, self.rate), (1.0, 0.0)],
            config: serde_json::json!({
                "data": "sample", "model": "resnet8", "epochs": self.epochs, "batch_size": BATCH,
                "optimizer": "sgd", "lr": self.rate, "momentum": 0.9, "weight_decay": 5e-4, "seed": self.seed,
                "ema": if self.has_average { serde_json::json!(0.999) } else { serde_json::Value::Null },
                "name": format!("run {}", self.seed),
                "schedule": { "kind": "cosine" },
                "augmentation": { "pad_crop": 2, "flip": true, "erasing": { "area": [0.02, 0.2] } },
            }),
            ..Started::default()
        }))
    }

    fn accuracy(self, epoch: usize) -> f64 {
        let skill = 0.9 + 0.01 * (self.seed % 4) as f64;
        skill - 0.45 * (-(epoch as f64) / 2.5).exp()
    }

    fn scores(self, accuracy: f64, loss: f64) -> Metrics {
        Metrics::from_iter([
            ("loss", loss),
            ("accuracy", accuracy),
            ("top5", 1.0 - (1.0 - accuracy) / 12.0),
            ("calibration_error", 0.02 + (1.0 - accuracy) / 8.0),
        ])
    }

    fn epoch(self, epoch: usize, seconds: &mut f64, noise: &mut Noise, events: &mut Vec<Event>) {
        let began = *seconds;
        let mut loss = 0.0;
        for step in (epoch - 1) * STEPS + 1..=epoch * STEPS {
            *seconds += 0.0088 + 0.001 * noise.around();
            let share = step as f64 / (self.epochs * STEPS) as f64;
            loss =
                0.45 + 1.8 * (-(step as f64) / 260.0).exp() + 0.18 * noise.around() * (1.2 - share);
            let right = BATCH as f64
                * (self.accuracy(step / STEPS + 1) + 0.08 * noise.around()).clamp(0.0, 1.0);
            let rise = (share / 0.05).min(1.0);
            let fall = 0.5 + 0.5 * (std::f64::consts::PI * share).cos();
            events.push(Event::Step(Step {
                seconds: *seconds,
                epoch,
                step,
                metrics: Metrics::from_iter([
                    ("loss", loss),
                    ("accuracy", right.round() / BATCH as f64),
                    ("rate", self.rate * rise * fall),
                    ("gradient_norm", 0.6 + loss * (1.0 + 0.3 * noise.next())),
                ]),
            }));
            if step % 20 == 0 {
                self.measured(step, *seconds, noise, events);
            }
        }
        *seconds += 0.2;
        let accuracy = self.accuracy(epoch) + 0.02 * noise.around();
        let average = self.accuracy(epoch) + 0.01;
        events.push(Event::Epoch(Box::new(Epoch {
            seconds: *seconds,
            epoch,
            step: epoch * STEPS,
            took: *seconds - began,
            train: Metrics::from_iter([("loss", loss), ("accuracy", self.accuracy(epoch) + 0.02)]),
            validation: self.scores(accuracy, 1.35 - accuracy),
            average: self
                .has_average
                .then(|| self.scores(average, 1.3 - average)),
            best: epoch + 1 != self.epochs,
            ended_early: None,
            confusion: self.confusion(accuracy, noise),
            mistakes: self.mistakes(noise),
        })));
        events.push(Event::Checkpoint(Checkpoint {
            seconds: *seconds,
            step: epoch * STEPS,
            epoch,
        }));
    }

    fn measured(self, step: usize, seconds: f64, noise: &mut Noise, events: &mut Vec<Event>) {
        events.push(Event::Speed(Speed {
            seconds,
            step,
            images: 3600.0 + 200.0 * noise.around(),
            waiting: 0.0002 + 0.0001 * noise.next(),
            forward: 0.0028 + 0.0003 * noise.next(),
            backward: 0.0046 + 0.0004 * noise.next(),
            optimizer: 0.0007,
            rest: 0.0002,
        }));
        events.push(Event::System(System {
            seconds,
            cpu: 0.9 + 0.05 * noise.around(),
            cpu_machine: 0.95 + 0.04 * noise.around(),
            memory: 310_000_000 + (2e6 * noise.next()) as u64,
            memory_machine: 2_100_000_000,
            memory_total: 8_300_000_000,
            gpu: None,
            gpu_memory: None,
        }));
    }

    fn pause(self, epoch: usize, seconds: f64, events: &mut Vec<Event>) {
        events.push(Event::Message(Message {
            seconds,
            level: Level::Warning,
            text: "2 images cannot be read and are left out".to_owned(),
        }));
        events.push(Event::Ended(Ended {
            seconds,
            ending: Ending::Stopped,
            hint: None,
            reason: None,
        }));
        events.push(Event::Resumed(Resumed {
            at: "2026-03-04T13:52:07+01:00".to_owned(),
            seconds,
            step: epoch * STEPS,
            epochs_done: epoch,
            command: vec!["target/release/train".to_owned(), "--resume".to_owned()],
            folder: None,
            ..Resumed::default()
        }));
    }

    fn confusion(self, accuracy: f64, noise: &mut Noise) -> Vec<(usize, usize, u64)> {
        let mut counts = Vec::new();
        for class in 0..self.classes {
            let hardness = if class % 4 == 2 { 2.5 } else { 0.5 };
            let wrong = (60.0 * (1.0 - accuracy) * hardness).round() as u64;
            let mut left = wrong.min(60);
            counts.push((class, class, 60 - left));
            for away in [2, 4, 1, 3] {
                let part = match away {
                    3 => left,
                    _ => ((left as f64) * (0.4 + 0.4 * noise.next())) as u64,
                };
                left -= part;
                if part > 0 {
                    counts.push((class, (class + away) % self.classes, part));
                }
            }
        }
        counts
    }

    fn mistakes(self, noise: &mut Noise) -> Vec<Mistake> {
        (0..12)
            .map(|place| {
                let class = (place * 3 + 2) % self.classes;
                Mistake {
                    image: place * 47 + 3,
                    path: None,
                    class,
                    likeliest: (class + 2) % self.classes,
                    confidence: 0.99 - 0.02 * place as f64,
                    thumbnail: thumbnail(place, noise),
                }
            })
            .collect()
    }
}

/// A run whose loss explodes after 100 steps.
pub fn diverged() -> History {
    let mut history = History::default();
    let mut events = Synthetic::default().events();
    events.truncate(1);
    for step in 1..=150_usize {
        let loss = match step {
            ..=100 => 2.3 - step as f64 / 100.0,
            _ => 1.3 * 4_f64.powi(step as i32 - 100),
        };
        events.push(Event::Step(Step {
            seconds: step as f64,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", loss), ("rate", 20.0)]),
        }));
    }
    events.into_iter().for_each(|event| history.push(event));
    history
}

/// A gray piece of clothing, more or less.
fn thumbnail(place: usize, noise: &mut Noise) -> Thumbnail {
    let width = 6.0 + (place % 5) as f64;
    let mut pixels = Vec::with_capacity(28 * 28);
    for y in 0..28 {
        for x in 0..28 {
            let (across, down) = ((f64::from(x) - 13.5).abs(), f64::from(y));
            let sleeve = if (6.0..12.0).contains(&down) {
                4.0
            } else {
                0.0
            };
            let is_inside = across < width + sleeve && (3.0..25.0).contains(&down);
            let shade = 150.0 + 60.0 * noise.around() - 3.0 * across;
            pixels.push(if is_inside {
                shade.clamp(0.0, 255.0) as u8
            } else {
                0
            });
        }
    }
    Thumbnail::new([28, 28, 1], pixels).unwrap()
}
