//! Pages in a real browser. Images of them are left in the target folder's `tmp`.

mod chromium;
#[path = "../../events/tests/synthetic/mod.rs"]
mod synthetic;

use std::path::{Path, PathBuf};

use chromium::{Browser, Look};
use events::{Epoch, Event, History, Message, Metrics};
use report::{NamedRun, page};
use serde_json::json;
use synthetic::{Plan, diverged};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A page of these runs, in a file.
fn written(name: &str, histories: &[&History]) -> PathBuf {
    let names: Vec<String> = (1..=histories.len())
        .map(|number| format!("run-{number}"))
        .collect();
    let runs: Vec<NamedRun> = histories
        .iter()
        .zip(&names)
        .map(|(history, name)| NamedRun {
            name,
            folder: Path::new("runs/one"),
            history,
            is_running: false,
        })
        .collect();
    let file = file(name);
    std::fs::write(&file, page(&runs)).unwrap();
    file
}

fn one() -> History {
    let plan = Plan {
        epochs: 10,
        stopped_after: Some(4 * 169),
        ..Plan::averaged()
    };
    plan.finished()
}

fn several() -> Vec<History> {
    let plans = (1..=3).map(|seed| Plan {
        seed,
        epochs: 5 + seed as usize,
        has_average: seed == 2,
        ..Plan::averaged()
    });
    plans.map(|plan| plan.finished()).collect()
}

fn percent(share: Option<f64>) -> String {
    format!("{:.2} %", 100.0 * share.unwrap())
}

/// The number of the chart with this title.
fn chart(browser: &mut Browser, title: &str) -> u64 {
    let expression = format!(
        "Number([...document.querySelectorAll('figure')].find(figure => \
         figure.querySelector('h3').textContent === '{title}').querySelector('.chart').dataset.chart)"
    );
    browser.evaluate(&expression).as_u64().unwrap()
}

/// Points at a place of a chart: its number, and x in its own units, 64 to 428.
fn point_at(browser: &mut Browser, chart: u64, x: f64) -> String {
    let expression = format!(
        "(() => {{ const svg = document.querySelector('[data-chart=\"{chart}\"]'); svg.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
         const box = svg.getBoundingClientRect(); return [box.left, box.top, box.width, box.height]; }})()"
    );
    let found = browser.evaluate(&expression);
    let [left, top, width, height] = [0, 1, 2, 3].map(|place| found[place].as_f64().unwrap());
    browser.point(left + x / 440.0 * width, top + height / 3.0);
    let expression = format!(
        "document.querySelector('[data-chart=\"{chart}\"]').parentElement.querySelector('.readout').innerText"
    );
    browser.text(&expression)
}

#[test]
#[ignore = "needs Chromium"]
fn page_loads_nothing_and_matches_events() {
    let history = one();
    let mut browser = Browser::open(&written("one.html", &[&history]), Look::default());
    assert_eq!(browser.troubles(), Vec::<String>::new());
    let keys = browser.text("document.querySelector('.keys').innerText");
    let tested = history.tested.as_ref().unwrap();
    assert!(
        keys.contains(&percent(tested.metrics.get("accuracy"))),
        "{keys}"
    );
    assert!(
        keys.contains(&format!("{:.4}", tested.metrics.get("loss").unwrap())),
        "{keys}"
    );
    let cells = "[...document.querySelectorAll('TABLE tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))";
    let epochs = browser.evaluate(&cells.replace("TABLE", ".epochs"));
    assert_eq!(epochs.as_array().unwrap().len(), history.epochs.len());
    for (row, epoch) in history.epochs.iter().enumerate() {
        let loss = events::format::number(epoch.validation.get("loss").unwrap());
        let expected = [
            json!(epoch.epoch.to_string()),
            json!(loss),
            json!(percent(epoch.validation.get("accuracy"))),
        ];
        assert_eq!([0, 3, 4].map(|cell| epochs[row][cell].clone()), expected);
    }
    let matrix = browser.evaluate(&cells.replace("TABLE", ".matrix"));
    for &(class, likeliest, images) in &tested.confusion {
        assert_eq!(matrix[class][likeliest + 1], json!(images.to_string()));
    }
    let broken =
        "[...document.images].filter(image => !image.complete || image.naturalWidth !== 28).length";
    assert_eq!(browser.evaluate(broken), json!(0));
    browser.image(&file("one-light.png"));
}

#[test]
#[ignore = "needs Chromium"]
fn charts_respond_to_pointer_and_keys() {
    let history = one();
    let mut browser = Browser::open(&written("pointer.html", &[&history]), Look::default());
    let accuracy = chart(&mut browser, "accuracy");
    // Ten epochs lie between 64 and 428.
    let epoch = &history.epochs[6];
    let read = point_at(&mut browser, accuracy, 64.0 + 0.7 * 364.0);
    assert!(read.contains("epoch 7"), "{read}");
    let expected = format!("validation {}", percent(epoch.validation.get("accuracy")));
    assert!(read.contains(&expected), "{read} without {expected}");
    let average = epoch.average.as_ref().unwrap();
    let expected = format!("average {}", percent(average.get("accuracy")));
    assert!(read.contains(&expected), "{read} without {expected}");
    browser.view(&file("pointer.png"));

    browser.evaluate("document.querySelector('[data-axis=step]').click()");
    let read = point_at(&mut browser, accuracy, 64.0 + 0.7 * 364.0);
    assert!(read.contains(&format!("step {}", epoch.step)), "{read}");
    let loss = chart(&mut browser, "loss");
    browser.evaluate(&format!(
        "document.querySelector('[data-chart=\"{loss}\"]').focus()"
    ));
    browser.press("End");
    let readout = format!(
        "document.querySelector('[data-chart=\"{loss}\"]').parentElement.querySelector('.readout')"
    );
    let read = browser.text(&format!("{readout}.innerText"));
    let last = history.epochs.last().unwrap();
    assert!(
        read.contains(&format!(
            "validation {:.4}",
            last.validation.get("loss").unwrap()
        )),
        "{read}"
    );
    browser.press("Escape");
    assert_eq!(browser.evaluate(&format!("{readout}.hidden")), json!(true));
    assert_eq!(browser.troubles(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium"]
fn script_redraws_charts_identically() {
    let histories = several();
    let histories: Vec<&History> = histories.iter().collect();
    for (name, histories) in [
        ("redrawn-hostile.html", &[&hostile()][..]),
        ("redrawn-diverged.html", &[&diverged(), &one()]),
        ("redrawn-one.html", &histories[..1]),
        ("redrawn.html", &histories[..]),
    ] {
        let mut browser = Browser::open(&written(name, histories), Look::default());
        // All text and the looks of each chart, and its numbers apart, which may differ in rounding.
        let drawn = "[...document.querySelectorAll('.drawing')].map(drawing => [[...drawing.children].map(part => \
             [part.tagName, part.getAttribute('class'), part.getAttribute('stroke-dasharray'), part.textContent]), \
             [...drawing.children].flatMap(part => ['points', 'cx', 'cy', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'transform'].flatMap(name => \
             (part.getAttribute(name) ?? '').split(/[^-0-9.]+/).filter(Boolean).map(Number)))])";
        let before = browser.evaluate(drawn);
        assert!(before.as_array().unwrap().len() > 5);
        browser.evaluate("document.querySelector('[data-axis=time]').click()");
        assert_ne!(browser.evaluate(drawn), before);
        browser.evaluate("document.querySelector('[data-axis=epoch]').click()");
        let after = browser.evaluate(drawn);
        for (before, after) in before
            .as_array()
            .unwrap()
            .iter()
            .zip(after.as_array().unwrap())
        {
            assert_eq!(before[0], after[0]);
            let [before, after] = [before, after].map(|drawing| drawing[1].as_array().unwrap());
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(after) {
                let distance = before.as_f64().unwrap() - after.as_f64().unwrap();
                assert!(distance.abs() < 0.16, "{before} {after}");
            }
        }
        let all = "document.querySelectorAll('figcaption button, .legend button').forEach(button => button.click())";
        browser.evaluate(all);
        browser.evaluate(all);
        assert_eq!(browser.troubles(), Vec::<String>::new());
    }
}

#[test]
#[ignore = "needs Chromium"]
fn lines_hide_and_scales_change_and_tables_sort() {
    let history = one();
    let mut browser = Browser::open(&written("controls.html", &[&history]), Look::default());
    let loss = chart(&mut browser, "loss");
    let figure = format!("document.querySelector('[data-chart=\"{loss}\"]').closest('figure')");
    let lines = format!("{figure}.querySelectorAll('.drawing polyline').length");
    assert_eq!(browser.evaluate(&lines), json!(3));
    browser.evaluate(&format!("{figure}.querySelector('.legend button').click()"));
    assert_eq!(browser.evaluate(&lines), json!(2));
    browser.evaluate(&format!(
        "{figure}.querySelector('figcaption button').click()"
    ));
    let labels =
        format!("[...{figure}.querySelectorAll('.drawing text')].map(text => text.textContent)");
    let labels = browser.evaluate(&labels);
    assert!(
        labels.as_array().unwrap().contains(&json!("0.1")),
        "{labels}"
    );

    let column = "[...document.querySelectorAll('.classes tbody tr')].map(row => parseFloat(row.cells[2].innerText))";
    browser.evaluate("document.querySelectorAll('.classes th button')[2].click()");
    let sorted = browser.evaluate(column);
    let recalls: Vec<f64> = sorted
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    assert_eq!(recalls.len(), 10);
    assert!(recalls.is_sorted(), "{recalls:?}");
    browser.evaluate("document.querySelectorAll('.classes th button')[2].click()");
    let turned = browser.evaluate(column);
    assert_eq!(turned[0].as_f64(), Some(recalls[9]));
    assert_eq!(browser.troubles(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium"]
fn charts_are_visible_without_scripts() {
    let history = one();
    let look = Look {
        has_scripts: false,
        ..Look::default()
    };
    let mut browser = Browser::open(&written("still.html", &[&history]), look);
    let drawn = browser.evaluate("[...document.querySelectorAll('.chart')].map(chart => chart.querySelectorAll('polyline').length)");
    let drawn = drawn.as_array().unwrap();
    assert_eq!(drawn.len(), 9);
    assert!(
        drawn.iter().all(|lines| lines.as_u64() > Some(0)),
        "{drawn:?}"
    );
    let shown = "document.querySelector('.chart text').getBoundingClientRect().width > 0 && document.querySelector('button') === null";
    assert_eq!(browser.evaluate(shown), json!(true));
    let outline = "getComputedStyle(document.querySelector('.drawing polyline')).stroke";
    assert_eq!(browser.text(outline), "rgb(0, 114, 178)");
}

#[test]
#[ignore = "needs Chromium"]
fn page_fits_phone_width() {
    let many = Plan {
        classes: 100,
        ..Plan::averaged()
    };
    let (one, many, several, hostile) = (one(), many.finished(), several(), hostile());
    let pages = [
        ("phone-one.html", vec![&one]),
        ("phone-many.html", vec![&many]),
        ("phone-several.html", several.iter().collect()),
        ("phone-hostile.html", vec![&hostile]),
    ];
    for (name, histories) in pages {
        let look = Look {
            width: 360,
            height: 740,
            ..Look::default()
        };
        let mut browser = Browser::open(&written(name, &histories), look);
        browser.evaluate(
            "document.querySelectorAll('details').forEach(details => details.open = true)",
        );
        let width =
            browser.evaluate("Math.max(document.documentElement.scrollWidth, window.innerWidth)");
        assert_eq!(width, json!(360), "{name}");
        browser.image(&file(name).with_extension("png"));
    }
}

/// A loss that explodes is cut off in what the page came with, and is whole on a logarithmic axis.
#[test]
#[ignore = "needs Chromium"]
fn exploded_loss_does_not_squash_other_curves() {
    let history = diverged();
    for (look, name) in [(false, "diverged-light"), (true, "diverged-dark")] {
        let look = Look {
            is_dark: look,
            ..Look::default()
        };
        let page = written(&format!("{name}.html"), &[&history]);
        let mut browser = Browser::open(&page, look);
        let loss = chart(&mut browser, "loss");
        let figure = format!("document.querySelector('[data-chart=\"{loss}\"]').closest('figure')");
        let labels = format!(
            "[...{figure}.querySelectorAll('.drawing text[text-anchor=end]')].map(text => Number(text.textContent))"
        );
        let greatest = |labels: serde_json::Value| {
            let labels = labels.as_array().unwrap().iter();
            labels
                .filter_map(serde_json::Value::as_f64)
                .fold(0.0, f64::max)
        };
        browser.evaluate("data.charts.forEach(draw)");
        assert!(greatest(browser.evaluate(&labels)) <= 15.0);
        browser.image(&file(name).with_extension("png"));
        browser.evaluate(&format!(
            "{figure}.querySelector('figcaption button').click()"
        ));
        assert!(greatest(browser.evaluate(&labels)) >= 1e27);
        assert_eq!(browser.troubles(), Vec::<String>::new());
    }
}

/// A run whose every text is against the page.
/// Names of axes lie beside the labels, whatever these are, in what the page came with and as the script draws it.
#[test]
#[ignore = "needs Chromium"]
fn long_labels_do_not_overlap_axis_name() {
    let mut history = History::default();
    for epoch in 1..=3 {
        history.push(Event::Epoch(Box::new(Epoch {
            epoch,
            step: epoch,
            validation: Metrics::from_iter([("loss", epoch as f64 * 5e306)]),
            ..Epoch::default()
        })));
    }
    let page = written("labels.html", &[&history]);
    let overlaps = "[...document.querySelectorAll('.chart')].flatMap(chart => { const all = [...chart.querySelectorAll('text')]; \
         const name = all.find(text => text.hasAttribute('transform')).getBoundingClientRect(); \
         return all.filter(text => !text.hasAttribute('transform') && text.textContent.includes('e30')) \
         .map(text => text.getBoundingClientRect().left < name.right); })";
    for (width, has_scripts) in [(1200, true), (1200, false), (360, true), (360, false)] {
        let look = Look {
            width,
            has_scripts,
            ..Look::default()
        };
        let mut browser = Browser::open(&page, look);
        if has_scripts {
            browser.evaluate("data.charts.forEach(draw)");
        }
        let found = browser.evaluate(overlaps);
        let found = found.as_array().unwrap();
        assert!(found.len() > 2, "{found:?}");
        assert!(
            found.iter().all(|overlap| *overlap == json!(false)),
            "{width} {has_scripts}: {found:?}"
        );
    }
}

fn hostile() -> History {
    let attack = "</script></style></title><img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>\u{1b}[2J";
    let mut history = History::default();
    for mut event in one_with_attack(attack) {
        if let Event::Started(started) = &mut event {
            started.model = attack.repeat(5);
            started.machine = "W".repeat(3000);
            started.classes.fill(attack.to_owned());
            started.config = json!({ attack: attack, "table": { attack: [attack] } });
            started.command = vec![attack.to_owned(), "x".repeat(2000)];
        }
        history.push(event);
    }
    history
}

fn one_with_attack(attack: &str) -> Vec<Event> {
    let mut events = Plan::averaged().events();
    for event in &mut events {
        if let Event::Step(step) = event {
            step.metrics.set(attack, 0.5);
            let extremes = [0.0, 1e300, -1e300, 1e-300, f64::NAN, f64::MAX];
            step.metrics.set("extreme", extremes[step.step % 6]);
            step.metrics.set("tiny", 1e-9 * (step.step % 7) as f64);
            step.metrics.set("large", 3e8 + step.step as f64);
        }
    }
    events.push(Event::Message(Message {
        seconds: f64::NAN,
        level: events::Level::Error,
        text: attack.to_owned(),
    }));
    events
}

#[test]
#[ignore = "needs Chromium"]
fn hostile_texts_are_escaped() {
    let mut browser = Browser::open(&written("hostile.html", &[&hostile()]), Look::default());
    assert_eq!(browser.troubles(), Vec::<String>::new());
    assert_eq!(browser.text("typeof window.hacked"), "undefined");
    // Even a text that had come through could not act.
    browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')",
    );
    browser.evaluate("new Promise(done => setTimeout(done, 200))");
    assert_eq!(browser.text("typeof window.hacked"), "undefined");
    assert!(!browser.troubles().is_empty(), "the policy says nothing");
}

#[test]
#[ignore = "needs Chromium"]
fn dark_mode_and_print_have_contrast() {
    let (one, several) = (one(), several());
    let several: Vec<&History> = several.iter().collect();
    let dark = Look {
        is_dark: true,
        ..Look::default()
    };
    let ground = "getComputedStyle(document.body).backgroundColor";
    for (name, histories) in [
        ("dark-one.html", &[&one][..]),
        ("dark-several.html", &several),
    ] {
        let mut browser = Browser::open(&written(name, histories), dark);
        assert_eq!(browser.text(ground), "rgb(13, 17, 23)");
        browser.image(&file(name).with_extension("png"));
        assert!(browser.print(&file(name).with_extension("pdf")) > 10_000);
    }
    let paper = Look {
        is_print: true,
        has_scripts: false,
        ..dark
    };
    let mut browser = Browser::open(&written("paper.html", &several), paper);
    assert_eq!(browser.text(ground), "rgb(255, 255, 255)");
    let closed = "[...document.querySelectorAll('details.run')].filter(run => run.querySelector('.keys').getBoundingClientRect().height < 20).length";
    assert_eq!(browser.evaluate(closed), json!(0));
}
