//! Tests of exported tables as other programs read them.

use super::*;
use crate::synthetic::Plan;
use csv::Reader;
use events::{Epoch, Event, Started, Step, Tested};

fn text(table: Table, history: &History) -> String {
    let mut bytes = Vec::new();
    table(history, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_number_round_trips() {
    let history = Plan::resumed().finished();
    let table = text(FILES[0].1, &history);
    let mut reader = Reader::from_reader(table.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        header,
        ["step", "epoch", "seconds", "accuracy", "loss", "rate"]
    );
    let steps = &history.steps;
    let mut rows = 0;
    for (row, record) in reader.records().enumerate() {
        let record = record.unwrap();
        assert_eq!(record[0].parse(), Ok(steps.steps()[row]));
        assert_eq!(
            record[1].parse(),
            Ok(row / Plan::default().steps_per_epoch + 1)
        );
        assert_eq!(record[2].parse(), Ok(steps.seconds()[row]));
        for (cell, name) in record.iter().zip(&header).skip(3) {
            assert_eq!(cell.parse(), Ok(steps.figures(name).unwrap()[row]));
        }
        rows += 1;
    }
    assert_eq!(rows, steps.len());
}

#[test]
fn missing_values_are_empty_cells() {
    let mut history = History::default();
    for (step, metrics) in [
        (1, vec![("loss", 2.5)]),
        (2, vec![("loss", f64::NAN), ("rate", -1e-7)]),
        (4, vec![]),
    ] {
        history.push(Event::Step(Step {
            seconds: 0.5,
            epoch: 1,
            step,
            metrics: metrics.into_iter().collect(),
        }));
    }
    let number = |epoch, step, average: &[(&str, f64)]| {
        Event::Epoch(Box::new(Epoch {
            epoch,
            step,
            validation: [("loss", 0.25)].into_iter().collect(),
            average: (epoch == 2).then(|| average.iter().copied().collect()),
            ..Epoch::default()
        }))
    };
    history.push(number(1, 2, &[]));
    history.push(number(2, 3, &[("accuracy", 0.5)]));
    insta::assert_snapshot!(text(FILES[0].1, &history), @r"
    step,epoch,seconds,loss,rate
    1,1,0.5,2.5,
    2,1,0.5,,-0.0000001
    4,3,0.5,,
    ");
    insta::assert_snapshot!(text(FILES[1].1, &history), @r"
    epoch,step,seconds,took,best,validation_loss,average_accuracy
    1,2,0,0,false,0.25,
    2,3,0,0,false,0.25,0.5
    ");
}

#[test]
fn test_metrics_are_exported() {
    let mut history = History::default();
    assert_eq!(text(FILES[4].1, &history), "epoch,seconds\n");
    let names = "class,name,images,precision,recall,f1\n";
    assert_eq!(text(FILES[5].1, &history), names);
    history.push(Event::Started(Box::new(Started {
        classes: ["cat", "=dog", "none"].map(str::to_owned).to_vec(),
        ..Started::default()
    })));
    history.push(Event::Tested(Box::new(Tested {
        seconds: 12.5,
        epoch: 3,
        metrics: [("loss", 0.25), ("accuracy", 0.75), ("top5", f64::NAN)]
            .into_iter()
            .collect(),
        confusion: vec![(0, 0, 3), (0, 1, 1), (1, 1, 4)],
        ..Tested::default()
    })));
    insta::assert_snapshot!(text(FILES[4].1, &history), @r"
    epoch,seconds,accuracy,loss,top5
    3,12.5,0.75,0.25,
    ");
    insta::assert_snapshot!(text(FILES[5].1, &history), @r"
    class,name,images,precision,recall,f1
    0,cat,4,1,0.75,0.8571428571428571
    1,'=dog,4,0.8,1,0.8888888888888888
    2,none,0,,,
    ");
    // Without a confusion matrix, the class names are still written.
    let tested = history.tested.as_mut().unwrap();
    tested.confusion.clear();
    assert!(text(FILES[5].1, &history).contains("\n0,cat,0,,,\n"));
}

#[test]
fn names_are_escaped_and_no_formulas() {
    let mut history = History::default();
    history.push(Event::Step(Step {
        seconds: 0.0,
        epoch: 1,
        step: 1,
        metrics: [
            "=1+1",
            "@a",
            "\t=a",
            "a,\"b\"\nc",
            "\u{1b}]0;x\u{7}\u{202e}",
        ]
        .map(|name| (name, 1.0))
        .into_iter()
        .collect(),
    }));
    let table = text(FILES[0].1, &history);
    let mut reader = Reader::from_reader(table.as_bytes());
    let header: Vec<&str> = reader.headers().unwrap().iter().skip(3).collect();
    assert_eq!(
        header,
        [
            "\\t=a",
            "\\u{1b}]0;x\\u{7}\\u{202e}",
            "'=1+1",
            "'@a",
            "a,\"b\"\\nc"
        ]
    );
}

#[test]
fn files_are_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    for history in [History::default(), Plan::resumed().finished()] {
        let paths = write(&folder.path().join("a"), "b", None, &history).unwrap();
        assert_eq!(paths.len(), FILES.len());
        for (path, (name, table)) in paths.iter().zip(FILES) {
            assert_eq!(path, &inner.join(name));
            assert_eq!(
                std::fs::read_to_string(path).unwrap(),
                text(table, &history)
            );
        }
    }
    assert_eq!(std::fs::read_dir(&inner).unwrap().count(), FILES.len());
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = write(folder.path(), "file", None, &History::default()).unwrap_err();
    assert!(matches!(error, ExportError::Folder { .. }));
}

#[test]
fn each_run_gets_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path(), "first", None, &Plan::resumed().finished()).unwrap();
    let text = std::fs::read_to_string(&first[0]).unwrap();
    let second = write(folder.path(), "second", None, &History::default()).unwrap();
    assert_ne!(first, second);
    assert_eq!(std::fs::read_to_string(&first[0]).unwrap(), text);
    let error = write(folder.path(), "../out", None, &History::default()).unwrap_err();
    assert!(matches!(error, ExportError::Name { .. }));
}

#[test]
fn single_table_is_written() {
    let history = Plan::resumed().finished();
    let folder = tempfile::tempdir().unwrap();
    let paths = write(folder.path(), "mine", Some("epochs"), &history).unwrap();
    assert_eq!(paths, [folder.path().join("mine/epochs.csv")]);
    assert_eq!(
        std::fs::read_dir(folder.path().join("mine"))
            .unwrap()
            .count(),
        1
    );
    let mut text = Vec::new();
    write_table("epochs", &history, &mut text).unwrap();
    assert_eq!(std::fs::read(&paths[0]).unwrap(), text);
    for (table, (file, _)) in TABLES.iter().zip(FILES) {
        assert_eq!(format!("{table}.csv"), file);
    }
}
