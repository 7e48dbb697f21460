//! Tensors in which a file differs from a network.

use std::fmt;

use weights::{Entry, TensorInfo, TensorKind, shown};

/// Number of tensors that a message names before it says "and N more".
const NAMED: usize = 3;
/// Maximum number of characters in a message before it is cut in the middle.
const LONGEST: usize = 290;
/// Number of characters in "and N more".
const MORE: usize = 20;

/// All tensors in which a file differs from a network; the message shows the first few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences(pub Vec<Difference>);

/// A tensor in which a file differs from a network, named as in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The file lacks the tensor.
    Missing {
        /// Its name.
        name: String,
        /// The shape in the network.
        shape: Vec<usize>,
    },
    /// The network has no tensor of this name.
    Extra {
        /// Its name.
        name: String,
        /// The shape in the file.
        shape: Vec<usize>,
    },
    /// The shapes differ.
    Shape {
        /// Its name.
        name: String,
        /// The shape in the file.
        found: Vec<usize>,
        /// The shape in the network.
        expected: Vec<usize>,
    },
    /// The tensor holds integers.
    Integers {
        /// Its name.
        name: String,
    },
    /// The tensor has a type that cannot be read.
    Unread {
        /// Its name.
        name: String,
        /// The type, for example `of complex64`.
        reason: String,
    },
}

/// What a file stores under a name.
pub(crate) enum Held<'a> {
    Nothing,
    Unread(&'a str),
    Integers(&'a [usize]),
    Floats(&'a [usize]),
}

impl<'a> From<Option<&'a TensorInfo>> for Held<'a> {
    fn from(tensor: Option<&'a TensorInfo>) -> Self {
        let Some(tensor) = tensor else {
            return Self::Nothing;
        };
        match (&tensor.unread, tensor.shape.as_deref(), tensor.kind) {
            (Some(reason), ..) => Self::Unread(reason),
            (None, Some(shape), TensorKind::Float) => Self::Floats(shape),
            (None, shape, _) => Self::Integers(shape.unwrap_or_default()),
        }
    }
}

impl<'a> From<Option<&'a Entry>> for Held<'a> {
    fn from(entry: Option<&'a Entry>) -> Self {
        match entry {
            None => Self::Nothing,
            Some(Entry::Float(tensor)) => Self::Floats(tensor.shape()),
            Some(Entry::Integer(tensor)) => Self::Integers(tensor.shape()),
        }
    }
}

impl Difference {
    /// Returns how a tensor differs from floats of the expected shape, if it does.
    pub(crate) fn of(name: &str, expected: &[usize], held: Held<'_>) -> Option<Self> {
        let name = name.to_owned();
        Some(match held {
            Held::Nothing => Self::Missing {
                name,
                shape: expected.to_vec(),
            },
            Held::Unread(reason) => Self::Unread {
                name,
                reason: reason.to_owned(),
            },
            Held::Integers(found) | Held::Floats(found) if found != expected => Self::Shape {
                name,
                found: found.to_vec(),
                expected: expected.to_vec(),
            },
            Held::Integers(_) => Self::Integers { name },
            Held::Floats(_) => return None,
        })
    }
}

impl Differences {
    /// Returns a message of `start` and the first few differences.
    pub(crate) fn after(&self, start: &str) -> String {
        format!("{start}{}", summary(&self.0, start.chars().count()))
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&summary(&self.0, 0))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, shape } => {
                write!(formatter, "`{}` {} is missing", shown(name), sizes(shape))
            }
            Self::Extra { name, shape } => {
                write!(
                    formatter,
                    "`{}` {} is not part of it",
                    shown(name),
                    sizes(shape)
                )
            }
            Self::Shape {
                name,
                found,
                expected,
            } => write!(
                formatter,
                "`{}` is {} instead of {}",
                shown(name),
                sizes(found),
                sizes(expected)
            ),
            Self::Integers { name } => {
                write!(formatter, "`{}` holds whole numbers", shown(name))
            }
            Self::Unread { name, reason } => write!(
                formatter,
                "`{}` cannot be read, because it is {}",
                shown(name),
                shown(reason)
            ),
        }
    }
}

/// Summarizes differences: the first few, at least one, and the number of the others. The result
/// fits into a message with `taken` characters already used.
pub(crate) fn summary(differences: &[impl ToString], taken: usize) -> String {
    let room = LONGEST.saturating_sub(taken + MORE);
    let mut named: Vec<String> = Vec::new();
    let mut characters = 0;
    for difference in differences.iter().take(NAMED) {
        let text = difference.to_string();
        characters += text.chars().count() + 2;
        if characters > room && !named.is_empty() {
            break;
        }
        named.push(text);
    }
    let more = differences.len() - named.len();
    let named = named.join(", ");
    match more {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

/// Formats a shape. A shape from a file may have any number of dimensions.
pub(crate) fn sizes(shape: &[usize]) -> String {
    match shape.len() {
        0..=8 => format!("{shape:?}"),
        dimensions => format!("of {dimensions} dimensions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named() {
        let difference = |held| Difference::of("w", &[2], held).map(|found| found.to_string());
        for (held, expected) in [
            (Held::Nothing, "`w` [2] is missing"),
            (Held::Floats(&[3]), "`w` is [3] instead of [2]"),
            (Held::Integers(&[2]), "`w` holds whole numbers"),
            (
                Held::Unread("of complex64"),
                "`w` cannot be read, because it is of complex64",
            ),
        ] {
            assert_eq!(difference(held).as_deref(), Some(expected));
        }
        assert_eq!(difference(Held::Floats(&[2])), None);
    }

    #[test]
    fn long_difference_lists_are_truncated() {
        let differences = ["a".repeat(100), "b".repeat(100), "c".to_owned()];
        let text = summary(&differences, 100);
        assert_eq!(text, format!("{}, and 2 more", differences[0]));
        assert_eq!(summary(&["a", "b", "c", "d"], 0), "a, b, c, and 1 more");
        assert_eq!(summary(&["a"], 1000), "a");
    }
}
