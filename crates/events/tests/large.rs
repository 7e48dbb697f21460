//! Long runs, up to ten million steps.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use events::{Axis, Epoch, Event, FILE, Follower, History, Metrics, Split, Started, Step};

const EPOCHS: usize = 100;
const BUCKETS: usize = 400;

/// `cargo test --release -p events --test large -- --ignored --nocapture` tells how long it takes.
#[test]
#[ignore = "writes 1 GB"]
#[expect(clippy::print_stdout, reason = "what is measured is read by people")]
fn ten_million_steps_are_read_whole_and_drawn() {
    let (read, drawn) = read_and_drawn(10_000_000);
    println!("read in {read:.2} s, a curve in {:.2} ms", 1e3 * drawn);
}

#[test]
fn twenty_thousand_steps_are_read_whole_and_drawn() {
    read_and_drawn(20_000);
}

/// Asserts that a run of so many steps is read and drawn without losing any; seconds that reading took, and
/// a curve.
fn read_and_drawn(steps: usize) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), steps);

    let begin = Instant::now();
    let mut follower = Follower::open(folder.path());
    follower.poll().unwrap();
    let read = begin.elapsed().as_secs_f64();
    let history = follower.history();
    is_whole(history, steps);

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
                BUCKETS,
            );
            assert_eq!(curve.buckets.len(), BUCKETS);
            curves += 1;
        }
    }
    (read, begin.elapsed().as_secs_f64() / f64::from(curves))
}

/// The accuracy of a step goes round through so many values.
const VALUES: usize = 128;

fn write(folder: &Path, steps: usize) {
    let file = File::create(folder.join(FILE)).unwrap();
    let mut file = BufWriter::new(file);
    let mut write = |event: &Event| {
        serde_json::to_writer(&mut file, event).unwrap();
        file.write_all(b"\n").unwrap();
    };
    let per_epoch = steps / EPOCHS;
    write(&Event::Started(Box::new(Started {
        epochs: EPOCHS,
        steps_per_epoch: per_epoch,
        ..Started::default()
    })));
    for step in 1..=steps {
        let figure = |digits: usize| (step * 7919 % digits) as f64 / digits as f64;
        let epoch = 1 + (step - 1) / per_epoch;
        write(&Event::Step(Step {
            seconds: step as f64 / 128.0,
            epoch,
            step,
            metrics: Metrics::from_iter([
                ("accuracy", figure(VALUES)),
                ("loss", 2.0 * figure(99_991)),
                ("rate", 0.1 - 1e-8 * step as f64),
            ]),
        }));
        if step % per_epoch == 0 {
            write(&Event::Epoch(Box::new(Epoch {
                epoch,
                step,
                ..Epoch::default()
            })));
        }
    }
    file.flush().unwrap();
}

/// Asserts that every step is there, with all its figures.
fn is_whole(history: &History, steps: usize) {
    assert_eq!(history.damaged, 0);
    assert_eq!(history.epochs.len(), EPOCHS);
    assert_eq!(history.steps.len(), steps);
    assert!(
        (1..)
            .zip(history.steps.steps())
            .all(|(own, &step)| own == step)
    );
    assert_eq!(history.seconds(), steps as f64 / 128.0);
    for name in ["accuracy", "loss", "rate"] {
        let figures = history.steps.figures(name).unwrap();
        assert_eq!(figures.len(), steps, "{name}");
        assert!(figures.iter().all(|figure| figure.is_finite()), "{name}");
    }
    // 7919 is a prime, so in as many steps each value comes once.
    let end = history.extent(Axis::Step);
    let curve = history.curve(Split::Train, "accuracy", Axis::Step, [0.0, end], 1);
    let greatest = (VALUES - 1) as f64 / VALUES as f64;
    let bucket = curve.buckets[0];
    assert_eq!((bucket.least, bucket.greatest), (0.0, greatest));
    assert!((bucket.mean - greatest / 2.0).abs() < 1e-3, "{bucket:?}");
}
