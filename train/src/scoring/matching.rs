//! Matching the classes of a data set to those of a model.

use std::collections::HashSet;

use data::{ClassIndex, Source};
use serde::Serialize;

use crate::error::TrainError;

/// Number of classes that a message names before "and N more".
const SHOWN: usize = 3;

/// How the classes of a data set and of a model are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// By equal names.
    Name,
    /// By position, if the names of one side are only numbers.
    #[serde(rename = "place")]
    Position,
}

/// Class index of the model for each class of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matching {
    pub classes: Vec<usize>,
    pub by: MatchedBy,
}

/// Class names and the data set they belong to: a [`Source`] as text, or a description in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Classes<'a> {
    pub names: &'a [String],
    pub data: &'a str,
}

impl Classes<'_> {
    /// Returns whether the names are only numbers for positions. Digits as names in a published data set describe the
    /// images instead.
    fn are_numbered(&self) -> bool {
        let source = self.data.parse::<Source>();
        let is_published = source.is_ok_and(|source| !matches!(source, Source::Folder(_)));
        !is_published && self.names.iter().all(|name| number(name).is_some())
    }

    /// Returns the class indices in order, with numbers sorted by value: folders are listed as `1`, `10`, `2`.
    fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        if self.are_numbered() {
            order.sort_by_key(|&index| number(&self.names[index]));
        }
        order
    }
}

/// Matches classes by name, or by position if the sides have no name in common and the names of one side are only
/// numbers: ImageNet's folders have numbers, and its classes have names.
pub(crate) fn matching(data: Classes<'_>, model: Classes<'_>) -> Result<Matching, TrainError> {
    let index = ClassIndex::new(model.names);
    let exact = data.names.iter().map(|name| index.exact(name));
    let places: Vec<Option<usize>> = exact.collect();
    let named: Option<Vec<usize>> = places.iter().copied().collect();
    // File systems change the case and Unicode normalization of names.
    let alike: Option<Vec<usize>> = data.names.iter().map(|name| index.place(name)).collect();
    let is_distinct =
        |places: &Vec<usize>| places.iter().collect::<HashSet<_>>().len() == places.len();
    if let Some(classes) = named.or(alike.filter(is_distinct)) {
        return Ok(Matching {
            classes,
            by: MatchedBy::Name,
        });
    }
    let as_many = data.names.len() == model.names.len();
    let is_numbered = data.are_numbered() || model.are_numbered();
    if as_many && is_numbered && places.iter().all(Option::is_none) {
        let mut pairs: Vec<_> = data.in_order().into_iter().zip(model.in_order()).collect();
        pairs.sort_unstable();
        return Ok(Matching {
            classes: pairs.into_iter().map(|(_, class)| class).collect(),
            by: MatchedBy::Position,
        });
    }
    let names = data.names.iter().zip(places);
    let unknown = names.filter_map(|(name, place)| place.is_none().then_some(name));
    Err(TrainError::UnknownClasses {
        data: data.data.to_owned(),
        unknown: some(unknown),
        known: some(model.names.iter()),
    })
}

/// Returns the number in a name that is only a number: `7`, `n01440764` as in ImageNet's folders, which are named after
/// WordNet synsets, or `class 7` as in weights without class names.
fn number(name: &str) -> Option<u64> {
    let synset = name.strip_prefix('n').filter(|digits| digits.len() == 8);
    let digits = synset.or_else(|| name.strip_prefix("class "));
    let digits = digits.unwrap_or(name);
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    }
}

/// Returns the first few names, quoted.
fn some<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let shown = quoted[..quoted.len().min(SHOWN)].join(", ");
    match quoted.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    fn of(data: (&str, &str), model: (&str, &str)) -> Result<Matching, TrainError> {
        let (data_names, model_names) = (names(data.1), names(model.1));
        matching(
            Classes {
                names: &data_names,
                data: data.0,
            },
            Classes {
                names: &model_names,
                data: model.0,
            },
        )
    }

    #[test]
    fn names_take_precedence_over_positions() {
        let Matching { classes, by } =
            of(("folder:a", "cat ant"), ("folder:b", "ant bee cat")).unwrap();
        assert_eq!((classes, by), (vec![2, 0], MatchedBy::Name));
    }

    #[test]
    fn case_and_normalization_of_names_may_differ() {
        let Matching { classes, by } = of(
            ("folder:a", "cat cafe\u{301}"),
            ("folder:b", "caf\u{e9} Cat"),
        )
        .unwrap();
        assert_eq!((classes, by), (vec![1, 0], MatchedBy::Name));
        let exact = of(("folder:a", "a A"), ("folder:b", "A a")).unwrap();
        assert_eq!(exact.classes, [1, 0]);
        for (data, model) in [("cat CAT", "Cat dog"), ("cAt dog", "cat Cat dog")] {
            assert!(
                of(("folder:a", data), ("folder:b", model)).is_err(),
                "{data}"
            );
        }
    }

    #[test]
    fn numeric_names_are_positions() {
        for (data, model, classes) in [
            ("n01440764 n01443537", "tench goldfish", [0, 1]),
            ("1 2", "ant bee", [0, 1]),
            ("10 9", "ant bee", [1, 0]),
            ("ant bee", "10 9", [1, 0]),
            ("00 01", "0 1", [0, 1]),
        ] {
            let matching = of(("folder:a", data), ("ImageNet's classes", model)).unwrap();
            assert_eq!(matching.classes, classes, "{data}, {model}");
            assert_eq!(matching.by, MatchedBy::Position, "{data}, {model}");
        }
        let nameless = ["class 0", "class 1"].map(str::to_owned);
        let named = names("ant bee");
        let matching = matching(
            Classes {
                names: &named,
                data: "cifar10",
            },
            Classes {
                names: &nameless,
                data: "classes without names",
            },
        );
        assert_eq!(matching.unwrap().by, MatchedBy::Position);
    }

    #[test]
    fn different_names_are_different_classes() {
        for (data, model) in [
            (("folder:a", "cat dog"), ("folder:b", "ant bee")),
            (("folder:a", "ant cat"), ("folder:b", "ant bee")),
            (("folder:a", "1 2"), ("folder:b", "ant bee cat")),
            (("folder:a", "1 2"), ("folder:b", "0 1")),
            (("mnist", "0 1"), ("fashion-mnist", "Trouser Coat")),
            (("fashion-mnist", "Trouser Coat"), ("mnist", "0 1")),
        ] {
            assert!(of(data, model).is_err(), "{data:?}, {model:?}");
        }
        let error = of(("mnist", "0 1 2 3 4"), ("sample", "Bag Coat")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "of the classes of mnist, the model does not know `0`, `1`, `2` and 2 more; it knows `Bag`, `Coat`"
        );
        assert!(error.hint().is_some());
    }
}
