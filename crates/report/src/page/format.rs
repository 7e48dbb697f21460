//! Formats numbers and text for people.

use events::{Started, flat_settings, rounded_setting};
use serde_json::Value;

use crate::places::RelativePaths;
pub(super) use events::format::{count, duration, figure, number};

/// Maximum length of a name; longer ones are cut.
const LONGEST_NAME: usize = 80;
/// Maximum length of a text; longer ones are cut.
const LONGEST_TEXT: usize = 1000;
/// Maximum number of settings that are shown.
const MOST_SETTINGS: usize = 1000;

/// Formats a fraction as a percentage with two decimals, such as 91.65 %.
pub(super) fn percent(share: f64) -> String {
    events::format::percent(share, 2)
}

/// Formats bytes. A number from a file may have any value.
pub(super) fn bytes(bytes: f64) -> String {
    events::format::bytes(bytes.max(0.0) as u64)
}

/// Returns the display name of a figure.
pub(super) fn metric_name(name: &str) -> String {
    short(&events::title(name))
}

/// Shortens a name for a table.
pub(super) fn short(name: &str) -> String {
    events::format::shortened(name, LONGEST_NAME)
}

/// Formats an RFC 3339 time with a space instead of the T and without fractions of a second.
pub(super) fn moment(at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(_) => {
            let (whole, rest) = at.split_once('.').unwrap_or((at, ""));
            let offset = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{whole}{offset}").replacen('T', " ", 1)
        }
        Err(_) if at.is_empty() => "unknown".to_owned(),
        Err(_) => short(at),
    }
}

/// Returns all settings of a run with their paths, such as `schedule.kind`, and values as in TOML.
/// Includes the name of the model even if the settings leave it to the weights that the run starts
/// from.
pub(super) fn settings(started: &Started, places: &RelativePaths) -> Vec<(String, String)> {
    let mut config = rounded_setting(&started.config);
    if let Value::Object(map) = &mut config
        && !started.model.is_empty()
        && map.get("model").is_none_or(Value::is_null)
    {
        map.insert("model".to_owned(), started.model.clone().into());
    }
    make_relative(&mut config, places);
    let settings = flat_settings(&config).into_iter().take(MOST_SETTINGS);
    settings
        .map(|(path, value)| (short(&path), shortened(&value.to_string())))
        .collect()
}

fn make_relative(value: &mut Value, places: &RelativePaths) {
    match value {
        Value::String(text) => *text = places.value(text),
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| make_relative(value, places)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| make_relative(value, places)),
        _ => {}
    }
}

/// Shortens a text to a few lines.
pub(super) fn shortened(value: &str) -> String {
    events::format::shortened(value, LONGEST_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_formatted_or_unchanged() {
        assert_eq!(
            moment("2026-11-22T12:52:07.25+01:00"),
            "2026-11-22 12:52:07+01:00"
        );
        assert_eq!(moment("2026-11-22T12:52:07Z"), "2026-11-22 12:52:07Z");
        assert_eq!(moment("some day"), "some day");
        assert_eq!(moment(""), "unknown");
    }

    #[test]
    fn nested_settings_have_dotted_paths() {
        let settings = |config: Value| {
            let started = Started {
                model: "resnet18".to_owned(),
                config,
                ..Started::default()
            };
            super::settings(&started, &RelativePaths::default())
        };
        let config = serde_json::json!({
            "data": "folder:/data/sets/photos", "lr": 0.1 * 0.1, "schedule": {"kind": "cosine", "at": [1, 2]}, "empty": {}
        });
        let expected = [
            ("data", "\"folder:…/sets/photos\""),
            ("empty", "{}"),
            ("lr", "0.01"),
            ("model", "\"resnet18\""),
            ("schedule.at", "[1,2]"),
            ("schedule.kind", "\"cosine\""),
        ];
        let expected = expected.map(|(path, value)| (path.to_owned(), value.to_owned()));
        assert_eq!(settings(config), expected);
        assert_eq!(settings(serde_json::json!(3)), []);
        assert_eq!(settings(serde_json::json!({"model": "x"}))[0].1, "\"x\"");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(short(&"x".repeat(100)).chars().count(), 81);
    }
}
