//! A run of ten million steps.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use events::{Axis, Event, FILE, Follower, Metrics, Split, Started, Step};

const STEPS: usize = 10_000_000;

/// `cargo test --release -p events --test large -- --ignored --nocapture` tells how long it takes.
#[test]
#[ignore = "writes 1 GB"]
#[expect(clippy::print_stdout, reason = "what is measured is read by people")]
fn ten_million_steps_are_read_whole_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join(FILE)).unwrap();
    let mut file = BufWriter::new(file);
    let started = Event::Started(Box::new(Started {
        epochs: 100,
        steps_per_epoch: STEPS / 100,
        ..Started::default()
    }));
    serde_json::to_writer(&mut file, &started).unwrap();
    for step in 1..=STEPS {
        let figure = |digits: usize| (step * 7919 % digits) as f64 / digits as f64;
        let event = Event::Step(Step {
            seconds: step as f64 / 128.0,
            epoch: 1 + (step - 1) / (STEPS / 100),
            step,
            metrics: Metrics::from_iter([
                ("accuracy", figure(128)),
                ("loss", 2.0 * figure(99_991)),
                ("rate", 0.1 - 1e-8 * step as f64),
            ]),
        });
        file.write_all(b"\n").unwrap();
        serde_json::to_writer(&mut file, &event).unwrap();
    }
    file.write_all(b"\n").unwrap();
    file.flush().unwrap();

    let begin = Instant::now();
    let mut follower = Follower::open(folder.path());
    follower.poll().unwrap();
    println!("read in {:.2} s", begin.elapsed().as_secs_f64());
    let history = follower.history();
    assert_eq!(history.steps.len(), STEPS);
    assert_eq!(history.damaged, 0);

    let end = history.extent(Axis::Step);
    let begin = Instant::now();
    let mut curves = 0;
    for part in 0..100 {
        let from = end * f64::from(part) / 200.0;
        for metric in ["loss", "accuracy", "rate"] {
            let curve = history.curve(
                Split::Train,
                metric,
                Axis::Step,
                [from, from + end / 2.0],
                400,
            );
            assert_eq!(curve.buckets.len(), 400);
            curves += 1;
        }
    }
    let each = begin.elapsed().as_secs_f64() * 1000.0 / f64::from(curves);
    println!("a curve in {each:.2} ms");
}
