//! Help, completions and manual page of the program.

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use command_line::help::{Layout, arranged, completions, manual};
use command_line::{flags, voice};

use super::arguments::Arguments;

const LAYOUT: Layout = Layout {
    short: &[
        "run",
        "weights",
        "pretrained",
        "model",
        "top_k",
        "json",
        "device",
        "bench",
    ],
    headings: &[
        (
            "Model",
            &["run", "weights", "pretrained", "model", "runs_dir"],
        ),
        ("Device", &["device", "threads", "list_devices"]),
        (
            "Output",
            &["top_k", "json", "profile", "completions", "man"],
        ),
    ],
};

/// Flags that print files for the shell and `man`, and nothing else.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Print completions for a shell
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub completions: Option<Shell>,

    /// Print the manual page
    #[arg(long, exclusive = true)]
    pub man: bool,
}

impl Generate {
    /// Prints the requested file, if any, and returns whether one was requested.
    pub(crate) fn print(&self) -> anyhow::Result<bool> {
        let text = match (self.completions, self.man) {
            (Some(shell), _) => completions(shell, command(), &flags::offered),
            (None, true) => {
                let pages = manual(command())?.into_iter();
                pages.flat_map(|(_, text)| text).collect()
            }
            (None, false) => return Ok(false),
        };
        voice::print_file(&text)?;
        Ok(true)
    }
}

/// Returns the command line of the program.
pub(crate) fn command() -> Command {
    arranged(Arguments::command(), &LAYOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_layout_names_existing_flags() {
        let command = command();
        command.clone().debug_assert();
        let headed = LAYOUT.headings.iter().flat_map(|(_, flags)| flags.iter());
        for flag in LAYOUT.short.iter().chain(headed) {
            assert!(
                command.get_arguments().any(|arg| arg.get_id() == *flag),
                "{flag}"
            );
        }
    }

    #[test]
    fn short_help_fits_one_screen() {
        for width in [80, 100] {
            let help = command().term_width(width).render_help().to_string();
            let lines: Vec<&str> = help.lines().collect();
            assert!(
                (10..=40).contains(&lines.len()),
                "{} lines:\n{help}",
                lines.len()
            );
            assert!(
                lines.iter().all(|line| line.chars().count() <= width),
                "{help}"
            );
        }
        let long = command().render_long_help().to_string();
        assert!(
            long.contains("Examples:") && long.contains("--list-devices"),
            "{long}"
        );
    }
}
