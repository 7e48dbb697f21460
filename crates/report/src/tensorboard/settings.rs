//! Description of a run: its settings by name, and tables in Markdown.

use std::collections::BTreeMap;

use events::{Ending, History, Mistake, Sitting, Started, flat_settings, rounded_setting};
use files::printable;
use serde_json::Value as Json;

use super::clock::Clock;
use super::messages::{Kind, Session, SessionEnd, SessionStart, Setting, Status};

/// Returns all settings that are set, without rounding errors.
fn set(config: &Json) -> impl Iterator<Item = (String, Json)> {
    let flat = flat_settings(config).into_iter();
    let set = flat.filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| (name, rounded_setting(value)))
}

/// Returns the settings for the hparams plugin, including values that were resolved at the start of
/// the run.
pub(super) fn session_start(started: &Started, clock: &Clock) -> Session {
    let mut hparams: BTreeMap<String, Setting> = set(&started.config)
        .map(|(name, value)| (name, setting(&value)))
        .collect();
    for (name, text) in [
        ("data", &started.data),
        ("device", &started.device),
        ("model", &started.model),
    ] {
        let kind = Some(Kind::Text(text.clone()));
        hparams.insert(name.to_owned(), Setting { kind });
    }
    Session {
        start: Some(SessionStart {
            hparams,
            start_time_secs: clock.at(0.0),
        }),
        end: None,
    }
}

/// Returns how the run ended, if it ended normally.
pub(super) fn session_end(history: &History, clock: &Clock) -> Option<Session> {
    let ended = history.ended()?;
    let status = match ended.ending {
        Ending::Finished => Status::Success,
        Ending::Failed => Status::Failure,
        // It can be resumed.
        Ending::Stopped => Status::Unknown,
    };
    Some(Session {
        start: None,
        end: Some(SessionEnd {
            status: status.into(),
            end_time_secs: clock.at(ended.seconds),
        }),
    })
}

fn setting(value: &Json) -> Setting {
    let kind = match value {
        Json::Bool(truth) => Kind::Truth(*truth),
        Json::Number(number) => match number.as_f64() {
            Some(number) => Kind::Number(number),
            None => Kind::Text(number.to_string()),
        },
        _ => Kind::Text(plain(value)),
    };
    Setting { kind: Some(kind) }
}

/// Formats a string without quotation marks, and other values as JSON.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        _ => value.to_string(),
    }
}

/// Returns a table of all settings.
pub(super) fn config(started: &Started) -> String {
    let rows = set(&started.config).map(|(name, value)| [name, plain(&value)]);
    table(["setting", "value"], rows)
}

/// Returns a table of everything else known from the start of the run.
pub(super) fn about(started: &Started, sittings: &[Sitting]) -> String {
    let Started { images, shape, .. } = started;
    let begun: Vec<&str> = sittings.iter().map(|sitting| sitting.at.as_str()).collect();
    let rows = [
        ("started", begun.join(", ")),
        ("command", started.command.join(" ")),
        ("version", started.version.clone()),
        ("machine", started.machine.clone()),
        ("processor", started.processor.clone()),
        ("device", started.device.clone()),
        ("threads", started.threads.to_string()),
        ("data", started.data.clone()),
        ("classes", started.classes.len().to_string()),
        ("training images", images.train.to_string()),
        ("validation images", images.validation.to_string()),
        ("test images", images.test.to_string()),
        ("image", shape.map(|side| side.to_string()).join("x")),
        ("model", started.model.clone()),
        ("parameters", started.parameters.to_string()),
        ("epochs", started.epochs.to_string()),
        ("steps per epoch", started.steps_per_epoch.to_string()),
        ("batch size", started.batch_size.to_string()),
    ];
    table(
        ["what", ""],
        rows.map(|(name, value)| [name.to_owned(), value]),
    )
}

/// Returns a table of misclassified images.
pub(super) fn mistakes(history: &History, mistakes: &[Mistake]) -> String {
    let rows = mistakes.iter().enumerate().map(|(place, mistake)| {
        [
            (place + 1).to_string(),
            mistake.image.to_string(),
            history.class_name(mistake.class),
            history.class_name(mistake.likeliest),
            format!("{:.1} %", 100.0 * mistake.confidence),
        ]
    });
    table(
        ["sample", "image", "class", "taken for", "held likely"],
        rows,
    )
}

fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: [String; COLUMNS]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(header.map(str::to_owned));
    text += &line([(); COLUMNS].map(|()| "---".to_owned()));
    for row in rows {
        text += &line(row.map(|cell| literal(&cell)));
    }
    text
}

/// Returns a text for a cell of a Markdown table, with everything escaped.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '!' => {
                literal += &format!("&#{};", u32::from(character));
            }
            _ => literal.push(character),
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_settings_get_unique_names() {
        let started = Started {
            config: json!({
                "lr": 0.1,
                "seed": 7,
                "flip": true,
                "name": null,
                "schedule": { "kind": "step", "at": [0.5, 0.75], "inner": { "a": "b" } },
            }),
            model: "resnet8".to_owned(),
            ..Started::default()
        };
        insta::assert_snapshot!(config(&started), @r"
        | setting | value |
        | --- | --- |
        | flip | true |
        | lr | 0.1 |
        | schedule.at | &#91;0.5,0.75&#93; |
        | schedule.inner.a | b |
        | schedule.kind | step |
        | seed | 7 |
        ");
        let session = session_start(&started, &Clock::new(&[]));
        let hparams = session.start.unwrap().hparams;
        let kind = |name: &str| hparams[name].kind.clone().unwrap();
        assert_eq!(kind("seed"), Kind::Number(7.0));
        assert_eq!(kind("flip"), Kind::Truth(true));
        assert_eq!(kind("schedule.at"), Kind::Text("[0.5,0.75]".to_owned()));
        assert_eq!(kind("model"), Kind::Text("resnet8".to_owned()));
        assert_eq!(hparams.len(), 9);
    }

    #[test]
    fn texts_in_tables_are_escaped() {
        let hostile = "a | b\n<script>x</script>[a](javascript:b) ![](c) `d` \\| \u{1b}[2J &lt;";
        let literal = literal(hostile);
        assert!(!literal.contains(['\n', '<', '>', '|', '[', '`', '\\', '\u{1b}', '!']));
        let started = Started {
            command: vec![hostile.to_owned()],
            ..Started::default()
        };
        let about = about(&started, &[]);
        assert!(
            about.lines().all(|line| line.matches('|').count() == 3),
            "{about}"
        );
    }
}
