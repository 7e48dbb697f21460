use super::*;
use crate::event::{Level, Message, Step};
use crate::follower::Follower;
use crate::metrics::Metrics;

fn message(text: &str) -> Event {
    Event::Message(Message {
        seconds: 1.0,
        level: Level::Info,
        text: text.to_owned(),
    })
}

fn text(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(FILE)).unwrap()
}

#[test]
fn events_are_flushed_soon_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::open(folder.path()).unwrap();
    writer.send(message("first"));
    let mut rounds = 0;
    while text(folder.path()).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
        rounds += 1;
        assert!(rounds < 6000, "nothing was written");
    }
    writer.clone().send(message("second"));
    writer.close().unwrap();
    writer.close().unwrap();

    let writer = Writer::open(folder.path()).unwrap();
    writer.send(message("third"));
    writer.flush().unwrap();
    assert_eq!(text(folder.path()).lines().count(), 3);
    writer.close().unwrap();
    writer.flush().unwrap();
    let text = text(folder.path());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[2].contains("third"));
}

#[test]
fn resumed_run_repeats_no_step() {
    let step = |step| {
        Event::Step(Step {
            seconds: 0.5,
            epoch: 1,
            step,
            metrics: Metrics::default(),
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::open(folder.path()).unwrap();
    let mut follower = Follower::open(folder.path());
    for number in 1..=5 {
        writer.send(step(number));
    }
    writer.flush().unwrap();
    follower.poll().unwrap();
    assert_eq!(follower.history().step(), 5);
    writer.send(Event::Resumed(Resumed {
        step: 3,
        ..Resumed::default()
    }));
    // A reader notices that the file was replaced even if it is as long as before or longer.
    for number in 4..=9 {
        writer.send(step(number));
    }
    writer.close().unwrap();
    let text = text(folder.path());
    for number in 1..=9 {
        let name = format!("\"step\":{number}}}");
        assert_eq!(text.matches(&name).count(), 1, "{text}");
    }
    follower.poll().unwrap();
    assert!((1..=9).eq(follower.history().steps.steps().iter().copied()));
    assert_eq!(follower.history().sittings.len(), 1);
}

#[test]
fn restarted_run_starts_with_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = 0;
    for sitting in 0..3 {
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(Event::Started(Box::default()));
        writer.send(Event::Step(Step {
            seconds: 0.5,
            epoch: 1,
            step: 1,
            metrics: Metrics::default(),
        }));
        writer.close().unwrap();
        let length = text(folder.path()).len();
        assert!(sitting == 0 || length == before);
        before = length;
    }
}

#[test]
fn echo_matches_file_and_may_close() {
    /// Accepts only the given number of bytes.
    #[derive(Clone)]
    struct Target(Arc<Mutex<Vec<u8>>>, usize);
    impl io::Write for Target {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.lock().unwrap();
            if taken.len() >= self.1 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            taken.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for (limit, echoed) in [(usize::MAX, 2), (1, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(message("before"));
        writer.flush().unwrap();
        let target = Target(Arc::default(), limit);
        writer.echo(Box::new(target.clone()));
        for text in ["first", "second"] {
            writer.send(message(text));
            writer.flush().unwrap();
        }
        writer.close().unwrap();
        let file = text(folder.path());
        assert_eq!(file.lines().count(), 3);
        let echo = String::from_utf8(target.0.lock().unwrap().clone()).unwrap();
        let expected: Vec<&str> = file.lines().skip(1).take(echoed).collect();
        assert_eq!(echo.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn cut_off_line_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(10_000);
    for (before, kept) in [
        ("", 0),
        ("{\"event\":", 0),
        ("{}\n{\"ev", 1),
        ("{}\n{}\n", 2),
        (&format!("{{}}\n{long}"), 1),
        (&long, 0),
    ] {
        std::fs::write(folder.path().join(FILE), before).unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(message("new"));
        writer.close().unwrap();
        let text = text(folder.path());
        assert_eq!(text.lines().count(), kept + 1, "{before}");
        assert!(text.lines().last().unwrap().contains("new"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join(FILE)).unwrap();
    let (sender, told) = channel();
    let opened = Writer::open_with(folder.path(), move || sender.send(()).unwrap());
    // Some systems refuse to shorten the device; that is an error on opening.
    let Ok(writer) = opened else {
        return;
    };
    writer.send(message("lost"));
    told.recv().unwrap();
    let error = writer.flush().unwrap_err();
    assert!(error.to_string().contains(FILE), "{error}");
    writer.close().unwrap(); // an error is returned once
}
