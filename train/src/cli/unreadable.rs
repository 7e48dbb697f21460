//! What the user is told of pictures that cannot be read, and of what is none.

use std::collections::HashSet;
use std::path::PathBuf;

use data::{PassedOver, Reading, Unreadable};
use files::{printable, without_number};

use super::voice::{talk, warn};

/// How many pictures are named on the terminal.
const NAMED: usize = 3;

/// Tells of each picture once.
pub(crate) struct UnreadableNews {
    unreadable: Unreadable,
    told: HashSet<PathBuf>,
}

impl UnreadableNews {
    pub(crate) fn new(unreadable: &Unreadable) -> Self {
        Self {
            unreadable: unreadable.clone(),
            told: HashSet::new(),
        }
    }

    /// A line on the pictures found since the last call, if there are any; the log gets all of them.
    pub(crate) fn line(&mut self) -> Option<String> {
        if self.unreadable.count() == self.told.len() {
            return None;
        }
        let mut names = Vec::new();
        for (path, error) in self.unreadable.list() {
            if self.told.insert(path.clone()) {
                let reason = without_number(&error.to_string());
                log::warn!("{}; it is passed over", printable(&reason));
                names.push(printable(&path.display().to_string()).into_owned());
            }
        }
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        names.truncate(NAMED);
        Some(format!(
            "warning: {} of {} pictures cannot be read and are passed over, among them {}{more}",
            self.unreadable.count(),
            self.unreadable.total(),
            names.join(", ")
        ))
    }
}

/// What is wrong with each picture that cannot be read.
pub(crate) fn reasons(unreadable: &Unreadable) -> Vec<String> {
    let list = unreadable.list();
    list.iter()
        .map(|(_, error)| without_number(&error.to_string()))
        .collect()
}

/// Says what the images of a folder were read as.
pub(crate) fn tell_reading(reading: &Reading) {
    for note in &reading.notes {
        talk(&format!("layout: {}", printable(note)));
    }
    for warning in &reading.warnings {
        warn(&format!("warning: {}", printable(warning)));
    }
}

/// A line on what class folders hold besides pictures, if there is anything.
pub(crate) fn passed_over(found: &PassedOver) -> Option<String> {
    (!found.is_empty()).then(|| format!("warning: {}", printable(&found.to_string())))
}
