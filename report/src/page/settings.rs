//! Settings, environment, messages, and the commands to repeat a run and to go on with it.

use std::path::Path;

use events::{History, Level, Started, System};
use maud::{Markup, html};
use serde_json::Value;

use super::format::{bytes, count, duration, settings, short, shortened};

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
                    b { (word) } " " span class="said" { (shortened(message.text.trim())) }
                }
            }
        }
    }
}

/// The command lines, as a shell takes them. None goes on from a checkpoint before there is one.
pub(super) fn commands(history: &History, folder: &Path) -> Markup {
    let folder = folder.to_string_lossy();
    let started = history.started.as_ref();
    let config = format!("{folder}/config.toml");
    let repeat = started.and_then(|started| {
        let words = repeated(&started.command)?;
        let words = match history.is_replanned {
            true => vec![words[0], "--config", &config],
            false => words,
        };
        quoted(started.folder.as_deref(), words)
    });
    // Files of before there were such words have none.
    let mut sittings = history.sittings.iter().rev();
    let last = sittings.find(|sitting| !sitting.command.is_empty());
    let program = last.and_then(|last| last.command.first());
    // Who went on with it had a checkpoint, too.
    let can_go_on = !history.checkpoints.is_empty() || history.sittings.len() > 1;
    let resume = quoted(
        last.and_then(|last| last.folder.as_deref()),
        vec![program.map_or("train", String::as_str), "--resume", &folder],
    );
    let resume = resume.filter(|_| can_go_on);
    html! {
        @if let Some(repeat) = repeat {
            @if history.is_replanned {
                p { "Another number of epochs was asked for on the way. Train anew with its settings as they are now:" }
            } @else {
                p { "Repeat it:" }
            }
            pre { code { (repeat) } }
        }
        @if let Some(resume) = resume {
            p { "Go on with it from its last checkpoint:" }
            pre { code { (resume) } }
        }
    }
}

/// The words that start such a run once more: without its name, which the run has. None where they went on
/// with another one.
fn repeated(command: &[String]) -> Option<Vec<&str>> {
    let mut repeated = Vec::new();
    let mut words = command.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.split_once('=').map_or(word, |(flag, _)| flag) {
            "--resume" => return None,
            "--name" if word.contains('=') => {}
            "--name" => drop(words.next()),
            _ => repeated.push(word),
        }
    }
    (!repeated.is_empty()).then_some(repeated)
}

/// A command line, behind a change to the folder in which its paths lead somewhere, if that is known. None for
/// words that no command line can have, those with a null.
fn quoted(folder: Option<&str>, words: Vec<&str>) -> Option<String> {
    let command = shlex::try_join(words).ok()?;
    match folder.filter(|folder| !folder.is_empty()) {
        None => Some(command),
        Some(folder) => Some(format!(
            "cd {} && {command}",
            shlex::try_quote(folder).ok()?
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Checkpoint, Event, Resumed};

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

    /// Of a run that was started so.
    fn history(folder: Option<&str>, command: &[&str]) -> History {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            command: words(command),
            folder: folder.map(str::to_owned),
            ..Started::default()
        })));
        history.push(Event::Checkpoint(Checkpoint {
            seconds: 1.0,
            step: 1,
            epoch: 1,
        }));
        history
    }

    #[test]
    fn nobody_goes_on_without_a_checkpoint() {
        let mut history = history(None, &["train", "--flip"]);
        history.checkpoints.clear();
        assert_eq!(lines(&history, "/a"), ["train --flip"]);
        history.push(Event::Resumed(Resumed::default()));
        assert_eq!(lines(&history, "/a").len(), 2);
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// The command lines on the page.
    fn lines(history: &History, folder: &str) -> Vec<String> {
        let page = commands(history, Path::new(folder)).into_string();
        let lines = page.split("<pre><code>").skip(1);
        let lines = lines.filter_map(|line| line.split_once("</code>"));
        lines
            .map(|(line, _)| line.replace("&quot;", "\"").replace("&amp;", "&"))
            .collect()
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let started = history(None, &["./train", "--data", "folder:my pictures"]);
        assert_eq!(
            lines(&started, "/runs/it's"),
            [
                "./train --data 'folder:my pictures'",
                "./train --resume \"/runs/it's\""
            ]
        );
        assert_eq!(lines(&history(None, &[]), "/a"), ["train --resume /a"]);
        for hostile in [history(None, &["a\0b"]), history(Some("a\0b"), &["train"])] {
            assert_eq!(lines(&hostile, "/a"), Vec::<String>::new());
        }
    }

    #[test]
    fn a_run_is_repeated_under_another_name() {
        for named in [&["--name", "mine"][..], &["--name=mine"]] {
            let command = [&["train"], named, &["--seed", "1"]].concat();
            let lines = lines(&history(None, &command), "/a");
            assert_eq!(lines[0], "train --seed 1");
        }
        for resumed in [&["--resume", "mine"][..], &["--resume=mine"]] {
            let command = [&["train"], resumed].concat();
            assert_eq!(lines(&history(None, &command), "/a"), ["train --resume /a"]);
        }
    }

    #[test]
    fn commands_are_given_where_their_paths_lead_somewhere() {
        let mut history = history(Some("/home/my work"), &["target/train", "--flip"]);
        let repeat = "cd '/home/my work' && target/train --flip";
        assert_eq!(
            lines(&history, "/a"),
            [repeat, "cd '/home/my work' && target/train --resume /a"]
        );
        let resumed = |folder: Option<&str>, command: &[&str]| {
            Event::Resumed(Resumed {
                at: String::new(),
                seconds: 0.0,
                step: 0,
                epochs_done: 0,
                command: words(command),
                folder: folder.map(str::to_owned),
                device: String::new(),
                ..Resumed::default()
            })
        };
        history.push(resumed(Some("/other"), &["./train", "--resume", "a"]));
        history.push(resumed(None, &[]));
        assert_eq!(
            lines(&history, "/a"),
            [repeat, "cd /other && ./train --resume /a"]
        );
    }
}
