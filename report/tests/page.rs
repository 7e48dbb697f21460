//! Pages of runs of every kind, read as a browser reads them.

mod hostile;
mod synthetic;

use std::path::Path;

use events::{Event, History, Speed};
use hostile::{event_strategy, text_strategy};
use proptest::collection::vec;
use proptest::prelude::*;
use report::{NamedRun, page};
use scraper::{Html, Selector};
use synthetic::Synthetic;

fn page_of(name: &str, history: &History) -> String {
    page(&[NamedRun {
        name,
        folder: Path::new("runs/mine"),
        history,
        is_running: false,
    }])
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: &scraper::ElementRef) -> String {
    let text = element.text().collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rows(page: &Html, table: &str) -> Vec<Vec<String>> {
    let cells = Selector::parse("th, td").unwrap();
    select(page, &format!("{table} tbody tr"))
        .iter()
        .map(|row| row.select(&cells).map(|cell| text(&cell)).collect())
        .collect()
}

#[test]
fn figures_are_those_of_the_events() {
    let history = Synthetic::default().history();
    let html = Html::parse_document(&page_of("mine", &history));
    assert_eq!(html.errors, Vec::<String>::new());

    let keys: Vec<String> = select(&html, ".keys .card").iter().map(text).collect();
    let tested = history.tested.as_ref().unwrap();
    let accuracy = 100.0 * tested.metrics.get("accuracy").unwrap();
    assert_eq!(
        keys[0],
        format!("test accuracy {accuracy:.2} % network of epoch 5")
    );
    assert!(
        keys.contains(&"epochs 5 of 5 845 steps".to_owned()),
        "{keys:?}"
    );

    let epochs = rows(&html, "table.epochs");
    assert_eq!(epochs.len(), 5);
    for (row, epoch) in epochs.iter().zip(&history.epochs) {
        let average = epoch.average.as_ref().unwrap();
        let mut expected = vec![epoch.epoch.to_string()];
        for metrics in [&epoch.train, &epoch.validation, average] {
            expected.push(format!("{:.4}", metrics.get("loss").unwrap()));
            expected.push(format!("{:.2} %", 100.0 * metrics.get("accuracy").unwrap()));
        }
        assert_eq!(row[..7], expected[..]);
    }

    let matrix = rows(&html, "table.matrix");
    let mut cells: u64 = 0;
    for &(class, likeliest, pictures) in &tested.confusion {
        assert_eq!(matrix[class][likeliest + 1], pictures.to_string());
        cells += pictures;
    }
    let shown = matrix
        .iter()
        .flat_map(|row| &row[1..])
        .filter_map(|cell| cell.parse::<u64>().ok());
    assert_eq!(shown.sum::<u64>(), cells);
    assert_eq!(rows(&html, "table.classes").len(), 10);
    assert_eq!(select(&html, ".gallery img").len(), 12);
}

#[test]
fn a_run_that_is_not_tested_shows_its_kept_epoch() {
    let run = Synthetic {
        is_tested: false,
        stopped_after: Some(2),
        ..Synthetic::default()
    };
    let history = run.history();
    let html = Html::parse_document(&page_of("mine", &history));
    let kept = history.kept().unwrap();
    let matrix = rows(&html, "table.matrix");
    for &(class, likeliest, pictures) in &kept.confusion {
        assert_eq!(matrix[class][likeliest + 1], pictures.to_string());
    }
    assert_eq!(text(&select(&html, ".state")[0]), "crashed");
    let text = text(&select(&html, "main")[0]);
    assert!(text.contains("validation pictures after epoch 5"), "{text}");
    assert!(text.contains("2 pictures cannot be read"), "{text}");
    assert!(
        text.contains("target/release/train --resume runs/mine"),
        "{text}"
    );
}

#[test]
fn a_run_that_goes_on_says_how_long() {
    let mut history = History::default();
    let events = Synthetic::default().events();
    events
        .into_iter()
        .take(600)
        .for_each(|event| history.push(event));
    let html = Html::parse_document(&page(&[NamedRun {
        name: "mine",
        folder: Path::new("runs/mine"),
        history: &history,
        is_running: true,
    }]));
    assert_eq!(text(&select(&html, ".state")[0]), "running");
    let keys: Vec<String> = select(&html, ".keys .card").iter().map(text).collect();
    assert!(keys.iter().any(|key| key.contains("s left")), "{keys:?}");
    assert!(text(&select(&html, "#timing-0")[0]).contains("goes on"));
}

#[test]
fn means_are_over_steps_however_often_they_were_told_of() {
    let mut history = History::default();
    // 8 steps in a second, then 2 steps in another one.
    for (step, seconds) in [(8, 0.125), (10, 0.5)] {
        history.push(Event::Speed(Speed {
            step,
            pictures: 10.0 / seconds,
            forward: seconds,
            ..Speed::default()
        }));
    }
    let html = Html::parse_document(&page_of("mine", &history));
    let whole: Vec<String> = select(&html, "#timing-0 tr").iter().map(text).collect();
    assert!(
        whole.contains(&"whole step 200.00 ms".to_owned()),
        "{whole:?}"
    );
    let run = NamedRun {
        name: "mine",
        folder: Path::new("mine"),
        history: &history,
        is_running: false,
    };
    let html = Html::parse_document(&page(&[run, run]));
    let table = rows(&html, "table.comparison");
    let expected = ["pictures a second, on average", "50", "50"];
    assert!(table.iter().any(|row| row[..] == expected), "{table:?}");
}

#[test]
fn several_runs_are_compared_by_what_differs() {
    let rates = [0.1, 0.05, 0.2];
    let histories: Vec<History> = (1..)
        .zip(rates)
        .map(|(seed, rate)| {
            Synthetic {
                seed,
                rate,
                ..Synthetic::default()
            }
            .history()
        })
        .collect();
    let names = ["first", "second", "third"];
    let runs: Vec<NamedRun> = histories
        .iter()
        .zip(names)
        .map(|(history, name)| NamedRun {
            name,
            folder: Path::new(name),
            history,
            is_running: false,
        })
        .collect();
    let html = Html::parse_document(&page(&runs));
    assert_eq!(html.errors, Vec::<String>::new());
    let table = rows(&html, "table.comparison");
    let find = |name: &str| {
        table
            .iter()
            .find(|row| row[0] == name)
            .map(|row| row[1..].to_vec())
    };
    assert_eq!(find("lr").unwrap(), ["0.1", "0.05", "0.2"]);
    assert_eq!(find("seed").unwrap(), ["1", "2", "3"]);
    assert_eq!(find("momentum"), None);
    let accuracies = histories.iter().map(|history| {
        let tested = history.tested.as_ref().unwrap();
        format!("{:.2} %", 100.0 * tested.metrics.get("accuracy").unwrap())
    });
    assert_eq!(
        find("test accuracy").unwrap(),
        accuracies.collect::<Vec<_>>()
    );
    let best: Vec<String> = select(&html, "td.best").iter().map(text).collect();
    assert!(
        best.contains(&find("test accuracy").unwrap()[2]),
        "{best:?}"
    );
    assert_eq!(select(&html, "details.run").len(), 3);
    // No two elements have one name.
    let ids: Vec<&str> = select(&html, "[id]")
        .iter()
        .filter_map(|element| element.attr("id"))
        .collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
}

#[test]
fn a_page_is_small() {
    let run = Synthetic {
        epochs: 10,
        ..Synthetic::default()
    };
    let length = page_of("mine", &run.history()).len();
    assert!(length < 400_000, "{length} bytes");
    let many = Synthetic {
        classes: 100,
        ..Synthetic::default()
    };
    assert!(page_of("mine", &many.history()).len() < 800_000);
}

#[test]
fn no_runs_and_empty_runs_have_pages() {
    assert_eq!(
        Html::parse_document(&page(&[])).errors,
        Vec::<String>::new()
    );
    let html = Html::parse_document(&page_of("", &History::default()));
    assert_eq!(html.errors, Vec::<String>::new());
    assert!(select(&html, "table, #timing-0").is_empty());
}

/// Whether a page holds nothing but what belongs there.
fn check(page: &str) -> Result<(), TestCaseError> {
    let is_control = |character: char| character.is_control() && character != '\n';
    prop_assert!(!page.contains(is_control));
    let html = Html::parse_document(page);
    prop_assert_eq!(&html.errors, &Vec::<std::borrow::Cow<'static, str>>::new());
    prop_assert_eq!(select(&html, "script").len(), 2);
    prop_assert_eq!(select(&html, "style").len(), 1);
    prop_assert_eq!(
        select(
            &html,
            "iframe, object, embed, base, form, link:not([rel=icon])"
        )
        .len(),
        0
    );
    for element in select(&html, "*") {
        for (name, value) in element.value().attrs() {
            prop_assert!(
                !name.starts_with("on") && name != "style",
                "{} {}",
                name,
                value
            );
            let is_address = name == "src" || name == "href";
            let is_own = value.starts_with('#')
                || value == "data:,"
                || value.starts_with("data:image/png;base64,");
            prop_assert!(!is_address || is_own, "{} {}", name, value);
        }
    }
    let data = select(&html, "#figures")[0].text().collect::<String>();
    let data: Result<serde_json::Value, _> = serde_json::from_str(&data);
    prop_assert!(data.is_ok());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happened_the_page_is_whole(
        names in vec(text_strategy(), 1..3),
        runs in vec(vec(event_strategy(), 0..24), 1..3),
        is_running: bool,
    ) {
        let histories: Vec<History> = runs.into_iter().map(|events| {
            let mut history = History::default();
            events.into_iter().for_each(|event| history.push(event));
            history
        }).collect();
        let runs: Vec<NamedRun> = histories.iter().zip(&names).map(|(history, name)| NamedRun {
            name,
            folder: Path::new(name),
            history,
            is_running,
        }).collect();
        check(&page(&runs))?;
    }
}
