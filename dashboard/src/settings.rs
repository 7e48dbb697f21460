//! What a run was started with, as lines.

use events::{History, Started};
use serde_json::Value;

use crate::format::count;

/// More lines than this are not shown.
const MOST: usize = 10_000;
/// Longer values are cut.
const LONGEST: usize = 400;
/// Longer lists are only counted.
const LIST: usize = 16;

/// A setting of a run, and of the one that it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub name: String,
    pub value: String,
    /// Where it differs there.
    pub other: Option<String>,
}

/// All settings of a run; those that differ come first if there is another run.
pub(crate) fn settings(history: &History, other: Option<&History>) -> Vec<Setting> {
    let own = lines(history);
    let Some(other) = other else {
        let all = own.into_iter().map(|(name, value)| Setting {
            name,
            value,
            other: None,
        });
        return all.collect();
    };
    let theirs = lines(other);
    let find = |lines: &[(String, String)], name: &str| {
        let place = lines.binary_search_by(|(other, _)| other.as_str().cmp(name));
        place.ok().map(|place| lines[place].1.clone())
    };
    let mut own_sorted = own.clone();
    let mut theirs_sorted = theirs.clone();
    own_sorted.sort();
    theirs_sorted.sort();
    let (mut different, mut same) = (Vec::new(), Vec::new());
    for (name, value) in own {
        let other = find(&theirs_sorted, &name).unwrap_or_else(|| MISSING.to_owned());
        let is_same = other == value;
        let setting = Setting {
            name,
            value,
            other: (!is_same).then_some(other),
        };
        if is_same { &mut same } else { &mut different }.push(setting);
    }
    for (name, value) in theirs {
        if find(&own_sorted, &name).is_none() {
            different.push(Setting {
                name,
                value: MISSING.to_owned(),
                other: Some(value),
            });
        }
    }
    different.extend(same);
    different
}

/// Stands for a setting that a run does not have.
const MISSING: &str = "–";

fn lines(history: &History) -> Vec<(String, String)> {
    let Some(started) = &history.started else {
        return Vec::new();
    };
    let mut lines = facts(started);
    flatten(&started.config, &mut String::new(), &mut lines);
    lines
}

/// What the run says of itself besides its settings.
fn facts(started: &Started) -> Vec<(String, String)> {
    let [channels, height, width] = started.shape;
    let pictures = started.pictures;
    let parts = [pictures.train, pictures.validation, pictures.test];
    let parts = parts.map(|pictures| count(pictures as u64)).join(" + ");
    [
        ("started", started.at.clone()),
        ("command", started.command.join(" ")),
        ("version", started.version.clone()),
        ("machine", started.machine.clone()),
        ("processor", started.processor.clone()),
        ("device", started.device.clone()),
        ("threads", started.threads.to_string()),
        ("network", started.model.clone()),
        ("parameters", count(started.parameters as u64)),
        ("data", started.data.clone()),
        (
            "images",
            format!("{parts} of {channels} x {height} x {width}"),
        ),
        ("classes", count(started.classes.len() as u64)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), shortened(&value)))
    .collect()
}

fn shortened(value: &str) -> String {
    value.chars().take(LONGEST).collect()
}

/// A line for each value, named by the way to it.
fn flatten(value: &Value, path: &mut String, lines: &mut Vec<(String, String)>) {
    if lines.len() >= MOST {
        return;
    }
    let Value::Object(fields) = value else {
        if !value.is_null() {
            lines.push((path.clone(), shown(value)));
        }
        return;
    };
    for (name, value) in fields {
        let before = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.extend(name.chars().take(LONGEST));
        flatten(value, path, lines);
        path.truncate(before);
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        Value::Array(values) if values.len() > LIST => {
            format!("{} values", count(values.len() as u64))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            shortened(&format!("[{}]", values.join(", ")))
        }
        Value::Object(fields) => format!("{} settings", fields.len()),
        other => other.to_string(),
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

    #[test]
    fn differences_come_first() {
        let one = history(json!({"seed": 1, "optimizer": {"rate": 0.1, "kind": "sgd"}}));
        let other = history(json!({"seed": 2, "optimizer": {"kind": "sgd", "decay": [1, 2]}}));
        let settings = settings(&one, Some(&other));
        let different: Vec<_> = settings
            .iter()
            .filter_map(|setting| {
                let other = setting.other.as_deref()?;
                Some((setting.name.as_str(), setting.value.as_str(), other))
            })
            .collect();
        assert_eq!(
            different,
            [
                ("optimizer.rate", "0.1", "–"),
                ("seed", "1", "2"),
                ("optimizer.decay", "–", "[1, 2]"),
            ]
        );
        assert!(settings[3..].iter().all(|setting| setting.other.is_none()));
        assert!(settings.iter().any(|setting| setting.value == "resnet20"));
    }

    #[test]
    fn endless_settings_are_cut() {
        let many: serde_json::Map<_, _> =
            (0..MOST * 2).map(|n| (n.to_string(), json!(n))).collect();
        let history = history(Value::Object(many));
        assert_eq!(settings(&history, None).len(), MOST);
        let long = self::history(json!({"x": "y".repeat(1 << 20), "z": vec![0; 99]}));
        let settings = settings(&long, None);
        assert!(
            settings
                .iter()
                .all(|setting| setting.value.len() <= LONGEST)
        );
        assert_eq!(settings.last().unwrap().value, "99 values");
        assert!(super::settings(&History::default(), None).is_empty());
    }
}
