//! Help, shell completions and manual pages of the programs.
//!
//! `-h` shows the flags that most users need, and `--help` shows all of them, both under headings.
//! A [`Layout`] next to the program's arguments assigns the flags; flags that it does not name
//! appear only in `--help`.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::builder::PossibleValuesParser;
use clap::{Command, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

/// Layout of a command's flags in its help.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Flags shown by `-h`. Positional arguments are always shown.
    pub short: &'static [&'static str],
    /// Headings and the flags below them.
    pub headings: &'static [(&'static str, &'static [&'static str])],
}

/// Returns the command with its flags arranged.
pub fn arranged(command: Command, layout: &Layout) -> Command {
    command.mut_args(|arg| {
        let id = arg.get_id().to_string();
        let is_short = arg.is_positional() || layout.short.contains(&id.as_str());
        let mut headings = layout.headings.iter();
        let heading = headings.find(|(_, flags)| flags.contains(&id.as_str()));
        let mut arg = arg.hide_short_help(!is_short);
        if arg.get_action().takes_values() && !arg.is_positional() {
            // A negative number is an invalid value, not an unknown flag.
            arg = arg.allow_negative_numbers(true);
        }
        match heading {
            Some((heading, _)) => arg.help_heading(*heading),
            None => arg,
        }
    })
}

/// Returns the completions of a program for a shell, including the values offered for flags.
pub fn completions(
    shell: Shell,
    command: Command,
    offered: &dyn Fn(&str) -> Vec<String>,
) -> Vec<u8> {
    let mut command = offering(command, offered);
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Returns a command that restricts flags to the offered values where there are some, so that
/// completions know them.
fn offering(command: Command, offered: &dyn Fn(&str) -> Vec<String>) -> Command {
    let command = command.mut_args(|arg| {
        let values = offered(arg.get_id().as_str());
        let is_known = !arg.get_possible_values().is_empty();
        match arg.get_value_hint() {
            ValueHint::Unknown if !arg.get_action().takes_values() || is_known => arg,
            ValueHint::Unknown if values.is_empty() => arg.value_hint(ValueHint::Other),
            // Completed values of a list would lack its separators.
            ValueHint::Unknown => arg.value_parser(PossibleValuesParser::new(values)),
            _ => arg,
        }
    });
    command.mut_subcommands(|command| offering(command, offered))
}

/// Returns the file names and contents of a program's manual pages: its own, and one for each
/// subcommand.
///
/// # Errors
///
/// None in practice, because the pages are written to memory.
pub fn manual(mut command: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    command.build();
    let version = command.get_version().unwrap_or_default();
    let program = format!("{} {version}", command.get_name());
    let mut pages = Vec::new();
    let mut left = vec![&command];
    while let Some(command) = left.pop() {
        let name = command.get_display_name().unwrap_or(command.get_name());
        pages.push((format!("{name}.1"), page(command, program.trim_end())?));
        let subcommands = command.get_subcommands();
        left.extend(subcommands.filter(|command| command.get_name() != "help"));
    }
    pages.sort();
    Ok(pages)
}

fn page(command: &Command, program: &str) -> io::Result<Vec<u8>> {
    // A page describes all flags; flags that `-h` hides would have no text.
    let command = command.clone().mut_args(|arg| arg.hide_short_help(false));
    let man = Man::new(command.clone()).source(program);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(examples) = command.get_after_long_help() {
        text.write_all(examples_section(&examples.to_string()).as_bytes())?;
    }
    Ok(text)
}

/// Returns the section with the examples, their lines unchanged.
fn examples_section(text: &str) -> String {
    let mut section = ".SH EXAMPLES\n.nf\n".to_owned();
    for line in text.lines().filter(|line| *line != "Examples:") {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // Writing to a string cannot fail. The prefix keeps roff from taking a line as a request.
        let _ = writeln!(section, "\\&{line}");
    }
    section + ".fi\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn command() -> Command {
        let arg = |name| Arg::new(name).long(name).help(format!("The {name}"));
        Command::new("tool")
            .version("1.2")
            .args([arg("common"), arg("rare")])
            .arg(Arg::new("FILE"))
            .after_long_help("Examples:\n  tool --rare x\\y\n.tool")
            .subcommand(Command::new("part").about("A part"))
    }

    const LAYOUT: Layout = Layout {
        short: &["common"],
        headings: &[("Group", &["common", "rare"])],
    };

    #[test]
    fn rare_flags_appear_only_in_long_help() {
        let mut command = arranged(command(), &LAYOUT);
        let [short, long] = [command.render_help(), command.render_long_help()];
        let [short, long] = [short, long].map(|help| help.to_string());
        assert!(
            short.contains("Group:\n      --common") && short.contains("FILE"),
            "{short}"
        );
        assert!(!short.contains("rare"), "{short}");
        assert!(long.contains("--rare"), "{long}");
    }

    #[test]
    fn every_command_has_a_man_page() {
        let pages = manual(arranged(command(), &LAYOUT)).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tool-part.1", "tool.1"]);
        let text = String::from_utf8(pages[1].1.clone()).unwrap();
        assert!(
            text.contains(".SH EXAMPLES\n.nf\n\\&  tool \\-\\-rare x\\ey\n\\&.tool\n.fi"),
            "{text}"
        );
        for flag in ["common", "rare"] {
            assert!(text.contains(&format!("The {flag}")), "{text}");
        }
        let part = String::from_utf8(pages[0].1.clone()).unwrap();
        for page in [text, part] {
            assert!(page.contains("\"tool 1.2\""), "{page}");
        }
    }
}
