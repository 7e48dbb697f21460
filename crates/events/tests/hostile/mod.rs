//! Events that nobody means well with, for tests of the dashboard and of reports.

use events::{
    Checkpoint, Ended, Ending, Epoch, Event, Level, Message, Metrics, Mistake, Progress, Resumed,
    Speed, Started, Step, System, Tested, Thumbnail, Work,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Names that would act on a terminal.
pub const EVIL: [&str; 10] = [
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]0;owned\u{7}",
    "\u{9b}31m",
    "\u{202e}\u{2066}gnp.exe",
    "a\u{200b}\u{feff}\u{ad}b",
    "<script>alert(1)</script>",
    "\r\n\t\0\u{7f}",
    "x\u{301}\u{302}\u{303}\u{304}\u{305}",
    "日本語のとても長いクラス名",
    "",
];

/// Texts that would act on a page.
const MARKUP: [&str; 6] = [
    "</script><script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    "\" onload=\"alert(1)\" '",
    "<!--",
    "]]>&lt;&#60;",
    "javascript:alert(1)",
];

/// Any text, and texts that try to become something else.
pub fn text_strategy() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        ".{0,6}",
        vec(any::<char>(), 0..12).prop_map(String::from_iter),
        select(&EVIL[..]).prop_map(str::to_owned),
        select(&MARKUP[..]).prop_map(str::to_owned),
        Just("x".repeat(500)),
        Just("long ".repeat(300)),
    ]
}

fn number_strategy() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..1.0,
        0.0..1e4,
        select(&[0.0, -0.0, 1.0, -1.0, f64::MIN_POSITIVE][..]),
        select(
            &[
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MAX,
                f64::MIN
            ][..]
        ),
    ]
}

fn index_strategy() -> impl Strategy<Value = usize> {
    let extremes = [
        usize::MAX,
        usize::MAX - 1,
        usize::MAX / 2,
        u32::MAX as usize,
    ];
    prop_oneof![
        0..12_usize,
        0..50_usize,
        select(extremes.to_vec()),
        any::<usize>()
    ]
}

fn metrics_strategy() -> impl Strategy<Value = Metrics> {
    let known = select(&["loss", "accuracy", "rate"][..]).prop_map(str::to_owned);
    let name = prop_oneof![known, text_strategy()];
    vec((name, number_strategy()), 0..4).prop_map(Metrics::from_iter)
}

fn confusion_strategy() -> impl Strategy<Value = Vec<(usize, usize, u64)>> {
    vec((index_strategy(), index_strategy(), any::<u64>()), 0..6)
}

fn mistakes_strategy() -> impl Strategy<Value = Vec<Mistake>> {
    let shape = (1_usize..40, 1_usize..40, select(&[1_usize, 3][..]));
    let mistake = (
        index_strategy(),
        index_strategy(),
        number_strategy(),
        option::of(text_strategy()),
        shape,
    );
    let mistake = mistake.prop_map(
        |(class, likeliest, confidence, path, (height, width, channels))| {
            let pixels = (0..height * width * channels).map(|place| place as u8);
            Mistake {
                image: class,
                path,
                class,
                likeliest,
                confidence,
                thumbnail: Thumbnail::new([height, width, channels], pixels.collect()).unwrap(),
            }
        },
    );
    vec(mistake, 0..4)
}

fn started_strategy() -> impl Strategy<Value = Event> {
    let rates = vec((number_strategy(), number_strategy()), 0..5);
    let started = (vec(text_strategy(), 11), vec(index_strategy(), 6), rates);
    started.prop_map(|(texts, counts, rates)| {
        Event::Started(Box::new(Started {
            at: texts[0].clone(),
            version: texts[1].clone(),
            command: texts[2..4].to_vec(),
            folder: Some(texts[5].clone()),
            machine: texts[4].clone(),
            processor: texts[5].clone(),
            device: texts[6].clone(),
            data: texts[7].clone(),
            classes: texts[8..10].to_vec(),
            model: texts[10].clone(),
            threads: counts[0],
            parameters: counts[1],
            epochs: counts[2],
            steps_per_epoch: counts[3],
            batch_size: counts[4],
            shape: [counts[5]; 3],
            config: serde_json::json!({ &texts[0]: texts[1], "a": { &texts[2]: [texts[3], null, 1] } }),
            rates,
            ..Started::default()
        }))
    })
}

fn epoch_strategy() -> impl Strategy<Value = Event> {
    let epoch = (
        number_strategy(),
        index_strategy(),
        index_strategy(),
        [metrics_strategy(), metrics_strategy(), metrics_strategy()],
        confusion_strategy(),
        mistakes_strategy(),
    );
    epoch.prop_map(
        |(seconds, epoch, step, [train, validation, average], confusion, mistakes)| {
            Event::Epoch(Box::new(Epoch {
                seconds,
                epoch,
                step,
                took: seconds,
                train,
                validation,
                average: epoch.is_multiple_of(2).then_some(average),
                best: step.is_multiple_of(2),
                ended_early: None,
                confusion,
                mistakes,
            }))
        },
    )
}

/// Any event.
pub fn event_strategy() -> impl Strategy<Value = Event> {
    let (text, number, index) = (text_strategy, number_strategy, index_strategy);
    let resumed = (text(), number(), index(), index());
    let resumed = resumed.prop_map(|(at, seconds, step, epochs_done)| {
        Event::Resumed(Resumed {
            seconds,
            step,
            epochs_done,
            folder: Some(at.clone()),
            at,
            ..Resumed::default()
        })
    });
    let step = (number(), index(), index(), metrics_strategy());
    let step = step.prop_map(|(seconds, epoch, step, metrics)| {
        Event::Step(Step {
            seconds,
            epoch,
            step,
            metrics,
        })
    });
    let speed = (index(), vec(number(), 7)).prop_map(|(step, numbers)| {
        Event::Speed(Speed {
            seconds: numbers[0],
            step,
            images: numbers[1],
            waiting: numbers[2],
            forward: numbers[3],
            backward: numbers[4],
            optimizer: numbers[5],
            rest: numbers[6],
        })
    });
    let system = (any::<u64>(), any::<u64>(), vec(number(), 3));
    let system = system.prop_map(|(memory, memory_total, numbers)| {
        Event::System(System {
            seconds: numbers[0],
            cpu: numbers[1],
            gpu: Some(numbers[2]),
            gpu_memory: Some(memory),
            memory,
            memory_total,
            ..System::default()
        })
    });
    let progress = (number(), index(), index()).prop_map(|(seconds, done, total)| {
        Event::Progress(Progress {
            seconds,
            work: Work::Test,
            done,
            total,
        })
    });
    let checkpoint = (number(), index()).prop_map(|(seconds, step)| {
        Event::Checkpoint(Checkpoint {
            seconds,
            step,
            epoch: step,
        })
    });
    let message = (number(), text()).prop_map(|(seconds, text)| {
        Event::Message(Message {
            seconds,
            level: Level::Warning,
            text,
        })
    });
    let tested = (number(), index(), metrics_strategy(), confusion_strategy());
    let tested = tested.prop_map(|(seconds, epoch, metrics, confusion)| {
        Event::Tested(Box::new(Tested {
            seconds,
            epoch,
            metrics,
            confusion,
            ..Tested::default()
        }))
    });
    let ended = (number(), text()).prop_map(|(seconds, reason)| {
        Event::Ended(Ended {
            seconds,
            ending: Ending::Failed,
            hint: None,
            reason: Some(reason),
        })
    });
    let (started, epoch) = (started_strategy(), epoch_strategy());
    prop_oneof![
        started, resumed, step, epoch, speed, system, progress, checkpoint, message, tested, ended
    ]
}
