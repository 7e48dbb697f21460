//! Errors of the command line.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error};
use files::{LONGEST_SENTENCE, brief};

use crate::voice;

/// Maximum length of an argument's value in a message, in characters.
const LONGEST_VALUE: usize = 120;

/// Prints an error from clap. Arguments in it, and the reasons given by value parsers, are made
/// printable and short; in that case the error is printed without color.
pub(crate) fn complain(mut error: Error) {
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, safe(kind, value)))
        .collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    let safe = safe_lines(&text, std::error::Error::source(&error));
    match safe == text {
        // In color, if wanted. A failure cannot be reported to anyone.
        true => drop(error.print()),
        false => voice::complain(safe.trim_end()),
    }
}

fn safe(kind: ContextKind, value: &ContextValue) -> ContextValue {
    let short = |text: &String| brief(text, LONGEST_VALUE);
    match value {
        ContextValue::String(text) => ContextValue::String(short(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(short).collect()),
        // A suggestion repeats the argument.
        ContextValue::StyledStr(text) if kind == ContextKind::Suggested => {
            ContextValue::StyledStr(plain(text))
        }
        ContextValue::StyledStrs(texts) => {
            ContextValue::StyledStrs(texts.iter().map(plain).collect())
        }
        other => other.clone(),
    }
}

fn plain(text: &StyledStr) -> StyledStr {
    brief(&text.to_string(), LONGEST_SENTENCE).into()
}

/// Returns the text as printable lines of limited length. The reason given by a parser may contain
/// line breaks.
fn safe_lines(text: &str, reason: Option<&dyn std::error::Error>) -> String {
    let reason = reason.map(ToString::to_string).unwrap_or_default();
    let text = match reason.is_empty() {
        true => text.to_owned(),
        false => text.replace(&reason, &brief(plainly(&reason), LONGEST_SENTENCE)),
    };
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let line = brief(line, LONGEST_SENTENCE);
        // Only the first line is the error.
        match number > 0 && line.starts_with("error:") {
            true => format!("  {line}"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Rewords the standard library's message about an invalid number for users.
fn plainly(reason: &str) -> &str {
    match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number"
        }
        "number too large to fit in target type" => "must be smaller",
        "number too small to fit in target type" => "must be larger",
        "number would be zero for non-zero type" => "must be at least 1",
        "invalid float literal" | "cannot parse float from empty string" => "must be a number",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    fn text(arguments: &[&str]) -> String {
        let command = Command::new("program")
            .arg(Arg::new("size").long("size").value_parser(|value: &str| {
                value
                    .parse::<u8>()
                    .map_err(|_| format!("`{value}` is no size\n\nat all"))
            }))
            .arg(Arg::new("kind").long("kind").value_parser(["one", "two"]))
            .subcommand(Command::new("list"));
        let mut error = command
            .try_get_matches_from([&["program"], arguments].concat())
            .unwrap_err();
        let context: Vec<_> = error
            .context()
            .map(|(kind, value)| (kind, safe(kind, value)))
            .collect();
        for (kind, value) in context {
            error.insert(kind, value);
        }
        safe_lines(
            &error.render().to_string(),
            std::error::Error::source(&error),
        )
    }

    #[test]
    fn invalid_numbers_get_plain_messages() {
        for (reason, text) in [
            ("x".parse::<u8>().unwrap_err().to_string(), "whole number"),
            ("".parse::<usize>().unwrap_err().to_string(), "whole number"),
            (
                "999".parse::<u8>().unwrap_err().to_string(),
                "must be smaller",
            ),
            (
                "-999".parse::<i8>().unwrap_err().to_string(),
                "must be larger",
            ),
            (
                "0".parse::<std::num::NonZeroU8>().unwrap_err().to_string(),
                "at least 1",
            ),
            ("x".parse::<f64>().unwrap_err().to_string(), "a number"),
            ("".parse::<f64>().unwrap_err().to_string(), "a number"),
        ] {
            assert!(plainly(&reason).contains(text), "{reason}");
        }
    }

    #[test]
    fn arguments_in_errors_are_escaped_and_shortened() {
        let evil = "\u{1b}[2J\n\nerror: \u{202e}";
        let long = "x".repeat(100_000);
        for value in [
            evil,
            &long,
            &long.replace('x', evil),
            "-\u{7}",
            "--\u{9b}31m",
        ] {
            for flag in [
                &["--size", value][..],
                &["--kind", value],
                &[value],
                &["list", value],
                &[format!("--size={value}").as_str()],
                &[format!("--{value}").as_str()],
                &[format!("--{value}=1").as_str()],
                &["--size", "1", format!("--size={value}").as_str()],
            ] {
                let text = text(flag);
                assert!(
                    text.lines()
                        .all(|line| line.chars().count() <= LONGEST_SENTENCE),
                    "{text}"
                );
                assert!(
                    text.chars()
                        .all(|character| character == '\n' || files::is_printable(character)),
                    "{text:?}"
                );
                let errors = text.lines().filter(|line| line.starts_with("error:"));
                assert_eq!(errors.count(), 1, "{text}");
            }
        }
    }

    #[test]
    fn other_errors_are_unchanged_clap_errors() {
        let text = text(&["--kind", "three"]);
        assert!(
            text.starts_with("error: invalid value 'three' for '--kind <kind>'"),
            "{text}"
        );
        assert!(text.contains("[possible values: one, two]"), "{text}");
    }
}
