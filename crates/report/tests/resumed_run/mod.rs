//! A run as it could have been, for tests: stopped in its fourth epoch, and gone on from there.

use events::{
    Checkpoint, Ended, Ending, Epoch, Event, History, ImageCounts, Level, Message, Metrics,
    Mistake, Resumed, Speed, Started, Step, System, Tested, Thumbnail,
};
use serde_json::json;

/// How many epochs it has.
pub const EPOCHS: usize = 5;
/// Steps in each.
pub const STEPS: usize = 169;
/// The step after which it was stopped.
const STOPPED: usize = 3 * STEPS + 40;
const CLASSES: [&str; 10] = [
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

/// What comes of its events.
pub fn history() -> History {
    let mut history = History::default();
    events().into_iter().for_each(|event| history.push(event));
    history
}

/// All of its events, in order.
pub fn events() -> Vec<Event> {
    let mut events = vec![started()];
    for epoch in 1..=EPOCHS {
        for step in (epoch - 1) * STEPS + 1..=epoch * STEPS {
            events.push(self::step(epoch, step));
            if step % 50 == 0 {
                events.push(speed(step));
                events.push(system(step));
            }
            if step == STOPPED {
                events.extend(pause(epoch));
            }
        }
        events.push(self::epoch(epoch));
        events.push(checkpoint(epoch + 1, epoch * STEPS));
    }
    events.push(Event::Tested(Box::new(Tested {
        seconds: seconds(EPOCHS * STEPS) + 5.0,
        epoch: EPOCHS - 1,
        metrics: Metrics::from_iter([("loss", 0.3626), ("accuracy", 0.897)]),
        raw: None,
        confusion: confusion(EPOCHS),
        mistakes: mistakes(EPOCHS),
    })));
    events.push(Event::Ended(Ended {
        seconds: seconds(EPOCHS * STEPS) + 5.5,
        ending: Ending::Finished,
        hint: None,
        reason: None,
    }));
    events
}

/// The time of the run after a step.
fn seconds(step: usize) -> f64 {
    step as f64 / 64.0 + (step / STEPS) as f64 * 0.5
}

fn started() -> Event {
    Event::Started(Box::new(Started {
        at: "2026-01-02T03:04:05.25+01:00".to_owned(),
        version: "0.1.0".to_owned(),
        command: ["train", "--seed", "1"].map(str::to_owned).to_vec(),
        folder: None,
        machine: "tower (Linux)".to_owned(),
        processor: "EPYC".to_owned(),
        device: "flex".to_owned(),
        threads: 2,
        data: "sample".to_owned(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        images: ImageCounts {
            train: 5400,
            validation: 600,
            test: 1000,
        },
        shape: [1, 28, 28],
        model: "resnet8".to_owned(),
        parameters: 75_002,
        epochs: EPOCHS,
        steps_per_epoch: STEPS,
        batch_size: 32,
        rates: vec![(0.0, 0.0), (0.1, 0.1), (1.0, 0.0)],
        config: json!({
            "data": "sample",
            "model": "resnet8",
            "lr": 0.1,
            "seed": 1,
            "flip_test": false,
            "name": null,
            "schedule": { "kind": "step", "at": [0.5, 0.75] },
        }),
        ..Started::default()
    }))
}

fn step(epoch: usize, step: usize) -> Event {
    let done = step as f64 / (EPOCHS * STEPS) as f64;
    let noise = (step * 7919 % 101) as f64 / 2000.0;
    Event::Step(Step {
        seconds: seconds(step),
        epoch,
        step,
        metrics: Metrics::from_iter([
            ("loss", 0.5 + 1.8 / (1.0 + 8.0 * done) + noise),
            ("accuracy", 0.95 - 0.8 / (1.0 + 12.0 * done) - noise),
            ("rate", 0.1 * (1.0 - done)),
        ]),
    })
}

fn pause(epoch: usize) -> [Event; 4] {
    [
        checkpoint(epoch, STOPPED),
        Event::Message(Message {
            seconds: seconds(STOPPED),
            level: Level::Info,
            text: "told to stop".to_owned(),
        }),
        Event::Ended(Ended {
            seconds: seconds(STOPPED),
            ending: Ending::Stopped,
            hint: None,
            reason: None,
        }),
        Event::Resumed(Resumed {
            at: "2026-01-02T09:00:00+01:00".to_owned(),
            seconds: seconds(STOPPED),
            step: STOPPED,
            epochs_done: epoch - 1,
            command: vec![],
            folder: None,
            device: "flex".to_owned(),
            ..Resumed::default()
        }),
    ]
}

fn checkpoint(epoch: usize, step: usize) -> Event {
    Event::Checkpoint(Checkpoint {
        seconds: seconds(step),
        step,
        epoch,
    })
}

fn speed(step: usize) -> Event {
    Event::Speed(Speed {
        seconds: seconds(step),
        step,
        images: 2048.0,
        waiting: 0.0005,
        forward: 0.005,
        backward: 0.0075,
        optimizer: 0.002,
        rest: 0.000625,
    })
}

fn system(step: usize) -> Event {
    Event::System(System {
        seconds: seconds(step) + 0.001,
        cpu: 0.875,
        cpu_machine: 0.9375,
        memory: 200 << 20,
        memory_machine: 3 << 30,
        memory_total: 16 << 30,
        gpu: None,
        gpu_memory: None,
    })
}

fn epoch(epoch: usize) -> Event {
    let scores = |shift: f64| {
        let left = 1.0 / (1 << epoch) as f64;
        Metrics::from_iter([
            ("loss", 0.35 + left + shift),
            ("accuracy", 0.89 - left - shift),
            ("top5", 0.99),
        ])
    };
    Event::Epoch(Box::new(Epoch {
        seconds: seconds(epoch * STEPS),
        epoch,
        step: epoch * STEPS,
        took: STEPS as f64 / 64.0 + 0.5,
        train: scores(0.125),
        validation: scores(0.0625),
        average: (epoch > 1).then(|| scores(0.0)),
        best: epoch < EPOCHS,
        ended_early: None,
        confusion: confusion(epoch),
        mistakes: mistakes(epoch),
    }))
}

fn confusion(epoch: usize) -> Vec<(usize, usize, u64)> {
    let wrong = |class: usize| ((class + 1) % 10, 20 / epoch as u64);
    (0..10)
        .flat_map(|class| {
            let (other, images) = wrong(class);
            [(class, class, 60 - images), (class, other, images)]
        })
        .collect()
}

fn mistakes(epoch: usize) -> Vec<Mistake> {
    (0..4)
        .filter_map(|place| {
            let pixels = (0..28 * 28).map(|pixel| (pixel * (place + epoch) % 251) as u8);
            Some(Mistake {
                image: 100 * epoch + place,
                path: None,
                class: place,
                likeliest: place + 1,
                confidence: 0.75 - place as f64 / 16.0,
                thumbnail: Thumbnail::new([28, 28, 1], pixels.collect()).ok()?,
            })
        })
        .collect()
}
