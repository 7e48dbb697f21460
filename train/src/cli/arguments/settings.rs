//! Flags that are settings of a run.

use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser as _, ValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint};
use data::{DataError, Source};
use train::{OptimizerKind, Overrides, Setting, Takes, TrainConfig, settings};

/// Maximum length of a default in the short help.
const SHORT_DEFAULT: usize = 24;

/// Settings given as flags; the others keep their values.
#[derive(Debug)]
pub(crate) struct Settings {
    pub overrides: Overrides,
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut overrides = Overrides::default();
        for setting in settings() {
            if let Some(value) = matches.get_one::<toml::Value>(setting.id()) {
                overrides.insert(setting, value.clone());
            }
        }
        Ok(Self { overrides })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        command.args(settings().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Returns the flag of a setting.
fn flag(setting: &'static Setting<TrainConfig>) -> Arg {
    let arg = Arg::new(setting.id())
        .long(setting.id().replace('_', "-"))
        .value_parser(parser(setting))
        .conflicts_with_all(setting.conflicts);
    described(arg, setting, setting.default_text())
}

/// Gives the flags of a command that are settings and have no help of their own, those of its subcommands too, the help of
/// these settings. `defaults` are those that differ from the settings', in words; empty means none. A default value of
/// the flag replaces both.
pub(crate) fn like_settings(command: Command, defaults: &[(&str, &str)]) -> Command {
    let command = command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        let has_help = arg.get_help().is_some() || arg.get_long_help().is_some();
        let Some(setting) = named(id).filter(|_| !has_help) else {
            return arg;
        };
        let other = defaults.iter().find(|(flag, _)| *flag == id);
        let default = match other {
            _ if !arg.get_default_values().is_empty() => None,
            Some((_, words)) => Some((*words).to_owned()),
            None => setting.default_text(),
        };
        described(arg, setting, default)
    });
    command.mut_subcommands(|command| like_settings(command, defaults))
}

fn named(id: &str) -> Option<&'static Setting<TrainConfig>> {
    settings().find(|setting| setting.id() == id)
}

/// Returns a parser for a flag of another command that is a setting, which checks the setting's range.
pub(crate) fn within<T: FromStr<Err: Display>>(
    id: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        named(id).map_or(Ok(()), |setting| setting.parse(text).map(drop))?;
        text.parse().map_err(|error: T::Err| error.to_string())
    }
}

/// Gives a flag the help of a setting.
fn described(arg: Arg, setting: &'static Setting<TrainConfig>, default: Option<String>) -> Arg {
    let with = |text: String, name: &str, value: Option<String>| match value {
        Some(value) if !value.is_empty() => format!("{text} [{name}: {value}]"),
        _ => text,
    };
    let is_short = |default: &String| default.len() <= SHORT_DEFAULT;
    let help = with(
        setting.summary(),
        "default",
        default.clone().filter(is_short),
    );
    let mut long_help = with(setting.summary(), "default", default);
    long_help = with(long_help, "range", Some(setting.range.to_owned()));
    if let Some(more) = setting.more() {
        long_help = format!("{long_help}\n\n{more}");
    }
    let arg = arg
        .value_name(value_name(setting))
        .allow_negative_numbers(matches!(setting.takes, Takes::Integer | Takes::Real))
        .help(help)
        .long_help(long_help);
    let arg = match setting.implied() {
        Some(implied) => arg.num_args(0..=1).default_missing_value(implied),
        None => arg,
    };
    match setting.takes {
        Takes::Path => arg.value_hint(ValueHint::AnyPath),
        _ => arg,
    }
}

fn value_name(setting: &Setting<TrainConfig>) -> &'static str {
    match (setting.value_name, setting.takes) {
        ("", Takes::Integer) => "N",
        ("", Takes::Integers) => "N,N,...",
        ("", Takes::Real) => "X",
        ("", Takes::Switch) => "BOOL",
        ("", Takes::Table) => "TABLE",
        ("", _) => "TEXT",
        (name, _) => name,
    }
}

fn parser(setting: &'static Setting<TrainConfig>) -> ValueParser {
    let parse = move |text: String| setting.parse(&text);
    match setting.takes {
        Takes::Switch => PossibleValuesParser::new(["true", "false"])
            .try_map(parse)
            .into(),
        _ => StringValueParser::new().try_map(parse).into(),
    }
}

/// Parses a data source; the error suggests the nearest name.
pub(crate) fn source(text: &str) -> Result<Source, String> {
    text.parse().map_err(|error: DataError| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    })
}

pub(crate) fn optimizer(text: &str) -> Result<OptimizerKind, String> {
    OptimizerKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| {
            format!(
                "known: {}",
                OptimizerKind::ALL.map(OptimizerKind::name).join(", ")
            )
        })
}
