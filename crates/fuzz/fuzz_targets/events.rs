//! A run's file of events, read at once, as it grows, and after the run went on from a checkpoint.

#![no_main]

use std::fs::{self, OpenOptions};
use std::io::Write;

use events::{Event, FILE, Follower, History, Resumed, Writer, alerts};
use libfuzzer_sys::fuzz_target;
use resnet_fuzz::Scratch;

fuzz_target!(|text: &[u8]| {
    let folder = Scratch::folder();
    let path = folder.path().join(FILE);

    // What is read in two parts is what is read at once.
    folder.write_in(FILE, text);
    let whole = read(Follower::open(folder.path()));
    let _ = fs::remove_file(&path);
    let (start, end) = text.split_at(text.len() / 2);
    let mut growing = Follower::open(folder.path());
    for part in [start, end] {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(part))
            .expect("the temporary folder can be written");
        growing.poll().expect("the file can be read");
    }
    assert_eq!(format!("{:?}", growing.history()), format!("{whole:?}"));

    // Fewer steps, but the last. Where a run went on from an earlier step, or a line is damaged, that may be one of those
    // left out; the writer takes the later ones out of the file.
    let skimmed = read(Follower::skim(folder.path()));
    assert!(skimmed.damaged <= whole.damaged);
    if whole.damaged == 0 && whole.sittings.iter().all(|sitting| sitting.step == 0) {
        assert_eq!(skimmed.step(), whole.step());
    }

    alerts(&whole);
    for name in ["loss", "accuracy"] {
        assert!(
            whole
                .steps
                .figures(name)
                .is_none_or(|figures| figures.len() == whole.steps.len())
        );
    }
    for line in text.split(|&byte| byte == b'\n') {
        if let Ok(event) = serde_json::from_slice::<Event>(line) {
            let written = serde_json::to_string(&event).expect("an event can be written");
            let read: Event = serde_json::from_str(&written).expect("what was written is read");
            assert_eq!(serde_json::to_string(&read).ok(), Some(written));
        }
    }

    // The file of a run that goes on is what a reader makes of it.
    let step = whole.step() / 2;
    let resumed = Event::Resumed(Resumed {
        step,
        seconds: 1.0,
        ..Resumed::default()
    });
    let writer = Writer::open(folder.path()).expect("the file can be written");
    writer.send(resumed.clone());
    writer.close().expect("the file can be written");
    let rewound = read(Follower::open(folder.path()));
    assert!(
        rewound.step() <= step,
        "step {} is left of {step}",
        rewound.step()
    );
});

fn read(mut follower: Follower) -> History {
    follower.poll().expect("the file can be read");
    follower.into_history()
}
