//! The whole command line with headings, and its completions and manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use command_line::help::{Layout, arranged, completions, manual};
use command_line::{flags, voice};
use report::runs::Column;
use train::{SetPart, Setting, recipe_names, settings};

use crate::cli::arguments::Arguments;
use crate::cli::arguments::settings::like_settings;
use crate::cli::destination::Destination;

const TRAIN: Layout = Layout {
    short: &["recipe", "config", "resume"],
    headings: &[
        ("Start from", &["recipe", "config", "resume"]),
        (
            "Output",
            &["ui", "json", "quiet", "profile", "list_devices"],
        ),
    ],
};

/// Flags of --bench. Each excludes the flags that do not affect the speed of a step, because clap does not require a
/// flag that conflicts with a given one.
const MEASURING: [&str; 4] = ["bench", "input", "classes", "repeats"];
const NOT_MEASURED: [&str; 5] = ["ui", "config", "recipe", "resume", "list_devices"];

const EVAL: Layout = Layout {
    short: &["weights", "data", "split", "output", "json", "device"],
    headings: &[
        ("Model", &["weights", "model", "runs_dir"]),
        ("Data", &["data", "data_dir", "split", "seed", "validation"]),
        ("Scoring", &["flip_test", "shift_test", "batch_size"]),
        ("Output", &["output", "json"]),
        ("Device", &["threads", "device"]),
    ],
};

/// Defaults of `train eval` and `train quantize` that differ from those of the settings.
const EVAL_DEFAULTS: [(&str, &str); 6] = [
    ("data", "the run's own"),
    ("data_dir", "the run's own, or the user's cache folder"),
    ("labels", "the run's own, without --data"),
    ("validation", "the run's own, or 0.1"),
    ("flip_test", "like the run"),
    ("shift_test", "like the run"),
];

const QUANTIZE: Layout = Layout {
    short: &["weights", "data", "images", "output", "json"],
    headings: &[
        (
            "Data",
            &[
                "data",
                "data_dir",
                "labels",
                "max_pixels",
                "seed",
                "validation",
                "images",
            ],
        ),
        ("Output", &["output", "overwrite", "json"]),
        ("Device", &["threads", "batch_size"]),
    ],
};

const CONVERT: Layout = Layout {
    short: &["model", "key", "half", "overwrite"],
    headings: &[],
};

const DATA: Layout = Layout {
    short: &["image_size", "sheet", "augmented", "json"],
    headings: &[
        ("Data", &["data_dir", "image_size", "seed"]),
        (
            "Contact sheet",
            &[
                "sheet",
                "examples",
                "augmented",
                "config",
                "recipe",
                "pad_crop",
                "flip",
            ],
        ),
        ("Output", &["json"]),
    ],
};

/// Defaults of `train data` that differ from those of the settings.
const DATA_DEFAULTS: [(&str, &str); 3] = [("data", ""), ("pad_crop", "0"), ("flip", "false")];

/// Returns the program's command line.
pub(crate) fn command() -> Command {
    let fixed = settings().filter(|setting| !setting.resume);
    let unmeasured = settings().filter(|setting| !setting.bench);
    let unmeasured = unmeasured.map(Setting::id).chain(NOT_MEASURED);
    let unmeasured: Vec<_> = unmeasured.collect();
    let mut command = arranged(Arguments::command(), &TRAIN);
    for setting in settings() {
        command = command.mut_arg(setting.id(), |arg| {
            arg.help_heading(setting.group.heading())
                .hide_short_help(!setting.common)
        });
    }
    for flag in MEASURING {
        command = command.mut_arg(flag, |arg| arg.conflicts_with_all(&unmeasured));
    }
    command
        .mut_arg("resume", |arg| {
            arg.conflicts_with_all(fixed.map(Setting::id))
        })
        .mut_subcommand("eval", |command| {
            arranged(like_settings(command, &EVAL_DEFAULTS), &EVAL)
        })
        .mut_subcommand("quantize", |command| {
            arranged(like_settings(command, &EVAL_DEFAULTS), &QUANTIZE)
        })
        .mut_subcommand("convert", |command| arranged(command, &CONVERT))
        .mut_subcommand("data", |command| {
            arranged(like_settings(command, &DATA_DEFAULTS), &DATA)
        })
        .mut_subcommands(|command| like_settings(command, &[]))
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  train completions bash > ~/.local/share/bash-completion/completions/train
  train completions zsh > ~/.zfunc/_train     with fpath+=~/.zfunc before compinit in ~/.zshrc
  train completions fish > ~/.config/fish/completions/train.fish";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_long_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  train man | man -l -                    the page of `train`
  train man eval | man -l -               that of `train eval`
  train man --output ~/.local/share/man/man1   all pages, for `man train`";

/// Print a manual page, or write all of them
#[derive(Debug, Args)]
#[command(after_long_help = MAN_EXAMPLES)]
pub(crate) struct ManArguments {
    /// The command that the page is about, such as eval [default: train itself]
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Vec<String>,

    /// Write the pages of all commands into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

pub(crate) fn print_completions(arguments: &CompletionsArguments) -> anyhow::Result<()> {
    Destination::StandardOutput.write(&completions(arguments.shell, command(), &offered))
}

/// Returns the values that completions offer for a flag; none for numbers and free text.
fn offered(flag: &str) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    match flag {
        "recipe" => owned(&recipe_names()),
        "split" => owned(&SetPart::ALL.map(SetPart::name)),
        "sort" => owned(&Column::ALL.map(Column::name)),
        _ => match settings().find(|setting| setting.id() == flag) {
            Some(setting) => setting.offered(),
            None => flags::offered(flag),
        },
    }
}

pub(crate) fn run_man(arguments: &ManArguments) -> anyhow::Result<()> {
    let pages = manual(command())?;
    if let Some(folder) = &arguments.output {
        if folder.as_os_str() == "-" {
            let message =
                "pages are written into a folder, not to standard output; `train man` prints one";
            command().error(ErrorKind::InvalidValue, message).exit()
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        for (name, text) in &pages {
            let path = folder.join(name);
            let shown = path.display().to_string();
            Destination::File(path).write(text)?;
            voice::print_line(&shown)?;
        }
        return Ok(());
    }
    let words = ["train"].into_iter();
    let words: Vec<&str> = words
        .chain(arguments.command.iter().map(String::as_str))
        .collect();
    let name = format!("{}.1", words.join("-"));
    match pages.iter().find(|(page, _)| *page == name) {
        Some((_, text)) => Destination::StandardOutput.write(text),
        None => {
            let wanted = arguments.command.join(" ").escape_debug().to_string();
            let message = format!("unknown command `{wanted}`");
            command().error(ErrorKind::InvalidValue, message).exit()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every command with its subcommands.
    fn all(command: &Command) -> Vec<Command> {
        let mut all = vec![command.clone()];
        for subcommand in command.get_subcommands() {
            all.extend(self::all(subcommand));
        }
        all
    }

    #[test]
    fn help_layouts_name_existing_flags() {
        let command = command();
        let find = |name| command.find_subcommand(name).unwrap();
        for (command, layout) in [
            (&command, TRAIN),
            (find("eval"), EVAL),
            (find("quantize"), QUANTIZE),
            (find("convert"), CONVERT),
            (find("data"), DATA),
        ] {
            let headed = layout.headings.iter().flat_map(|(_, flags)| flags.iter());
            for flag in layout.short.iter().chain(headed) {
                let is_flag = command.get_arguments().any(|arg| arg.get_id() == *flag);
                assert!(is_flag, "{} has no {flag}", command.get_name());
            }
        }
    }

    #[test]
    fn flags_that_are_settings_are_described_like_them() {
        // Names of a file's network, not of a run's; seeds that do less.
        let others = [
            "model",
            "key",
            "stem",
            "stem_stride",
            "pool",
            "bottleneck_stride",
            "shortcut",
        ];
        let others = [
            &others[..],
            &["norm_epsilon", "weights", "seed", "image_size", "depths"],
        ]
        .concat();
        let mut command = command();
        command.build();
        let mut found = 0;
        for subcommand in all(&command) {
            for arg in subcommand.get_arguments() {
                let id = arg.get_id().as_str();
                let Some(setting) = settings().find(|setting| setting.id() == id) else {
                    continue;
                };
                let help = arg.get_help().unwrap_or_default().to_string();
                let is_like = help.starts_with(&setting.summary());
                let name = subcommand.get_name();
                assert!(is_like || others.contains(&id), "{name} --{id}: {help}");
                found += usize::from(is_like);
            }
        }
        assert!(found > settings().count() + 20, "{found}");
    }

    #[test]
    fn ranges_of_settings_hold_in_all_commands() {
        for (arguments, range) in [
            ("eval --batch-size 65537", "1 to 65536"),
            ("eval --validation -0.1", "0.01 to 0.5"),
            ("eval --threads 0", "1 to 1024"),
            ("eval --max-pixels 0", "at least 1"),
            ("data sample --image-size 4097", "1 to 4096"),
            ("data sample --max-pixels 0", "at least 1"),
            (
                "data sample --sheet a.png --augmented --pad-crop 4097",
                "0 to 4096",
            ),
            ("study degradation --epochs 0", "1 to 100000"),
            ("study degradation --lr -1", "0"),
            ("study gradients --batch-size 65537", "1 to 65536"),
            ("summary resnet20 --batch-size 65537", "1 to 65536"),
        ] {
            let words = ["train"].into_iter().chain(arguments.split(' '));
            let error = command().try_get_matches_from(words).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::ValueValidation,
                "{arguments}: {error}"
            );
            assert!(error.to_string().contains(range), "{arguments}: {error}");
        }
    }

    #[test]
    fn short_help_of_every_command_fits_one_screen() {
        let mut command = command();
        command.build();
        for command in all(&command) {
            let help = command.clone().term_width(100).render_help().to_string();
            let lines: Vec<&str> = help.lines().collect();
            let longest = lines.iter().map(|line| line.chars().count()).max();
            assert!(lines.len() <= 40, "{} lines:\n{help}", lines.len());
            assert!(longest <= Some(100), "{longest:?}:\n{help}");
        }
    }

    #[test]
    fn long_help_has_every_flag_and_examples() {
        let mut command = command();
        command.build();
        for command in all(&command) {
            let help = command.clone().render_long_help().to_string();
            for arg in command.get_arguments() {
                if let Some(long) = arg.get_long() {
                    assert!(help.contains(&format!("--{long}")), "no --{long} in {help}");
                }
            }
        }
        let help = command.render_long_help().to_string();
        for part in [
            "Start from:",
            "Data and model:",
            "Training:",
            "Examples:",
            "train eval runs/mine",
        ] {
            assert!(help.contains(part), "no {part} in {help}");
        }
    }
}
