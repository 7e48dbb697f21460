//! Files that were made to do harm: nothing that they say may act on the terminal, and no size or key may
//! make the screen panic.

mod synthetic;

use std::fs;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dashboard::{Colours, Input, Mode, Options, Run, State, Theme, draw, update};
use events::{
    Checkpoint, Ended, Ending, Epoch, Event, Follower, History, Level, Message, Metrics, Mistake,
    Progress, Speed, Started, Step, System, Tested, Thumbnail, Work, alerts,
};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use synthetic::Plan;

const EVIL: [&str; 10] = [
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

fn evil_text() -> impl Strategy<Value = String> {
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
    (evil_count(), evil_count(), evil_number(), shape).prop_map(
        |(class, likeliest, confidence, (height, width, channels))| {
            let pixels = (0..height * width * channels)
                .map(|place| place as u8)
                .collect();
            Mistake {
                picture: class,
                class,
                likeliest,
                confidence,
                thumbnail: Thumbnail::new([height, width, channels], pixels).unwrap(),
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
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
    let speed = numbers.prop_map(|[seconds, pictures, waiting]| {
        Event::Speed(Speed {
            seconds,
            pictures,
            waiting,
            forward: pictures,
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
            reason: Some(reason),
        })
    });
    prop_oneof![
        started, step, epoch, tested, speed, system, progress, message, checkpoint, ended
    ]
}

fn input() -> impl Strategy<Value = Input> {
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

fn drawn(state: &State, runs: &[Run], columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, state, runs)).unwrap();
    terminal.backend().buffer().clone()
}

fn views<'a>(histories: &'a [(String, History, Vec<events::Alert>)]) -> Vec<Run<'a>> {
    let views = histories.iter().map(|(name, history, alerts)| Run {
        name,
        history,
        alerts,
        is_running: name.len().is_multiple_of(2),
        idle: 1e9,
        loading: None,
        problem: None,
    });
    views.collect()
}

/// Characters that a terminal, or what shows its text, obeys.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

fn check(state: &State, runs: &[Run], columns: u16, rows: u16) {
    for cell in drawn(state, runs, columns, rows).content() {
        assert!(!cell.symbol().contains(acts), "{:?}", cell.symbol());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_acts_and_nothing_panics(
        histories in prop::collection::vec((evil_text(), prop::collection::vec(event(), 0..25)), 0..3),
        inputs in prop::collection::vec(input(), 0..60),
        size in (0_u16..200, 0_u16..70),
        looks in (0_usize..4, prop::bool::ANY, prop::bool::ANY),
    ) {
        let histories: Vec<_> = histories
            .into_iter()
            .map(|(name, events)| {
                let mut history = History::default();
                events.into_iter().for_each(|event| history.push(event));
                let alerts = alerts(&history);
                (name, history, alerts)
            })
            .collect();
        let runs = views(&histories);
        let colours = [Colours::None, Colours::Sixteen, Colours::Palette, Colours::Full][looks.0];
        let mode = if looks.1 { Mode::Live } else { Mode::Watch };
        let theme = Theme { colours, ascii: looks.2, ..Theme::default() };
        let mut state = State::new(Options { mode, theme });
        update(&mut state, Input::Resize(size.0, size.1), &runs);
        for input in inputs {
            update(&mut state, input, &runs);
            check(&state, &runs, size.0, size.1);
        }
        for page in "123456".chars() {
            let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
            // Twice, as the first may close a dialog.
            for _ in 0..2 {
                update(&mut state, Input::Key(key), &runs);
            }
            for (columns, rows) in [size, (0, 0), (1, 1), (40, 10), (80, 24)] {
                check(&state, &runs, columns, rows);
            }
        }
    }
}

/// A file whose lines are cut, repeated, mixed with those of another run and with rubbish.
#[test]
fn a_damaged_file_is_shown_as_far_as_it_goes() {
    let plan = Plan::default();
    let other = Plan { seed: 9, ..plan };
    let mut lines = vec![plan.started()];
    for step in 1..=200 {
        lines.extend(plan.step(step));
        if step % 50 == 0 {
            lines.extend(other.step(step));
        }
    }
    let mut text = Vec::new();
    for (index, event) in lines.iter().enumerate() {
        let line = serde_json::to_vec(event).unwrap();
        match index % 17 {
            3 => text.extend_from_slice(&line[..line.len() / 2]),
            5 => text.extend_from_slice(b"\x1b[31m\xff\xfe\0"),
            7 => text.extend_from_slice(&line),
            _ => {}
        }
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    let folder = tempfile::tempdir().unwrap();
    for length in [text.len(), text.len() / 2, text.len() / 3, 100, 0] {
        fs::write(folder.path().join(events::FILE), &text[..length]).unwrap();
        let mut follower = Follower::open(folder.path());
        follower.poll().unwrap();
        let histories = [("damaged".to_owned(), follower.into_history(), Vec::new())];
        let runs = views(&histories);
        let mut state = State::new(Options::default());
        for page in "123456".chars() {
            let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
            update(&mut state, Input::Key(key), &runs);
            check(&state, &runs, 100, 30);
        }
    }
}

/// What of a name and a message is seen instead of acting.
#[test]
fn escape_sequences_are_shown_as_text() {
    let plan = Plan::default();
    let mut history = History::default();
    let Event::Started(mut started) = plan.started() else {
        panic!("the first event is another");
    };
    for (class, name) in started.classes.iter_mut().zip(EVIL) {
        *class = name.to_owned();
    }
    started.model = "\u{1b}[31mred".to_owned();
    history.push(Event::Started(started));
    for event in (1..=200).flat_map(|step| plan.step(step)) {
        history.push(event);
    }
    for text in EVIL {
        history.push(Event::Message(Message {
            seconds: 20.0,
            level: Level::Error,
            text: text.to_owned(),
        }));
    }
    let histories = [("\u{1b}c evil".to_owned(), history, Vec::new())];
    let runs = views(&histories);
    let mut state = State::new(Options::default());
    for (name, page) in [("classes", '3'), ("mistakes", '4'), ("log", '6')] {
        let key = KeyEvent::new(KeyCode::Char(page), KeyModifiers::NONE);
        update(&mut state, Input::Key(key), &runs);
        let buffer = drawn(&state, &runs, 100, 30);
        let rows = (0..30).map(|y| {
            let row: String = (0..100).map(|x| buffer[(x, y)].symbol()).collect();
            row.trim_end().to_owned()
        });
        let screen = rows.collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(format!("hostile_{name}"), screen);
    }
}
