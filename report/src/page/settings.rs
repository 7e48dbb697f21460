//! Settings, environment, messages, and the commands to repeat a run and to go on with it.

use std::path::Path;

use events::{History, Level, Started, System};
use maud::{Markup, html};
use serde_json::Value;

use super::format::{bytes, count, duration, settings, short};

/// Messages on a page, the last ones.
const MOST_MESSAGES: usize = 200;

/// Every setting under its table's name, as in a TOML file.
pub(super) fn config(config: &Value) -> Markup {
    let mut rows = settings(config);
    // Tables come last in TOML; the order is kept within them.
    rows.sort_by_key(|(path, _)| table_of(path).map(str::to_owned));
    html! {
        div class="scroll" {
            table class="settings" {
                tbody {
                    @for (place, (path, value)) in rows.iter().enumerate() {
                        @let table = table_of(path);
                        @let before = place.checked_sub(1).and_then(|before| table_of(&rows[before].0));
                        @if let Some(table) = table && before != Some(table) {
                            tr { th class="table" colspan="2" scope="rowgroup" { "[" (table) "]" } }
                        }
                        tr {
                            th scope="row" { (path.rsplit('.').next().unwrap_or(path)) }
                            td class="text" { code { (value) } }
                        }
                    }
                }
            }
        }
    }
}

fn table_of(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(table, _)| table)
}

/// What the run ran on, and what with.
pub(super) fn environment(started: &Started, systems: &[System]) -> Markup {
    let most = |memory: fn(&System) -> u64| {
        let most = systems.iter().map(memory).max().filter(|&most| most > 0);
        most.map_or_else(String::new, |most| bytes(most as f64))
    };
    let [channels, height, width] = started.shape;
    let pictures = started.pictures;
    let parts = [pictures.train, pictures.validation, pictures.test].map(|part| count(part as u64));
    let rows = [
        ("machine", short(&started.machine)),
        ("processor", short(&started.processor)),
        ("device", short(&started.device)),
        ("threads", count(started.threads as u64)),
        ("memory of the machine", most(|system| system.memory_total)),
        ("most memory held", most(|system| system.memory)),
        ("version", short(&started.version)),
        ("network", short(&started.model)),
        ("parameters", count(started.parameters as u64)),
        ("data", short(&started.data)),
        ("classes", count(started.classes.len() as u64)),
        (
            "pictures",
            format!(
                "{} to train on, {} validation, {} test",
                parts[0], parts[1], parts[2]
            ),
        ),
        ("size of a picture", format!("{channels}x{height}x{width}")),
        ("pictures in a step", count(started.batch_size as u64)),
        ("steps in an epoch", count(started.steps_per_epoch as u64)),
    ];
    html! {
        div class="scroll" {
            table class="settings" {
                tbody {
                    @for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
                        tr { th scope="row" { (name) } td class="text" { (value) } }
                    }
                }
            }
        }
    }
}

/// Everything that was said, the last at the end.
pub(super) fn messages(history: &History) -> Markup {
    let messages = &history.messages;
    let left_out = messages.len().saturating_sub(MOST_MESSAGES);
    html! {
        @if left_out > 0 { p class="faint" { (left_out) " earlier messages are not shown." } }
        ul class="messages" {
            @for message in &messages[left_out..] {
                @let (class, word) = match message.level {
                    Level::Info => ("info", "note"),
                    Level::Warning => ("warning", "warning"),
                    Level::Error => ("error", "error"),
                };
                li class=(class) {
                    span class="faint" { (duration(message.seconds)) } " "
                    b { (word) } " " span class="said" { (message.text.trim()) }
                }
            }
        }
    }
}

/// The command lines, as a shell takes them.
pub(super) fn commands(started: &Started, folder: &Path) -> Markup {
    let program = started.command.first().map_or("train", String::as_str);
    let folder = folder.to_string_lossy();
    let repeat = match started.command.is_empty() {
        true => None,
        false => quoted(started.command.iter().map(String::as_str)),
    };
    html! {
        @if let Some(repeat) = repeat {
            p { "Repeat it:" }
            pre { code { (repeat) } }
        }
        @if let Some(resume) = quoted([program, "--resume", &folder].into_iter()) {
            p { "Go on with it from its last checkpoint:" }
            pre { code { (resume) } }
        }
    }
}

/// None for words that no command line can have, those with a null.
fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    shlex::try_join(words).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_behind_what_is_in_none() {
        let json = serde_json::json!({"a": {"z": 1, "b": {"c": true}}, "seed": 3});
        let text = config(&json).into_string();
        let places: Vec<usize> = ["seed", "[a]", ">z<", "[a.b]", ">c<"]
            .iter()
            .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
            .collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let started = Started {
            command: ["./train", "--data", "folder:my pictures"]
                .map(str::to_owned)
                .to_vec(),
            ..Started::default()
        };
        let text = commands(&started, Path::new("runs/it's")).into_string();
        assert!(
            text.contains("./train --data 'folder:my pictures'"),
            "{text}"
        );
        assert!(
            text.contains("./train --resume &quot;runs/it's&quot;"),
            "{text}"
        );
        let text = commands(&Started::default(), Path::new("a")).into_string();
        assert!(text.contains("train --resume a") && !text.contains("Repeat"));
        let hostile = Started {
            command: vec!["a\0b".to_owned()],
            ..Started::default()
        };
        assert!(
            !commands(&hostile, Path::new("a"))
                .into_string()
                .contains("<pre")
        );
    }
}
