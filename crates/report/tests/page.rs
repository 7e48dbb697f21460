//! Pages of runs of every kind, read as a browser reads them.

#[path = "../../events/tests/hostile/mod.rs"]
mod hostile;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use std::path::Path;

use events::{Event, History, Level, Message, Metrics, Mistake, Speed, Step, Tested, Thumbnail};
use hostile::{event_strategy, text_strategy};
use proptest::collection::vec;
use proptest::prelude::*;
use report::{NamedRun, markdown, page};
use scraper::{Html, Selector};
use synthetic::{Plan, diverged};

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

/// As the page shows it, from the confusion matrix.
fn interval(tested: &Tested) -> String {
    let images = tested.confusion.iter().map(|cell| cell.2).sum();
    let right = tested.confusion.iter().filter(|cell| cell.0 == cell.1);
    let right = right.map(|cell| cell.2).sum();
    let [low, high] = events::accuracy_interval(right, images).unwrap();
    format!("95 % interval {:.2} to {:.2} %", 100.0 * low, 100.0 * high)
}

#[test]
fn page_figures_match_events() {
    let history = Plan::averaged().finished();
    let html = Html::parse_document(&page_of("mine", &history));
    assert_eq!(html.errors, Vec::<String>::new());

    let keys: Vec<String> = select(&html, ".keys .card").iter().map(text).collect();
    let tested = history.tested.as_ref().unwrap();
    let accuracy = 100.0 * tested.metrics.get("accuracy").unwrap();
    assert_eq!(
        keys[0],
        format!(
            "test accuracy {accuracy:.2} % model of epoch 5, {}",
            interval(tested)
        )
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
            // Four digits.
            let loss = metrics.get("loss").unwrap();
            let decimals = if loss < 1.0 { 4 } else { 3 };
            expected.push(format!("{loss:.decimals$}"));
            expected.push(format!("{:.2} %", 100.0 * metrics.get("accuracy").unwrap()));
        }
        assert_eq!(row[..7], expected[..]);
    }

    let matrix = rows(&html, "table.matrix");
    let mut cells: u64 = 0;
    for &(class, likeliest, images) in &tested.confusion {
        assert_eq!(matrix[class][likeliest + 1], images.to_string());
        cells += images;
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
fn untested_run_shows_its_kept_epoch() {
    let plan = Plan {
        stopped_after: Some(2 * 169),
        ..Plan::averaged()
    };
    let history = plan.history(5 * 169);
    let html = Html::parse_document(&page_of("mine", &history));
    let kept = history.kept().unwrap();
    let matrix = rows(&html, "table.matrix");
    for &(class, likeliest, images) in &kept.confusion {
        assert_eq!(matrix[class][likeliest + 1], images.to_string());
    }
    assert_eq!(text(&select(&html, ".state")[0]), "crashed");
    let text = text(&select(&html, "main")[0]);
    assert!(text.contains("validation images after epoch 5"), "{text}");
    assert!(text.contains("3 images cannot be read"), "{text}");
    assert!(text.contains("train --resume runs/mine"), "{text}");
}

#[test]
fn running_run_shows_time_left() {
    let history = Plan::averaged().history(500);
    let html = Html::parse_document(&page(&[NamedRun {
        name: "mine",
        folder: Path::new("runs/mine"),
        history: &history,
        is_running: true,
    }]));
    assert_eq!(text(&select(&html, ".state")[0]), "running");
    let keys: Vec<String> = select(&html, ".keys .card").iter().map(text).collect();
    assert!(keys.iter().any(|key| key.contains("s left")), "{keys:?}");
    assert!(text(&select(&html, "#timing-0")[0]).contains("running"));
}

#[test]
fn step_means_ignore_reporting_frequency() {
    let mut history = History::default();
    // 8 steps in a second, then 2 steps in another one.
    for (step, seconds) in [(8, 0.125), (10, 0.5)] {
        history.push(Event::Speed(Speed {
            step,
            images: 10.0 / seconds,
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
    let expected = ["average images per second", "50", "50"];
    assert!(table.iter().any(|row| row[..] == expected), "{table:?}");
}

#[test]
fn compared_runs_show_differing_settings() {
    let plans = (1..=3).map(|seed| Plan {
        seed,
        ..Plan::averaged()
    });
    let histories: Vec<History> = plans.map(|plan| plan.finished()).collect();
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
    assert_eq!(find("schedule.rate").unwrap(), ["0.1", "0.2", "0.3"]);
    assert_eq!(find("seed").unwrap(), ["1", "2", "3"]);
    assert_eq!(find("optimizer.momentum"), None);
    let accuracies = histories.iter().map(|history| {
        let tested = history.tested.as_ref().unwrap();
        format!("{:.2} %", 100.0 * tested.metrics.get("accuracy").unwrap())
    });
    assert_eq!(
        find("test accuracy").unwrap(),
        accuracies.collect::<Vec<_>>()
    );
    let best: Vec<String> = select(&html, "td.best").iter().map(text).collect();
    // All have two digits before the point.
    let highest = find("test accuracy").unwrap().into_iter().max();
    assert!(best.contains(&highest.unwrap()), "{best:?}");
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
fn page_size_is_limited() {
    let plan = Plan {
        epochs: 10,
        ..Plan::averaged()
    };
    let length = page_of("mine", &plan.finished()).len();
    assert!(length < 400_000, "{length} bytes");
    let many = Plan {
        classes: 100,
        ..Plan::averaged()
    };
    assert!(page_of("mine", &many.finished()).len() < 800_000);
}

#[test]
fn pages_without_runs_and_of_empty_runs_are_written() {
    assert_eq!(
        Html::parse_document(&page(&[])).errors,
        Vec::<String>::new()
    );
    let html = Html::parse_document(&page_of("", &History::default()));
    assert_eq!(html.errors, Vec::<String>::new());
    assert!(select(&html, "table, #timing-0").is_empty());
}

/// A run of someone whose name is in every path.
fn of_joe() -> History {
    let home = "/home/joe-smith";
    let mut history = History::default();
    for mut event in Plan::averaged().events() {
        match &mut event {
            Event::Started(started) => {
                started.folder = Some(format!("{home}/my work"));
                started.command = vec![
                    format!("{home}/my work/target/release/train"),
                    "--data".to_owned(),
                    format!("folder:{home}/photos"),
                    format!("--weights={home}/my work/w.pth"),
                ];
                started.data = format!("folder:{home}/photos");
                started.config = serde_json::json!({
                    "data": started.data, "weights": format!("{home}/my work/w.pth"), "runs_dir": "runs",
                    "data_dir": "/srv/sets", "lr": 0.1 * 0.1,
                });
                started.model = "resnet18".to_owned();
            }
            Event::Tested(tested) => {
                tested.mistakes[0].path = Some(format!("{home}/photos/test/cat/1.jpg"));
                tested.mistakes[1].path = Some(format!("{home}/elsewhere/2.jpg"));
            }
            _ => {}
        }
        history.push(event);
    }
    history.push(Event::Message(Message {
        seconds: 9.0,
        level: Level::Error,
        text: format!("cannot read {home}/photos/cat/3.jpg: it is cut off; see `/root/x y/log`"),
    }));
    history
}

#[test]
fn paths_hide_home_folder() {
    let history = of_joe();
    let run = NamedRun {
        name: "mine",
        folder: Path::new("/home/joe-smith/my work/runs/mine"),
        history: &history,
        is_running: false,
    };
    let other = Plan::averaged().finished();
    let other = NamedRun {
        name: "other",
        history: &other,
        ..run
    };
    for text in [
        page(&[run]),
        page(&[run, other]),
        markdown(&[run]),
        markdown(&[run, other]),
    ] {
        for leak in ["joe", "/home", "/root", "\"/srv", ":/srv"] {
            assert!(!text.contains(leak), "{leak} in {text}");
        }
        for shown in [
            "target/release/train --data",
            "--resume runs/mine",
            "test/cat/1.jpg",
            "../elsewhere/2.jpg",
        ] {
            assert!(text.contains(shown), "no {shown} in {text}");
        }
        assert!(
            text.contains("cannot read ../photos/cat/3.jpg: it is cut off"),
            "{text}"
        );
    }
}

#[test]
fn settings_are_rounded_and_name_weights_model() {
    let history = of_joe();
    let html = Html::parse_document(&page_of("mine", &history));
    let settings = rows(&html, "#settings-0 table.settings");
    let value = |name: &str| {
        let row = settings.iter().find(|row| row[0] == name);
        row.unwrap_or_else(|| panic!("no {name} in {settings:?}"))[1].clone()
    };
    assert_eq!(value("lr"), "0.01");
    assert_eq!(value("model"), "\"resnet18\"");
    assert_eq!(value("data"), "\"folder:../photos\"");
    assert_eq!(value("data_dir"), "\"…/srv/sets\"");
    let subtitle = text(&select(&html, ".subtitle")[0]);
    assert!(
        subtitle.starts_with("resnet18 on folder:../photos"),
        "{subtitle}"
    );
}

#[test]
fn title_names_runs() {
    let history = Plan::averaged().finished();
    let run = |name| NamedRun {
        name,
        folder: Path::new("runs/mine"),
        history: &history,
        is_running: false,
    };
    let html = Html::parse_document(&page(&[run("mine"), run("other")]));
    for selector in ["title", "h1"] {
        assert_eq!(text(&select(&html, selector)[0]), "mine and other");
    }
    assert!(markdown(&[run("mine"), run("other")]).starts_with("# mine and other\n"));
}

#[test]
fn visible_text_uses_plain_words() {
    let history = Plan::resumed().finished();
    let html = Html::parse_document(&page_of("mine", &history));
    let body = text(&select(&html, "main")[0]) + &text(&select(&html, "header")[0]);
    let words: Vec<&str> = body.split(|letter: char| !letter.is_alphabetic()).collect();
    for unclear in ["sitting", "sittings", "nats", "nat"] {
        assert!(!words.contains(&unclear), "{unclear} in {body}");
    }
    for clear in ["in 2 sessions", "cross entropy", "Sessions"] {
        assert!(body.contains(clear), "no {clear} in {body}");
    }
}

#[test]
fn exploded_loss_is_clipped_and_marked() {
    let history = diverged();
    let html = Html::parse_document(&page_of("mine", &history));
    let loss = select(&html, "figure")
        .into_iter()
        .find(|figure| text(figure).to_lowercase().contains("loss"))
        .unwrap();
    let labels = Selector::parse("svg text[text-anchor=end]").unwrap();
    let labels = loss.select(&labels);
    let labels: Vec<f64> = labels
        .filter_map(|label| text(&label).parse().ok())
        .collect();
    assert!(
        labels.len() > 2 && labels.iter().all(|label| *label <= 15.0),
        "{labels:?}"
    );
    let words = text(&loss);
    assert!(words.contains("diverges at epoch 0.6"), "{words}");
    assert!(
        words.contains("are cut off; the largest is 1.65e30"),
        "{words}"
    );
    let marks = Selector::parse("svg line[stroke-dasharray='2 4']").unwrap();
    assert_eq!(loss.select(&marks).count(), 1);
    let text = markdown(&[NamedRun {
        name: "mine",
        folder: Path::new("runs/mine"),
        history: &history,
        is_running: false,
    }]);
    assert!(
        text.contains("are cut off; the largest is 1.65e30"),
        "{text}"
    );
}

#[test]
fn nan_loss_is_marked() {
    let mut history = diverged();
    history.push(Event::Step(Step {
        seconds: 101.0,
        epoch: 1,
        step: 101,
        metrics: Metrics::from_iter([("loss", f64::NAN)]),
    }));
    let page = page_of("mine", &history);
    assert!(page.contains("diverges at epoch 0.6"), "{page}");
}

#[test]
fn markdown_matches_page_content() {
    let plan = Plan {
        epochs: 2,
        stopped_after: Some(169),
        worse: Some(2),
        ..Plan::averaged()
    };
    let mut history = plan.finished();
    let tested = history.tested.as_mut().unwrap();
    tested.mistakes.truncate(2);
    tested.mistakes[0] = Mistake {
        path: Some("photos/a|b.png".to_owned()),
        thumbnail: Thumbnail::new([1, 1, 1], vec![0]).unwrap(),
        ..tested.mistakes[0].clone()
    };
    let text = markdown(&[NamedRun {
        name: "mine",
        folder: Path::new("runs/mine"),
        history: &history,
        is_running: false,
    }]);
    insta::assert_snapshot!(text);
    let other = Plan {
        epochs: 2,
        seed: 2,
        ..Plan::averaged()
    };
    let other = other.finished();
    let runs = [("mine", &history), ("other", &other)].map(|(name, history)| NamedRun {
        name,
        folder: Path::new("runs/mine"),
        history,
        is_running: false,
    });
    let text = markdown(&runs);
    let (comparison, _) = text.split_once("## mine (").unwrap();
    insta::assert_snapshot!(comparison);
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

/// Whether a Markdown file holds nothing that acts: outside code, every `<` is escaped.
fn check_markdown(text: &str) -> Result<(), TestCaseError> {
    let is_control = |character: char| character.is_control() && character != '\n';
    prop_assert!(!text.contains(is_control));
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|&tick| tick == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                let unescaped = line.replace("\\\\", "").replace("\\<", "");
                prop_assert!(!unescaped.contains('<'), "{}", line);
            }
        }
    }
    prop_assert_eq!(fence, None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_history_gives_valid_page(
        names in vec(text_strategy(), 1..3),
        runs in vec(vec(event_strategy(), 0..24), 1..3),
        is_running: bool,
    ) {
        let histories: Vec<History> = runs.into_iter().map(synthetic::history).collect();
        let runs: Vec<NamedRun> = histories.iter().zip(&names).map(|(history, name)| NamedRun {
            name,
            folder: Path::new(name),
            history,
            is_running,
        }).collect();
        check(&page(&runs))?;
        check_markdown(&markdown(&runs))?;
    }
}
