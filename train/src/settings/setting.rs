//! Description of a setting: its key, flag, type, default, range and help.

use data::Source;
use model::NetworkPart;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// A setting of a config. Flags, checks, help and documentation are generated from it.
#[derive(Debug)]
pub struct Setting<C> {
    /// Key in a TOML file, such as `loader.threads`.
    pub key: &'static str,
    /// Flag without its dashes and with `_` for `-`; empty means the last part of the key.
    pub id: &'static str,
    /// Help text, line by line: a paragraph for `-h`, and more after an empty line.
    pub doc: &'static [&'static str],
    /// Further text for `--help` that must be computed.
    pub details: Option<fn() -> String>,
    /// Text format of its values.
    pub takes: Takes,
    /// Name of the value in help; empty means that of the type.
    pub value_name: &'static str,
    /// Default in words, if the config's default value does not show it.
    pub default: &'static str,
    /// Valid range of the value; empty if the type is the only constraint.
    pub range: &'static str,
    /// Returns whether a config's value is in the range.
    pub fits: fn(&C) -> bool,
    /// A value other than the default.
    pub example: &'static str,
    /// Group in which the setting is shown.
    pub group: Group,
    /// Whether the setting may change when a run is resumed.
    pub resume: bool,
    /// Whether the setting affects the speed of a step.
    pub bench: bool,
    /// Whether `-h` shows the setting.
    pub common: bool,
    /// Settings of a file that this one removes when it is given as a flag.
    pub replaces: &'static [&'static str],
    /// Flags that cannot be combined with this one.
    pub conflicts: &'static [&'static str],
}

/// Group of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// Images and networks.
    Data,
    /// How images are loaded.
    Loading,
    /// Training of the network.
    Training,
}

impl Group {
    /// All groups, in display order.
    pub const ALL: [Self; 3] = [Self::Data, Self::Loading, Self::Training];

    /// Returns the heading above the group.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Data => "Data and model",
            Self::Loading => "Loading and augmentation",
            Self::Training => "Training",
        }
    }
}

/// Text format of a value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Takes {
    /// A whole number from 0.
    Integer,
    /// Whole numbers, separated by commas.
    Integers,
    /// A number.
    Real,
    /// `true` or `false`; the flag alone means `true`.
    Switch,
    /// Any text.
    Text,
    /// The path of a file or folder.
    Path,
    /// One of a few words.
    Word(fn() -> Vec<String>),
    /// Text with further checks; its value in a file may differ from that of the flag.
    Checked {
        /// Converts the text into the value for a file.
        parse: fn(&str) -> Result<Value, String>,
        /// Returns common values.
        offered: fn() -> Vec<String>,
    },
    /// A list of parts of the network, separated by commas; the flag alone means all of them.
    Parts,
    /// A TOML inline table; the flag alone means `{}`, all defaults.
    Table,
    /// One of a few words, or a TOML inline table.
    WordOrTable(fn() -> Vec<String>),
}

impl<C: Default + Serialize + DeserializeOwned> Setting<C> {
    pub(super) const USUAL: Self = Self {
        key: "",
        id: "",
        doc: &[],
        details: None,
        takes: Takes::Text,
        value_name: "",
        default: "",
        range: "",
        fits: |_| true,
        example: "",
        group: Group::Training,
        resume: false,
        bench: false,
        common: false,
        replaces: &[],
        conflicts: &[],
    };

    /// Returns the flag without its dashes and with `_` for `-`.
    pub fn id(&self) -> &'static str {
        match self.id {
            "" => self.key.rsplit('.').next().unwrap_or(self.key),
            id => id,
        }
    }

    /// Returns the flag, such as `--loader-threads`.
    pub fn flag(&self) -> String {
        format!("--{}", self.id().replace('_', "-"))
    }

    /// Returns the first paragraph of the help, without a final period.
    pub fn summary(&self) -> String {
        paragraph(self.doc.split(|line| line.is_empty()).next().unwrap_or(&[]))
    }

    /// Returns the help beyond the summary; `None` for most settings.
    pub fn more(&self) -> Option<String> {
        let mut paragraphs: Vec<String> = self
            .doc
            .split(|line| line.is_empty())
            .skip(1)
            .map(paragraph)
            .collect();
        paragraphs.extend(self.details.map(|details| details()));
        (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
    }

    /// Returns the default in words, or `None` if the setting is unset by default.
    pub fn default_text(&self) -> Option<String> {
        match self.default {
            "" => self.value(&C::default()).map(|value| shown(&value)),
            text => Some(text.to_owned()),
        }
    }

    /// Returns the value implied by the flag alone, or `None` if the flag needs a value.
    pub fn implied(&self) -> Option<&'static str> {
        match self.takes {
            Takes::Switch => Some("true"),
            Takes::Parts => Some("all"),
            Takes::Table => Some("{}"),
            _ => None,
        }
    }

    /// Returns the words to choose from, or none if the choice is open.
    pub fn offered(&self) -> Vec<String> {
        match self.takes {
            Takes::Word(words) | Takes::WordOrTable(words) => words(),
            Takes::Checked { offered, .. } => offered(),
            Takes::Switch => ["true", "false"].map(str::to_owned).to_vec(),
            Takes::Parts => ["all", "stem", "stage1", "stage2", "stage3", "stage4"]
                .map(str::to_owned)
                .to_vec(),
            _ => Vec::new(),
        }
    }

    /// Converts the text of a flag into a value for a TOML file.
    ///
    /// # Errors
    ///
    /// If the text is not a valid value, or the value is out of range.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self.takes {
            Takes::Integer => integer(text)?,
            Takes::Integers => {
                let numbers: Result<_, _> = text.split(',').map(integer).collect();
                Value::Array(numbers?)
            }
            Takes::Real => Value::Float(text.parse().map_err(|error| format!("{error}"))?),
            Takes::Switch => Value::Boolean(text.parse().map_err(|error| format!("{error}"))?),
            Takes::Text | Takes::Path => Value::String(text.to_owned()),
            Takes::Word(words) => word(text, &words())?,
            Takes::Checked { parse, .. } => parse(text)?,
            Takes::Parts => {
                let parts = text.split(',').map(|part| {
                    let part: NetworkPart = part.parse().map_err(|error| format!("{error}"))?;
                    Ok(Value::String(part.to_string()))
                });
                Value::Array(parts.collect::<Result<_, String>>()?)
            }
            Takes::Table => table(text)?,
            Takes::WordOrTable(_) if text.starts_with('{') => table(text)?,
            Takes::WordOrTable(words) => word(text, &words())?,
        };
        match self.put_in_default(value.clone()) {
            Ok(config) if (self.fits)(&config) => Ok(value),
            Err(error) if self.range.is_empty() => Err(error.message().replace('\n', " ")),
            _ => Err(format!("must be {}", self.range)),
        }
    }

    /// Returns the value in a config as a TOML value, or `None` if it is unset.
    pub fn value(&self, config: &C) -> Option<Value> {
        let mut value = Value::try_from(config).ok()?;
        for part in self.key.split('.') {
            value = value.as_table_mut()?.remove(part)?;
        }
        Some(value)
    }

    /// Returns whether the config's field can hold a value, even if it is out of range.
    pub(super) fn reads(&self, value: &Value) -> bool {
        self.put_in_default(value.clone()).is_ok()
    }

    fn put_in_default(&self, value: Value) -> Result<C, toml::de::Error> {
        let mut table = Table::try_from(C::default()).map_err(serde::de::Error::custom)?;
        put(&mut table, self.key, value);
        table.try_into()
    }
}

/// Sets a value in a table or in one of its nested tables.
pub(super) fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((outer, inner)) => {
            let entry = table.entry(outer);
            let inside = entry.or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inside) = inside {
                put(inside, inner, value);
            }
        }
    }
}

/// Parses the data set that a flag's value names.
pub(super) fn source(text: &str) -> Result<Value, String> {
    let source: Result<Source, _> = text.parse();
    match source {
        Ok(source) => Ok(Value::String(source.to_string())),
        Err(error) => Err(match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        }),
    }
}

/// Parses text as `T` and returns it as `T` formats it.
pub(super) fn text_of<T>(text: &str) -> Result<Value, String>
where
    T: std::str::FromStr<Err: std::fmt::Display> + std::fmt::Display,
{
    let value: T = text.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(Value::String(value.to_string()))
}

/// Formats a value for display: text has no quotation marks.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // 0.0005, not 5e-4.
        Value::Float(number) => number.to_string(),
        value => value.to_string(),
    }
}

fn integer(text: &str) -> Result<Value, String> {
    let number: u64 = text.trim().parse().map_err(|error| format!("{error}"))?;
    // TOML's integers are signed 64-bit.
    let number = i64::try_from(number).map_err(|error| error.to_string())?;
    Ok(Value::Integer(number))
}

fn word(text: &str, words: &[String]) -> Result<Value, String> {
    match words.iter().any(|word| word == text) {
        true => Ok(Value::String(text.to_owned())),
        false => Err(format!("known: {}", words.join(", "))),
    }
}

fn table(text: &str) -> Result<Value, String> {
    let parsed: Result<Table, _> = format!("table = {text}").parse();
    let parsed = parsed.map_err(|error| error.message().replace('\n', " "));
    match parsed?.remove("table") {
        Some(table @ Value::Table(_)) => Ok(table),
        _ => Err("must be a TOML table, such as {} or { key = 1 }".to_owned()),
    }
}

fn paragraph(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let text = lines.join(" ");
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
