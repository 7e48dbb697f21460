//! Pages of runs of every kind, read as a browser reads them.

mod synthetic;

use std::path::Path;

use events::{
    Ended, Ending, Epoch, Event, History, Level, Message, Metrics, Mistake, Resumed, Speed,
    Started, Step, System, Tested, Thumbnail,
};
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
    let kept = history.best().unwrap();
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
}

/// Texts that try to become something else, and numbers that are none.
fn text_strategy() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        ".{0,6}",
        Just("</script><script>alert(1)</script>".to_owned()),
        Just("</style></title><img src=x onerror=alert(1)>".to_owned()),
        Just("\" onload=\"alert(1)\" '".to_owned()),
        Just("<!--".to_owned()),
        Just("]]>&lt;&#60;".to_owned()),
        Just("\u{1b}[2J\u{9b}31m\0\u{202e}".to_owned()),
        Just("x".repeat(500)),
        Just("javascript:alert(1)".to_owned()),
    ]
}

fn number_strategy() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..1.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(-0.0),
    ]
}

fn index_strategy() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..12_usize,
        Just(usize::MAX),
        Just(usize::MAX - 1),
        any::<usize>()
    ]
}

fn metrics_strategy() -> impl Strategy<Value = Metrics> {
    let name = prop_oneof![
        Just("loss".to_owned()),
        Just("accuracy".to_owned()),
        text_strategy()
    ];
    vec((name, number_strategy()), 0..4).prop_map(Metrics::from_iter)
}

fn confusion_strategy() -> impl Strategy<Value = Vec<(usize, usize, u64)>> {
    vec((index_strategy(), index_strategy(), any::<u64>()), 0..6)
}

fn mistakes_strategy() -> impl Strategy<Value = Vec<Mistake>> {
    let mistake = (index_strategy(), index_strategy(), number_strategy());
    let mistake = mistake.prop_map(|(class, likeliest, confidence)| Mistake {
        picture: class,
        class,
        likeliest,
        confidence,
        thumbnail: Thumbnail::new([1, 2, 3], vec![1; 6]).unwrap(),
    });
    vec(mistake, 0..3)
}

fn event_strategy() -> impl Strategy<Value = Event> {
    let (text, number, index) = (text_strategy, number_strategy, index_strategy);
    prop_oneof![
        (vec(text(), 11), vec(index(), 6), vec((number(), number()), 0..3)).prop_map(|(texts, counts, rates)| {
            Event::Started(Box::new(Started {
                at: texts[0].clone(),
                version: texts[1].clone(),
                command: texts[2..4].to_vec(),
                machine: texts[4].clone(),
                processor: texts[5].clone(),
                device: texts[6].clone(),
                data: texts[7].clone(),
                classes: texts[8..10].to_vec(),
                model: texts[10].clone(),
                threads: counts[0],
                parameters: counts[1],
                epochs: counts[2],
                steps_per_epoch: counts[3],
                batch_size: counts[4],
                shape: [counts[5]; 3],
                config: serde_json::json!({ &texts[0]: texts[1], "a": { &texts[2]: [texts[3]] } }),
                rates,
                ..Started::default()
            }))
        }),
        (text(), number(), index(), index()).prop_map(|(at, seconds, step, epochs_done)| {
            Event::Resumed(Resumed { at, seconds, step, epochs_done, command: vec![], device: String::new() })
        }),
        (number(), index(), index(), metrics_strategy())
            .prop_map(|(seconds, epoch, step, metrics)| Event::Step(Step { seconds, epoch, step, metrics })),
        (number(), index(), index(), vec(metrics_strategy(), 3), confusion_strategy(), mistakes_strategy()).prop_map(
            |(seconds, epoch, step, metrics, confusion, mistakes)| Event::Epoch(Box::new(Epoch {
                seconds,
                epoch,
                step,
                took: seconds,
                train: metrics[0].clone(),
                validation: metrics[1].clone(),
                average: Some(metrics[2].clone()),
                best: step % 2 == 0,
                confusion,
                mistakes,
            }))
        ),
        (index(), vec(number(), 7)).prop_map(|(step, numbers)| Event::Speed(Speed {
            seconds: numbers[0],
            step,
            pictures: numbers[1],
            waiting: numbers[2],
            forward: numbers[3],
            backward: numbers[4],
            optimizer: numbers[5],
            rest: numbers[6],
        })),
        (any::<u64>(), vec(number(), 3)).prop_map(|(memory, numbers)| Event::System(System {
            seconds: numbers[0],
            cpu: numbers[1],
            gpu: Some(numbers[2]),
            memory,
            memory_total: memory,
            ..System::default()
        })),
        (number(), text()).prop_map(|(seconds, text)| {
            Event::Message(Message { seconds, level: Level::Warning, text })
        }),
        (number(), index(), metrics_strategy(), confusion_strategy()).prop_map(|(seconds, epoch, metrics, confusion)| {
            Event::Tested(Box::new(Tested { seconds, epoch, metrics, confusion, mistakes: vec![] }))
        }),
        (number(), text()).prop_map(|(seconds, reason)| {
            Event::Ended(Ended { seconds, ending: Ending::Failed, reason: Some(reason) })
        }),
    ]
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
