//! Settings, environment, messages, and the commands to repeat and resume a run.

use std::path::Path;

use events::{History, Level, Started, State, System};
use maud::{Markup, html};

use super::format::{bytes, count, duration, settings, short, shortened};
use crate::places::RelativePaths;

/// Maximum number of messages on a page; the last ones are shown.
pub(super) const MOST_MESSAGES: usize = 200;

/// Returns all settings under the names of their tables, as in a TOML file.
pub(super) fn config(started: &Started, places: &RelativePaths) -> Markup {
    let rows = rows(started, places);
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

/// Returns all settings. Tables come last as in TOML; otherwise the order is kept.
pub(super) fn rows(started: &Started, places: &RelativePaths) -> Vec<(String, String)> {
    let mut rows = settings(started, places);
    rows.sort_by_key(|(path, _)| table_of(path).map(str::to_owned));
    rows
}

pub(super) fn table_of(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(table, _)| table)
}

/// Returns the machine, the program and all sizes, without unknown values.
pub(super) fn environment_rows(
    started: &Started,
    systems: &[System],
    places: &RelativePaths,
) -> Vec<(&'static str, String)> {
    let most = |memory: fn(&System) -> u64| {
        let most = systems.iter().map(memory).max().filter(|&most| most > 0);
        most.map_or_else(String::new, |most| bytes(most as f64))
    };
    let [channels, height, width] = started.shape;
    let images = started.images;
    let parts = [images.train, images.validation, images.test].map(|part| count(part as u64));
    let mut rows = vec![
        ("machine", short(&started.machine)),
        ("processor", short(&started.processor)),
        ("device", short(&started.device)),
        ("threads", count(started.threads as u64)),
        ("memory", most(|system| system.memory_total)),
        ("peak memory of the program", most(|system| system.memory)),
        ("version", short(&started.version)),
        ("model", short(&places.value(&started.model))),
        ("parameters", count(started.parameters as u64)),
        ("data", short(&places.value(&started.data))),
        ("classes", count(started.classes.len() as u64)),
        (
            "images",
            format!(
                "{} training, {} validation, {} test",
                parts[0], parts[1], parts[2]
            ),
        ),
        ("image size", format!("{channels}x{height}x{width}")),
        ("images per step", count(started.batch_size as u64)),
        ("steps per epoch", count(started.steps_per_epoch as u64)),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

pub(super) fn environment(started: &Started, systems: &[System], places: &RelativePaths) -> Markup {
    let rows = environment_rows(started, systems, places);
    html! {
        div class="scroll" {
            table class="settings" {
                tbody {
                    @for (name, value) in rows {
                        tr { th scope="row" { (name) } td class="text" { (value) } }
                    }
                }
            }
        }
    }
}

/// Returns all messages in order, or only the last ones if there are many.
pub(super) fn messages(history: &History, places: &RelativePaths) -> Markup {
    let messages = &history.messages;
    let left_out = messages.len().saturating_sub(MOST_MESSAGES);
    html! {
        @if left_out > 0 { p class="faint" { (left_out) " earlier messages are not shown." } }
        ul class="messages" {
            @for message in &messages[left_out..] {
                @let word = level(message.level);
                li class=(word) {
                    span class="faint" { (duration(message.seconds)) } " "
                    b { (word) } " " span class="said" { (shortened(&places.text(message.text.trim()))) }
                }
            }
        }
    }
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// Returns command lines, each with a sentence that introduces it. They are quoted for a shell,
/// with paths relative to the folder in which the run was started. A run without a checkpoint
/// cannot be resumed.
pub(super) fn command_lines(
    history: &History,
    folder: &Path,
    places: &RelativePaths,
) -> Vec<(&'static str, String)> {
    let folder = places.path(&folder.to_string_lossy());
    let started = history.started.as_ref();
    let config = format!("{folder}/config.toml");
    let repeat = started.and_then(|started| {
        let (program, arguments) = parts(&started.command);
        let arguments = repeated(arguments)?;
        let mut words = program_words(program, places)?;
        match history.is_replanned {
            true => words.extend(["--config".to_owned(), config]),
            false => words.extend(arguments.into_iter().map(|word| argument(word, places))),
        }
        quoted(&words)
    });
    // Files of older versions do not record the command.
    let mut sessions = history.sittings.iter().rev();
    let last = sessions.find(|session| !session.command.is_empty());
    let last_program = last.map_or(&[][..], |last| parts(&last.command).0);
    // The program's path is relative to the folder in which the command was given, which may be a
    // different one.
    let is_elsewhere = last
        .and_then(|last| last.folder.as_deref())
        .is_some_and(|folder| !places.is_start(folder));
    let mut resume = match last_program {
        [] => vec!["train".to_owned()],
        [program] if is_elsewhere => vec![file_name(program).to_owned()],
        words => program_words(words, places).unwrap_or_default(),
    };
    // A resumed run also had a checkpoint.
    let has_checkpoint = !history.checkpoints.is_empty() || history.sittings.len() > 1;
    resume.extend(["--resume".to_owned(), folder]);
    let mut resume_is = "Resume from the last checkpoint:";
    if history.state(false) == State::Finished {
        resume_is = "Continue with more epochs:";
        let epochs = history.planned_epochs().saturating_mul(2);
        resume.extend(["--epochs".to_owned(), epochs.to_string()]);
    }
    // A run that diverged would diverge again.
    let can_go_on = has_checkpoint && history.instead_of_resuming().is_none();
    let resume = quoted(&resume).filter(|_| can_go_on);
    let repeat_is = match history.is_replanned {
        true => {
            "The number of epochs was changed while the run was stopped. Train again with its current settings:"
        }
        false => "Train again:",
    };
    let repeat = repeat.map(|repeat| (repeat_is, repeat));
    let resume = resume.map(|resume| (resume_is, resume));
    repeat.into_iter().chain(resume).collect()
}

pub(super) fn commands(history: &History, folder: &Path, places: &RelativePaths) -> Markup {
    html! {
        p class="faint" { "Paths are relative to the folder in which the run was started." }
        @for (sentence, command) in command_lines(history, folder, places) {
            p { (sentence) }
            pre { code { (command) } }
        }
    }
}

/// Splits a command line into the words that start the program, such as `cargo run -p train --`, and
/// its arguments.
fn parts(command: &[String]) -> (&[String], &[String]) {
    let separator = command.iter().position(|word| word == "--");
    let words = match separator {
        Some(place) if command[0] == "cargo" => place + 1,
        _ => command.len().min(1),
    };
    command.split_at(words)
}

/// Returns the words that start a program, with its path inside the folder that paths are relative
/// to, or only the file name of any other. Returns `None` if there are none.
fn program_words(words: &[String], places: &RelativePaths) -> Option<Vec<String>> {
    let (program, more) = words.split_first()?;
    let path = places.path(program);
    let program = match path != *program && path.starts_with(['.', '~', '…']) {
        true => file_name(program).to_owned(),
        false => path,
    };
    Some([&[program], more].concat())
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Returns a word of a command line with its path changed: a value, or a flag and its value.
fn argument(word: &str, places: &RelativePaths) -> String {
    match word.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => {
            format!("{flag}={}", places.value(value))
        }
        _ => places.value(word),
    }
}

/// Returns the arguments that start the same run again, without its name, which is taken. Returns
/// `None` if they resumed a run.
fn repeated(arguments: &[String]) -> Option<Vec<&str>> {
    let mut repeated = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.split_once('=').map_or(word, |(flag, _)| flag) {
            "--resume" => return None,
            "--name" if word.contains('=') => {}
            "--name" => drop(words.next()),
            _ => repeated.push(word),
        }
    }
    Some(repeated)
}

/// Returns a command line, or `None` if a word cannot be quoted because it contains a null
/// character.
fn quoted(words: &[String]) -> Option<String> {
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Checkpoint, Event, Resumed};

    #[test]
    fn toml_tables_follow_top_level_keys() {
        let started = Started {
            config: serde_json::json!({"a": {"z": 1, "b": {"c": true}}, "seed": 3}),
            ..Started::default()
        };
        let text = config(&started, &RelativePaths::default()).into_string();
        let places: Vec<usize> = ["seed", "[a]", ">z<", "[a.b]", ">c<"]
            .iter()
            .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")))
            .collect();
        assert!(places.is_sorted(), "{text}");
    }

    /// Returns the history of a run that was started in a folder with a command.
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
    fn resume_command_requires_checkpoint() {
        let mut history = history(None, &["train", "--flip"]);
        history.checkpoints.clear();
        assert_eq!(lines(&history, "/a"), ["train --flip"]);
        history.push(Event::Resumed(Resumed::default()));
        assert_eq!(lines(&history, "/a").len(), 2);
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// Returns the command lines on the page.
    fn lines(history: &History, folder: &str) -> Vec<String> {
        let places = RelativePaths::of(history);
        let page = commands(history, Path::new(folder), &places).into_string();
        let lines = page.split("<pre><code>").skip(1);
        let lines = lines.filter_map(|line| line.split_once("</code>"));
        lines
            .map(|(line, _)| line.replace("&quot;", "\"").replace("&amp;", "&"))
            .collect()
    }

    #[test]
    fn cargo_starts_the_program_again() {
        let command = "cargo run --release -p train -- --data folder:a --name mine";
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(
            lines(&history(None, &words), "runs/mine"),
            [
                "cargo run --release -p train -- --data folder:a",
                "cargo run --release -p train -- --resume runs/mine"
            ]
        );
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let started = history(None, &["./train", "--data", "folder:my images"]);
        assert_eq!(
            lines(&started, "/runs/it's"),
            [
                "./train --data 'folder:my images'",
                "./train --resume \"…/runs/it's\""
            ]
        );
        assert_eq!(lines(&history(None, &[]), "a"), ["train --resume a"]);
        assert_eq!(lines(&history(None, &["a\0b"]), "/a"), Vec::<String>::new());
    }

    #[test]
    fn repeat_command_uses_another_name() {
        for named in [&["--name", "mine"][..], &["--name=mine"]] {
            let command = [&["train"], named, &["--seed", "1"]].concat();
            let lines = lines(&history(None, &command), "a");
            assert_eq!(lines[0], "train --seed 1");
        }
        for resumed in [&["--resume", "mine"][..], &["--resume=mine"]] {
            let command = [&["train"], resumed].concat();
            assert_eq!(lines(&history(None, &command), "a"), ["train --resume a"]);
        }
    }

    #[test]
    fn commands_use_start_folder_paths() {
        let command = [
            "/home/joe/my work/target/train",
            "--data",
            "folder:/home/joe/photos",
            "--data-dir=/home/joe/my work/sets",
            "--weights",
            "/data/w.pth",
        ];
        let mut history = history(Some("/home/joe/my work"), &command);
        let repeat =
            "target/train --data folder:../photos '--data-dir=sets' --weights '…/data/w.pth'";
        assert_eq!(
            lines(&history, "/home/joe/my work/runs/mine"),
            [repeat, "target/train --resume runs/mine"]
        );
        let resumed = |folder: Option<&str>, command: &[&str]| {
            Event::Resumed(Resumed {
                command: words(command),
                folder: folder.map(str::to_owned),
                ..Resumed::default()
            })
        };
        history.push(resumed(Some("/other"), &["bin/train", "--resume", "a"]));
        history.push(resumed(None, &[]));
        assert_eq!(
            lines(&history, "/home/joe/my work/runs/mine"),
            [repeat, "train --resume runs/mine"]
        );
    }

    #[test]
    fn program_elsewhere_is_called_by_name() {
        let history = history(
            Some("/home/joe/work"),
            &["/home/joe/.cargo/bin/train", "--flip"],
        );
        assert_eq!(lines(&history, "/tmp/a")[0], "train --flip");
    }
}
