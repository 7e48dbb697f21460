//! The screen on a run that nobody trains: `cargo run -p dashboard --example demo`.
//!
//! Words after it change what is shown: `watch` does not own the run, `compare` shows a second run beside
//! it, `plain`, `light`, `ascii`, `palette` and `full` are looks, `fast` takes a hundred steps a second
//! instead of ten, `average` scores a moving average too, `done` shows a run that is over, and `panic`
//! panics after five seconds. Folders of real runs are watched instead.

#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use dashboard::{Background, Colors, Command, Mode, Options, Source, Theme};
use events::{Event, Level, Lock, Message, Writer};
use synthetic::Plan;

static STOP: AtomicU8 = AtomicU8::new(0);
static IS_OVER: AtomicBool = AtomicBool::new(false);

#[expect(clippy::print_stdout, reason = "an example tells how it ended")]
fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    ctrlc::set_handler(|| {
        dashboard::restore();
        std::process::exit(130);
    })?;
    let theme = theme(&has);
    let folders: Vec<&String> = words
        .iter()
        .filter(|word| Path::new(word).is_dir())
        .collect();
    if !folders.is_empty() {
        return watch(&folders, theme);
    }
    let folder = tempfile::tempdir()?;
    let plan = Plan {
        has_average: has("average"),
        ..Plan::default()
    };
    let pause = Duration::from_millis(if has("fast") { 10 } else { 100 });
    let first = folder.path().join("first");
    std::fs::create_dir(&first)?;
    let mut sources = vec![Source {
        name: "first".to_owned(),
        folder: first.clone(),
        resume: None,
    }];
    if has("compare") {
        let folder = folder.path().join("second");
        std::fs::create_dir(&folder)?;
        write(&folder, Plan { seed: 2, ..plan }, Duration::ZERO)?;
        STOP.store(0, Ordering::Relaxed);
        sources.push(Source {
            name: "second".to_owned(),
            folder,
            resume: None,
        });
    }
    if has("panic") {
        thread::spawn(|| {
            thread::sleep(Duration::from_secs(5));
            panic!("as was asked for");
        });
    }
    let training = match has("done") {
        true => {
            write(&first, plan, Duration::ZERO)?;
            None
        }
        false => Some(thread::spawn(move || {
            let result = write(&first, plan, pause).map_err(|error| error.to_string());
            IS_OVER.store(true, Ordering::Relaxed);
            result
        })),
    };
    let mode = if has("watch") {
        Mode::Watch
    } else {
        Mode::Live
    };
    let options = Options::default().with_mode(mode).with_theme(theme);
    let mut asked = Vec::new();
    let end = dashboard::run(
        sources,
        options,
        &mut |_, command| {
            asked.push(command);
            match command {
                Command::StopAfterEpoch => STOP.fetch_max(1, Ordering::Relaxed),
                Command::StopNow => STOP.fetch_max(2, Ordering::Relaxed),
                _ => 0,
            };
            Ok(())
        },
        &|| IS_OVER.load(Ordering::Relaxed),
        None,
    )?;
    println!("left: {end:?}, asked for: {asked:?}");
    if let (Some(training), dashboard::End::Finished) = (training, end) {
        training.join().map_err(|_| "training panicked")??;
    }
    Ok(())
}

/// Watches real runs.
fn watch(folders: &[&String], theme: Theme) -> Result<(), Box<dyn Error>> {
    let sources = folders.iter().map(|&folder| Source {
        name: folder.clone(),
        folder: folder.into(),
        resume: None,
    });
    let mode = Mode::Watch;
    let options = Options::default().with_mode(mode).with_theme(theme);
    dashboard::run(
        sources.collect(),
        options,
        &mut |_, _| Ok(()),
        &|| false,
        None,
    )?;
    Ok(())
}

/// What the words say of looks.
fn theme(has: &dyn Fn(&str) -> bool) -> Theme {
    let colors = match (has("plain"), has("palette"), has("full")) {
        (true, ..) => Colors::None,
        (_, true, _) => Colors::Palette,
        (.., true) => Colors::Full,
        _ => Colors::Sixteen,
    };
    Theme {
        colors,
        background: match has("light") {
            true => Background::Light,
            false => Background::Dark,
        },
        ascii: has("ascii"),
    }
}

/// Writes a run as if it were trained.
fn write(folder: &Path, plan: Plan, pause: Duration) -> Result<(), Box<dyn Error>> {
    let _lock = Lock::take(folder)?;
    let writer = Writer::open(folder)?;
    writer.send(plan.started());
    writer.send(Event::Message(Message {
        seconds: 0.0,
        level: Level::Info,
        text: "training on 8 threads".to_owned(),
    }));
    for step in 1..=plan.epochs * plan.steps_per_epoch {
        let events = plan.step(step);
        let is_epoch_over = events.iter().any(|event| matches!(event, Event::Epoch(_)));
        for event in events {
            let is_slow = matches!(event, Event::Progress(_));
            writer.send(event);
            thread::sleep(if is_slow { pause * 5 } else { Duration::ZERO });
        }
        thread::sleep(pause);
        let stop = STOP.load(Ordering::Relaxed);
        if stop == 2 || (stop == 1 && is_epoch_over) {
            break;
        }
    }
    for event in plan.ended() {
        writer.send(event);
    }
    writer.close()?;
    Ok(())
}
