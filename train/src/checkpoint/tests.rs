use super::*;
use crate::evaluation::{Score, Sums};
use crate::settings::Keep;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn_flex::Flex;
use proptest::prelude::*;
use std::num::NonZeroUsize;

fn state(step: usize) -> RunState {
    RunState {
        step,
        epoch: 2,
        steps_in_epoch: 3,
        partial: Some(Sums {
            loss: 1.25,
            correct: 7,
            images: 12,
            cross_entropy: Some(0.75),
        }),
        best: Some(Best {
            epoch: 1,
            score: Score {
                loss: 0.75,
                accuracy: 0.5,
            },
        }),
        best_raw: None,
        history: vec![EpochScores {
            train: None,
            validation: Score {
                loss: 0.75,
                accuracy: 0.5,
            },
            averaged: None,
        }],
        seconds: 1.5,
        network: model::NetworkConfig::named("resnet8").unwrap(),
        data: None,
    }
}

fn save(folder: &Path, step: usize, value: f32) -> Result<Checksums, TrainError> {
    let (recorder, written) = CheckpointRecorder::new();
    for part in PARTS {
        let tensor = Tensor::<Flex, 1>::from_floats([value], &Default::default());
        let record = Param::from_tensor(tensor).into_record();
        let path = folder.join("checkpoint").join(format!("{part}-{step}"));
        Recorder::<Flex>::record(&recorder, record, path).unwrap();
    }
    written.wait_for(PARTS.len())
}

fn load(checkpoints: &Checkpoints, checkpoint: &Checkpoint) -> Result<f32, TrainError> {
    let file = checkpoints.read(checkpoint, "model")?;
    let record: Param<Tensor<Flex, 1>> = file.load::<Flex, _>(&Default::default())?;
    Ok(record.val().into_scalar())
}

/// Returns a checkpoint as older versions wrote it.
fn without_checksums(step: usize) -> Checkpoint {
    Checkpoint {
        state: state(step),
        checksums: None,
    }
}

#[test]
fn better_score_has_higher_accuracy_or_lower_loss() {
    let score = |loss, accuracy| Score { loss, accuracy };
    let best = Best {
        epoch: 1,
        score: score(0.5, 0.75),
    };
    assert!(best.is_beaten_by(score(0.9, 0.76)));
    assert!(best.is_beaten_by(score(0.4, 0.75)));
    assert!(!best.is_beaten_by(score(0.5, 0.75)));
    assert!(!best.is_beaten_by(score(0.1, 0.74)));
}

#[test]
fn patience_counts_from_best_epoch() {
    let scores = |accuracy| EpochScores {
        train: None,
        validation: Score {
            loss: 1.0,
            accuracy,
        },
        averaged: None,
    };
    let state = RunState {
        epoch: 4,
        history: [0.5, 0.4, 0.3].map(scores).to_vec(),
        ..state(9)
    };
    for keep in [Keep::Best, Keep::Last] {
        let config = |patience| TrainConfig {
            patience: NonZeroUsize::new(patience),
            keep,
            ..TrainConfig::default()
        };
        assert!(state.is_finished(&config(2)), "{keep:?}");
        assert!(!state.is_finished(&config(3)), "{keep:?}");
        let kept = state.kept(&config(2)).unwrap();
        let expected = if keep == Keep::Last { 3 } else { 1 };
        assert_eq!(kept.epoch, expected);
        assert_eq!(kept.score.accuracy, if expected == 3 { 0.3 } else { 0.5 });
    }
}

proptest! {
    #[test]
    fn checkpoint_metrics_round_trip_exactly(
        loss in any::<f64>().prop_filter("a loss", |loss| loss.is_finite()),
        correct in 0_u32..10_000,
        images in 1_u32..10_000,
    ) {
        let accuracy = f64::from(correct.min(images)) / f64::from(images);
        let score = Score { loss, accuracy };
        let state = RunState {
            best: Some(Best { epoch: 1, score }),
            partial: Some(Sums {
                loss,
                correct: i64::from(correct),
                images: images as usize,
                cross_entropy: (correct % 2 == 0).then_some(loss),
            }),
            history: vec![EpochScores {
                train: Some(score),
                validation: score,
                averaged: Some(score),
            }],
            ..state(3)
        };
        let text = serde_json::to_vec(&state).unwrap();
        let read: RunState = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(read, state);
    }
}

#[test]
fn latest_complete_checkpoint_is_kept() {
    let run = tempfile::tempdir().unwrap();
    fs::create_dir(run.path().join("checkpoint")).unwrap();
    let checkpoints = Checkpoints::new(run.path());
    assert_eq!(checkpoints.latest().unwrap(), None);

    let checksums = save(run.path(), 10, 1.0).unwrap();
    checkpoints.commit(&state(10), &checksums).unwrap();
    let tenth = checkpoints.latest().unwrap().unwrap();
    assert_eq!(tenth.state, state(10));
    let checksums = save(run.path(), 20, 2.0).unwrap();
    assert_eq!(
        checkpoints.latest().unwrap().as_ref(),
        Some(&tenth),
        "not yet declared whole"
    );
    assert_eq!(load(&checkpoints, &tenth).unwrap(), 1.0);

    checkpoints.commit(&state(20), &checksums).unwrap();
    let twentieth = checkpoints.latest().unwrap().unwrap();
    assert_eq!(twentieth.state, state(20));
    assert_eq!(load(&checkpoints, &twentieth).unwrap(), 2.0);
    assert!(load(&checkpoints, &tenth).is_err());
}

/// A process may be killed between writing records and committing or deleting them.
#[test]
fn resumed_run_removes_stale_records() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    fs::create_dir(folder.path().join("checkpoint")).unwrap();
    for step in [10, 20, 30] {
        save(folder.path(), step, step as f32).unwrap();
    }
    fs::write(folder.path().join("checkpoint/notes.txt"), "mine").unwrap();
    checkpoints.remove_others(&state(20)).unwrap();
    let count = fs::read_dir(folder.path().join("checkpoint"))
        .unwrap()
        .count();
    assert_eq!(count, PARTS.len() + 1);
    assert_eq!(load(&checkpoints, &without_checksums(20)).unwrap(), 20.0);
}

#[test]
fn every_damaged_file_is_rejected_by_name() {
    let run = tempfile::tempdir().unwrap();
    fs::create_dir(run.path().join("checkpoint")).unwrap();
    let checkpoints = Checkpoints::new(run.path());
    let checksums = save(run.path(), 10, 1.0).unwrap();
    checkpoints.commit(&state(10), &checksums).unwrap();
    let read = || {
        let checkpoint = checkpoints.latest()?.unwrap();
        load(&checkpoints, &checkpoint)
    };
    for name in [LATEST_FILE, "model-10.mpk"] {
        let path = run.path().join("checkpoint").join(name);
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                fs::write(&path, &damaged).unwrap();
                let error = read().unwrap_err();
                let text = error.to_string();
                assert!(text.contains(name), "bit {bit} of byte {place}: {text}");
                assert!(error.hint().is_some(), "{text}");
            }
            fs::write(&path, &whole[..place]).unwrap();
            assert!(read().is_err(), "cut to {place} bytes");
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(read().unwrap(), 1.0);
    }
}

#[test]
fn older_checkpoint_is_read() {
    let run = tempfile::tempdir().unwrap();
    let folder = run.path().join("checkpoint");
    fs::create_dir(&folder).unwrap();
    save(run.path(), 10, 1.0).unwrap();
    let latest = serde_json::to_vec(&state(10)).unwrap();
    fs::write(folder.join(LATEST_FILE), latest).unwrap();
    let checkpoints = Checkpoints::new(run.path());
    let checkpoint = checkpoints.latest().unwrap().unwrap();
    assert_eq!(checkpoint, without_checksums(10));
    assert_eq!(load(&checkpoints, &checkpoint).unwrap(), 1.0);
}

#[test]
fn truncated_record_without_checksum_is_named() {
    let run = tempfile::tempdir().unwrap();
    fs::create_dir(run.path().join("checkpoint")).unwrap();
    let checkpoints = Checkpoints::new(run.path());
    save(run.path(), 5, 1.0).unwrap();
    let path = run.path().join("checkpoint/model-5.mpk");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

    let error = load(&checkpoints, &without_checksums(5))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("model-5.mpk is cut off") && !error.contains('\n'),
        "{error}"
    );
}

#[test]
fn failed_write_is_reported_with_reason() {
    let error = save(Path::new("/nonexistent"), 5, 1.0).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("/nonexistent"), "{error}");
}
