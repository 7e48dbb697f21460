//! Description and settings of a run, line by line.

use std::collections::{HashMap, HashSet};

use events::{History, Started, flat_settings, rounded_setting, tells_runs_apart};
use serde_json::Value;

use events::format::{count, shortened};

/// Maximum length of a value; longer ones are cut.
const LONGEST: usize = 1000;
/// Maximum length of a list; longer ones are only counted.
const LIST: usize = 16;

/// A line of a run's description or settings, and its value in the run it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    pub name: String,
    pub value: String,
    /// Value in the other run, if it differs.
    pub other: Option<String>,
}

/// Description and settings of a run. When compared with another run, differing lines come first in
/// each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Description of the run.
    pub facts: Vec<Setting>,
    /// Settings, including defaults.
    pub settings: Vec<Setting>,
}

impl Settings {
    pub(crate) fn new(history: &History, other: Option<&History>) -> Self {
        let own = Lines::new(history);
        let mut all = match other.map(Lines::new) {
            Some(other) => Self {
                facts: compared(own.facts, &other.facts, |name| !OWN_FACTS.contains(&name)),
                settings: compared(own.settings, &other.settings, tells_runs_apart),
            },
            None => Self {
                facts: own.facts.into_iter().map(same).collect(),
                settings: own.settings.into_iter().map(same).collect(),
            },
        };
        // Omits facts that a setting already shows.
        let said: HashSet<Setting> = all.settings.iter().cloned().collect();
        all.facts.retain(|fact| !said.contains(fact));
        all
    }
}

/// Returns the number of lines that differ.
pub(crate) fn different(lines: &[Setting]) -> usize {
    lines.iter().filter(|line| line.other.is_some()).count()
}

/// Facts that are unique to every run.
const OWN_FACTS: [&str; 2] = ["started", "command"];

/// Placeholder for a setting that a run lacks.
const MISSING: &str = "–";

/// A name and a value.
type Line = (String, String);

fn same((name, value): Line) -> Setting {
    Setting {
        name,
        value,
        other: None,
    }
}

/// Returns the differing lines, then all others. Only compared lines can differ.
fn compared(own: Vec<Line>, theirs: &[Line], is_compared: impl Fn(&str) -> bool) -> Vec<Setting> {
    let values: HashMap<&str, &str> = values(theirs);
    let names: HashSet<String> = own.iter().map(|(name, _)| name.clone()).collect();
    let (mut different, mut equal) = (Vec::new(), Vec::new());
    for (name, value) in own {
        let other = values.get(name.as_str()).copied().unwrap_or(MISSING);
        if other == value || !is_compared(&name) {
            equal.push(same((name, value)));
        } else {
            let other = Some(other.to_owned());
            different.push(Setting { name, value, other });
        }
    }
    for (name, value) in theirs {
        if !names.contains(name) && is_compared(name) {
            different.push(Setting {
                name: name.clone(),
                value: MISSING.to_owned(),
                other: Some(value.clone()),
            });
        }
    }
    different.extend(equal);
    different
}

fn values(lines: &[Line]) -> HashMap<&str, &str> {
    let lines = lines.iter();
    lines
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Description and settings of a run, in display order.
#[derive(Default)]
struct Lines {
    facts: Vec<Line>,
    settings: Vec<Line>,
}

impl Lines {
    fn new(history: &History) -> Self {
        let Some(started) = &history.started else {
            return Self::default();
        };
        let settings = flat_settings(&started.config).into_iter();
        let settings = settings.filter(|(_, value)| !value.is_null());
        Self {
            facts: facts(started),
            settings: settings.map(|(path, value)| (path, shown(value))).collect(),
        }
    }
}

/// Returns a run's description apart from its settings.
fn facts(started: &Started) -> Vec<(String, String)> {
    let [channels, height, width] = started.shape;
    let images = started.images;
    let parts = [
        (images.train, "training"),
        (images.validation, "validation"),
        (images.test, "test"),
    ];
    let parts = parts.map(|(images, part)| format!("{} {part}", count(images as u64)));
    let parts = parts.join(", ");
    [
        // Without the letter in between, lines can break between date and time.
        ("started", started.at.replacen('T', " ", 1)),
        ("command", started.command.join(" ")),
        ("version", started.version.clone()),
        ("machine", started.machine.clone()),
        ("processor", started.processor.clone()),
        ("device", started.device.clone()),
        ("threads", started.threads.to_string()),
        ("model", started.model.clone()),
        ("parameters", count(started.parameters as u64)),
        ("data", started.data.clone()),
        ("images", format!("{parts}, {channels}x{height}x{width}")),
        ("classes", count(started.classes.len() as u64)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), shortened(&value, LONGEST)))
    .collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text, LONGEST),
        Value::Array(values) if values.len() > LIST => {
            format!("{} values", count(values.len() as u64))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            shortened(&format!("[{}]", values.join(", ")), LONGEST)
        }
        Value::Object(fields) => format!("{} settings", fields.len()),
        other => rounded_setting(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn history(config: Value) -> History {
        let mut history = History::default();
        history.push(events::Event::Started(Box::new(Started {
            model: "resnet20".to_owned(),
            config,
            ..Started::default()
        })));
        history
    }

    fn differences(settings: &[Setting]) -> Vec<(&str, &str, &str)> {
        let different = settings.iter().filter_map(|setting| {
            let other = setting.other.as_deref()?;
            Some((setting.name.as_str(), setting.value.as_str(), other))
        });
        different.collect()
    }

    #[test]
    fn differences_come_first() {
        let one = history(json!({"seed": 1, "optimizer": {"rate": 0.1, "kind": "sgd"}}));
        let other = history(json!({"seed": 2, "optimizer": {"kind": "sgd", "decay": [1, 2]}}));
        let settings = Settings::new(&one, Some(&other));
        assert_eq!(
            differences(&settings.settings),
            [
                ("optimizer.rate", "0.1", "–"),
                ("seed", "1", "2"),
                ("optimizer.decay", "–", "[1, 2]"),
            ]
        );
        assert_eq!(settings.settings[3].name, "optimizer.kind");
        assert_eq!(different(&settings.settings), 3);
        let model = settings.facts.iter().find(|fact| fact.name == "model");
        assert_eq!(model.unwrap().value, "resnet20");
    }

    /// The requested device and the actual one have the same name, like some other settings and
    /// facts.
    #[test]
    fn run_equals_itself() {
        let config = json!({"device": "auto", "data": "sample", "name": "one", "seed": 1});
        let mut one = history(config);
        let mut started = one.started.take().unwrap();
        started.device = "flex".to_owned();
        started.data = "sample".to_owned();
        one.started = Some(started.clone());
        let count = |one, other| {
            let settings = Settings::new(one, Some(other));
            different(&settings.facts) + different(&settings.settings)
        };
        assert_eq!(count(&one, &one), 0);
        let mut again = one.clone();
        started.at = "2026-01-02T03:04:05Z".to_owned();
        started.command = vec!["train".to_owned()];
        started.config["name"] = json!("another");
        started.config["runs_dir"] = json!("elsewhere");
        again.started = Some(started.clone());
        assert_eq!((count(&one, &again), count(&again, &one)), (0, 0));
        started.device = "cuda".to_owned();
        again.started = Some(started);
        let settings = Settings::new(&one, Some(&again));
        assert_eq!(differences(&settings.facts), [("device", "flex", "cuda")]);
        assert_eq!(different(&settings.settings), 0);
    }

    #[test]
    fn settings_are_not_repeated_as_facts() {
        let names = |config| -> Vec<String> {
            let facts = Settings::new(&history(config), None).facts.into_iter();
            facts.map(|fact| fact.name).collect()
        };
        assert!(names(json!({"model": "auto"})).contains(&"model".to_owned()));
        assert!(!names(json!({"model": "resnet20"})).contains(&"model".to_owned()));
    }

    #[test]
    fn long_settings_are_truncated() {
        let settings = |config| Settings::new(&history(config), None).settings;
        let long = settings(json!({"x": "y".repeat(1 << 20), "z": vec![0; 99]}));
        assert_eq!(long[0].value.chars().count(), LONGEST + 1);
        assert_eq!(long[1].value, "99 values");
        assert_eq!(
            Settings::new(&History::default(), None),
            Settings::default()
        );
    }
}
