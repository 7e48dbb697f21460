//! Every setting, by its definition: the flag, the file, the recipe, the run's own file and the page in `docs`.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use model::{BlockKind, ResNetConfig};
use toml::{Table, Value};
use train::{Group, Overrides, Setting, TrainConfig, settings};

/// A TOML file with one setting.
fn file(setting: &Setting<TrainConfig>, value: &Value) -> String {
    let mut parts = setting.key.rsplit('.');
    let last = parts.next().unwrap();
    let inner = Table::from_iter([(last.to_owned(), value.clone())]);
    let table = parts.fold(inner, |inner, part| {
        Table::from_iter([(part.to_owned(), Value::Table(inner))])
    });
    toml::to_string(&table).unwrap()
}

#[test]
fn every_setting_round_trips_through_flag_and_file() {
    let usual = TrainConfig::default();
    for setting in settings() {
        let Setting { key, example, .. } = setting;
        let value = setting.parse(example);
        let value = value.unwrap_or_else(|reason| panic!("{key} = {example}: {reason}"));
        let flags = Overrides::of([(*key, *example)]).unwrap();
        let flagged = usual.with(&flags).unwrap();
        assert_ne!(flagged, usual, "{key}: the example is the default");

        // A recipe is such a file, too.
        let from_file: TrainConfig = toml::from_str(&file(setting, &value)).unwrap();
        assert_eq!(from_file, flagged, "{key}");

        let written = toml::to_string(&flagged).unwrap();
        let read: TrainConfig = toml::from_str(&written).unwrap();
        assert_eq!(read, flagged, "{key}");
        let held = key
            .split('.')
            .try_fold(&Value::Table(written.parse().unwrap()), |held, part| {
                held.get(part)
            })
            .is_some();
        assert!(held, "{key} is not in config.toml");
    }
}

/// Every field is a setting, or a table whose fields are.
#[test]
fn all_fields_are_settings() {
    let all: Vec<(&str, &str)> = settings()
        .map(|setting| (setting.key, setting.example))
        .collect();
    let mut every = TrainConfig::default();
    for (key, example) in all {
        every = every
            .with(&Overrides::of([(key, example)]).unwrap())
            .unwrap();
    }
    let table = Table::try_from(&every).unwrap();
    let is_setting = |key: &str| settings().any(|setting| setting.key == key);
    for (key, value) in &table {
        match value {
            Value::Table(inner) if !is_setting(key) => {
                for part in inner.keys() {
                    assert!(is_setting(&format!("{key}.{part}")), "{key}.{part}");
                }
            }
            _ => assert!(is_setting(key), "{key}"),
        }
    }
}

/// Numbers at the ends of a range are taken, those beyond are not.
#[test]
fn documented_ranges_match_validation() {
    for setting in settings() {
        let ends = setting.range.split_once(" to ");
        let Some((first, last)) = ends.filter(|_| !setting.range.contains("characters")) else {
            continue;
        };
        let first = first.rsplit(' ').next().unwrap();
        let (is_open, last) = match last.strip_prefix("below ") {
            Some(last) => (true, last),
            None => (false, last.split(' ').next().unwrap()),
        };
        assert!(setting.parse(first).is_ok(), "{}: {first}", setting.key);
        assert_eq!(
            setting.parse(last).is_err(),
            is_open,
            "{}: {last}",
            setting.key
        );
        let beyond = format!("{}", last.parse::<f64>().unwrap() + 1.0);
        let error = setting.parse(&beyond).unwrap_err();
        let is_told = error.contains(setting.range) || setting.key == "seed";
        assert!(is_told, "{}: {beyond}: {error}", setting.key);
    }
}

#[test]
fn program_flags_match_settings() {
    let help = common::succeeds(common::train("runs".as_ref()).arg("--help"));
    for setting in settings() {
        let (_, rest) = help
            .split_once(&format!("\n      {} ", setting.flag()))
            .unwrap_or_else(|| panic!("{}", setting.flag()));
        let (entry, _) = rest.split_once("\n      --").unwrap_or((rest, ""));
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let entry = words(entry);
        assert!(entry.contains(&words(&setting.summary())), "{entry}");
        if let Some(default) = setting.default_text() {
            assert!(entry.contains(&format!("[default: {default}]")), "{entry}");
        }
    }
}

/// Some defaults are words, because they depend on other settings.
#[test]
fn described_defaults_match_config() {
    let config = TrainConfig::default();
    let network = ResNetConfig::imagenet(BlockKind::Basic, [2; 4]);
    let rate = |optimizer| {
        let flags = Overrides::of([("optimizer", optimizer)]).unwrap();
        config.with(&flags).unwrap().learning_rate()
    };
    for (key, words) in [
        (
            "model",
            format!("that of --weights, or {}", config.model_name()),
        ),
        (
            "lr",
            format!(
                "{}, or {} for adam and adamw, {} for muon; a tenth of it with weights that are not all frozen",
                rate("sgd"),
                rate("adam"),
                rate("muon"),
            ),
        ),
        ("loader.max_pixels", data::DEFAULT_MAX_PIXELS.to_string()),
        (
            "image_size",
            format!("the data's own size, {} for folders", data::FOLDER_SIDE),
        ),
        ("schedule", train::Schedule::NAMES[0].to_owned()),
        (
            "loader.batches_ahead",
            data::DEFAULT_BATCHES_AHEAD.to_string(),
        ),
        ("norm_epsilon", network.norm_epsilon.to_string()),
    ] {
        let setting = settings().find(|setting| setting.key == key).unwrap();
        assert_eq!(setting.default_text(), Some(words), "{key}");
    }
    assert_eq!(rate("adamw"), rate("adam"));
    assert_eq!(config.schedule, train::Schedule::named("cosine").unwrap());
}

/// `UPDATE_DOCS=1` writes the page.
#[test]
fn documentation_lists_all_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/all-settings.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == page,
        "docs/all-settings.md is out of date: run UPDATE_DOCS=1 cargo test --workspace --test settings"
    );
}

fn page() -> String {
    let mut page = "\
# All settings

Each is a flag of `train` and a key of a TOML file for `--config`; a run writes all of them to its `config.toml`. Flags
with a switch or a table as their value can stand alone: `--flip` is `--flip true`, and `--erasing` is `--erasing '{}'`.
\"resume\" marks what may change when a run is resumed, \"bench\" what `--bench` measures with. `train --help` explains each.

This page is generated from [train/src/settings/definitions.rs](../train/src/settings/definitions.rs).
"
    .to_owned();
    for group in Group::ALL {
        let heading = group.heading();
        let _ = write!(
            page,
            "\n## {heading}\n\n| flag | key | meaning | default | range | example | |\n|---|---|---|---|---|---|---|\n"
        );
        for setting in settings().filter(|setting| setting.group == group) {
            let marks = [(setting.resume, "resume"), (setting.bench, "bench")];
            let marks = marks
                .into_iter()
                .filter_map(|(is_set, name)| is_set.then_some(name));
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} | {} | {} | `{}` | {} |",
                setting.flag(),
                setting.key,
                setting.summary(),
                setting.default_text().unwrap_or_default(),
                setting.range,
                setting.example,
                marks.collect::<Vec<_>>().join(", "),
            );
        }
    }
    page
}
