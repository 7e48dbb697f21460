//! Filters for runs.

use std::str::FromStr;

use thiserror::Error;
use wildmatch::WildMatch;

use super::summary::{RunState, RunSummary};

/// `KEY=VALUE`: selects runs with this value, ignoring case. In the value, `*` stands for any
/// characters and `?` for a single one.
#[derive(Clone, Debug)]
pub struct Filter {
    key: Key,
    pattern: WildMatch,
}

/// Keys to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    State,
    Data,
    Model,
    Device,
    Seed,
}

impl Key {
    const ALL: [(&'static str, Self); 6] = [
        ("name", Self::Name),
        ("state", Self::State),
        ("data", Self::Data),
        ("model", Self::Model),
        ("device", Self::Device),
        ("seed", Self::Seed),
    ];

    fn names() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }

    /// Returns the value of a run, empty if it has none.
    fn of(self, run: &RunSummary) -> String {
        let text = match self {
            Self::Name => return run.name.clone(),
            Self::State => return run.state.name().to_owned(),
            Self::Seed => return run.seed.map(|seed| seed.to_string()).unwrap_or_default(),
            Self::Data => &run.data,
            Self::Model => &run.model,
            Self::Device => &run.device,
        };
        text.clone().unwrap_or_default()
    }
}

impl Filter {
    /// Returns all keys, separated by commas.
    pub fn keys() -> String {
        Key::names()
    }
}

/// The reason why a text is not a valid [`Filter`].
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// It has no `=`.
    #[error("`{}` is not a filter: write KEY=VALUE, such as model=resnet*", given.escape_debug())]
    Form {
        /// The given text.
        given: String,
    },
    /// There is no such key.
    #[error("cannot filter runs by `{}`, known keys are {}", key.escape_debug(), Key::names())]
    Key {
        /// The given key.
        key: String,
    },
    /// There is no such state.
    #[error("unknown state `{}`, known states are {}", state.escape_debug(), RunState::ALL.map(RunState::name).join(", "))]
    State {
        /// The given state.
        state: String,
    },
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or_else(|| FilterError::Form {
            given: text.to_owned(),
        })?;
        let found = Key::ALL.into_iter().find(|(name, _)| *name == key);
        let (_, key) = found.ok_or_else(|| FilterError::Key {
            key: key.to_owned(),
        })?;
        let pattern = WildMatch::new_case_insensitive(value);
        let is_state = || {
            RunState::ALL
                .iter()
                .any(|state| pattern.matches(state.name()))
        };
        if key == Key::State && !is_state() {
            return Err(FilterError::State {
                state: value.to_owned(),
            });
        }
        Ok(Self { key, pattern })
    }
}

/// Returns whether a run matches all filters. Of filters with the same key, one match is enough.
pub fn matches_all(filters: &[Filter], run: &RunSummary) -> bool {
    filters.iter().all(|filter| {
        let value = filter.key.of(run);
        let mut same = filters.iter().filter(|other| other.key == filter.key);
        same.any(|other| other.pattern.matches(&value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn meant(filters: &[&str]) -> String {
        let filters: Vec<Filter> = filters.iter().map(|text| text.parse().unwrap()).collect();
        [
            ("a", RunState::Crashed, Some("cifar10"), "resnet20", Some(1)),
            (
                "b",
                RunState::Finished,
                Some("cifar100"),
                "ResNet56",
                Some(2),
            ),
            ("c", RunState::Failed, None, "plain20", None),
        ]
        .into_iter()
        .filter(|&(name, state, data, model, seed)| {
            let run = RunSummary {
                data: data.map(str::to_owned),
                model: Some(model.to_owned()),
                seed,
                ..RunSummary::empty(name.to_owned(), Path::new(name), state)
            };
            matches_all(&filters, &run)
        })
        .map(|(name, ..)| name)
        .collect()
    }

    #[test]
    fn filter_values_match_exactly_or_by_wildcard() {
        for (filters, names) in [
            (&[][..], "abc"),
            (&["data=cifar10"], "a"),
            (&["data=cifar10*"], "ab"),
            (&["data="], "c"),
            (&["data=?*"], "ab"),
            (&["model=resnet*"], "ab"),
            (&["model=*20"], "ac"),
            (&["seed=2"], "b"),
            (&["state=crashed"], "a"),
            (&["state=Crashed", "state=failed"], "ac"),
            (&["state=crashed", "state=failed", "model=plain*"], "c"),
            (&["state=f*", "name=a"], ""),
        ] {
            assert_eq!(meant(filters), names, "{filters:?}");
        }
    }

    #[test]
    fn errors_list_known_values() {
        let error = |text: &str| text.parse::<Filter>().unwrap_err().to_string();
        let all = ["crashed", "speed=1", "state=broken\u{7}"]
            .map(error)
            .join("\n");
        insta::assert_snapshot!(all, @r"
        `crashed` is not a filter: write KEY=VALUE, such as model=resnet*
        cannot filter runs by `speed`, known keys are name, state, data, model, device, seed
        unknown state `broken\u{7}`, known states are running, crashed, failed, stopped, finished, unknown, unreadable
        ");
    }
}
