//! Events and inputs that nobody should make.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dashboard::Input;
use events::{
    Checkpoint, Ended, Ending, Epoch, Event, Level, Message, Metrics, Mistake, Progress, Speed,
    Started, Step, System, Tested, Thumbnail, Work,
};
use proptest::prelude::*;

/// Names that would act.
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

/// Any text, and texts with a meaning.
pub fn evil_text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&EVIL[..]).prop_map(str::to_owned),
        prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        Just("loss".to_owned()),
        Just("accuracy".to_owned()),
        Just("rate".to_owned()),
        Just("long ".repeat(300)),
    ]
}

fn evil_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        prop::sample::select(
            &[
                0.0,
                -0.0,
                1.0,
                -1.0,
                f64::NAN,
                f64::MAX,
                f64::MIN,
                f64::INFINITY
            ][..]
        ),
        0.0..1e4,
    ]
}

fn evil_count() -> impl Strategy<Value = usize> {
    prop_oneof![
        prop::sample::select(&[0, 1, usize::MAX, usize::MAX / 2, u32::MAX as usize][..]),
        0_usize..50,
    ]
}

fn metrics() -> impl Strategy<Value = Metrics> {
    prop::collection::vec((evil_text(), evil_number()), 0..4).prop_map(Metrics::from_iter)
}

fn mistake() -> impl Strategy<Value = Mistake> {
    let shape = (
        1_usize..40,
        1_usize..40,
        prop::sample::select(&[1_usize, 3][..]),
    );
    let path = prop::option::of(evil_text());
    (evil_count(), evil_count(), evil_number(), path, shape).prop_map(
        |(class, likeliest, confidence, path, (height, width, channels))| {
            let pixels = (0..height * width * channels)
                .map(|place| place as u8)
                .collect();
            Mistake {
                image: class,
                path,
                class,
                likeliest,
                confidence,
                thumbnail: Thumbnail::new([height, width, channels], pixels).unwrap(),
            }
        },
    )
}

/// Any event.
pub fn event() -> impl Strategy<Value = Event> {
    let started = (
        prop::collection::vec(evil_text(), 0..5),
        evil_text(),
        [evil_count(), evil_count(), evil_count()],
        prop::collection::vec((evil_number(), evil_number()), 0..5),
    );
    let started = started.prop_map(|(classes, text, [epochs, steps, other], rates)| {
        Event::Started(Box::new(Started {
            classes,
            model: text.clone(),
            data: text.clone(),
            device: text.clone(),
            command: vec![text.clone()],
            epochs,
            steps_per_epoch: steps,
            parameters: other,
            rates,
            config: serde_json::json!({ text.as_str(): { "x": [text, null, 1] } }),
            ..Started::default()
        }))
    });
    let step = (evil_number(), evil_count(), metrics()).prop_map(|(seconds, step, metrics)| {
        Event::Step(Step {
            seconds,
            epoch: step,
            step,
            metrics,
        })
    });
    let confusion = || prop::collection::vec((evil_count(), evil_count(), any::<u64>()), 0..6);
    let epoch = (
        evil_number(),
        evil_count(),
        [metrics(), metrics()],
        confusion(),
        prop::collection::vec(mistake(), 0..4),
    );
    let epoch = epoch.prop_map(
        |(seconds, epoch, [train, validation], confusion, mistakes)| {
            Event::Epoch(Box::new(Epoch {
                seconds,
                epoch,
                step: epoch,
                took: seconds,
                train,
                average: epoch.is_multiple_of(2).then(|| validation.clone()),
                validation,
                best: true,
                ended_early: None,
                confusion,
                mistakes,
            }))
        },
    );
    let tested =
        (evil_number(), metrics(), confusion()).prop_map(|(seconds, metrics, confusion)| {
            Event::Tested(Box::new(Tested {
                seconds,
                metrics,
                confusion,
                ..Tested::default()
            }))
        });
    let numbers = [evil_number(), evil_number(), evil_number()];
    let speed = numbers.prop_map(|[seconds, images, waiting]| {
        Event::Speed(Speed {
            seconds,
            images,
            waiting,
            forward: images,
            ..Speed::default()
        })
    });
    let system = ([evil_number(), evil_number()], any::<u64>(), any::<u64>());
    let system = system.prop_map(|([seconds, cpu], memory, memory_total)| {
        Event::System(System {
            seconds,
            cpu,
            memory,
            memory_total,
            gpu: Some(cpu),
            gpu_memory: Some(memory),
            ..System::default()
        })
    });
    let progress =
        (evil_number(), evil_count(), evil_count()).prop_map(|(seconds, done, total)| {
            Event::Progress(Progress {
                seconds,
                work: Work::Test,
                done,
                total,
            })
        });
    let message = (evil_number(), evil_text()).prop_map(|(seconds, text)| {
        Event::Message(Message {
            seconds,
            level: Level::Warning,
            text,
        })
    });
    let checkpoint = (evil_number(), evil_count()).prop_map(|(seconds, step)| {
        Event::Checkpoint(Checkpoint {
            seconds,
            step,
            epoch: step,
        })
    });
    let ended = (evil_number(), evil_text()).prop_map(|(seconds, reason)| {
        Event::Ended(Ended {
            seconds,
            ending: Ending::Failed,
            hint: None,
            reason: Some(reason),
        })
    });
    prop_oneof![
        started, step, epoch, tested, speed, system, progress, message, checkpoint, ended
    ]
}

/// Anything that a user can do.
pub fn input() -> impl Strategy<Value = Input> {
    let keys = "123456rRtmMxlsSv+-<>fboz[]?qcend"
        .chars()
        .map(KeyCode::Char);
    let others = [
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Esc,
    ];
    let keys: Vec<KeyCode> = keys.chain(others).collect();
    let key = (prop::sample::select(keys), prop::bool::ANY).prop_map(|(code, is_shifted)| {
        let modifiers = if is_shifted {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        };
        Input::Key(KeyEvent::new(code, modifiers))
    });
    let kinds = vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ];
    let mouse =
        (prop::sample::select(kinds), 0_u16..200, 0_u16..70).prop_map(|(kind, column, row)| {
            Input::Mouse(MouseEvent {
                kind,
                column,
                row,
                modifiers: KeyModifiers::NONE,
            })
        });
    prop_oneof![3 => key, 1 => mouse]
}
