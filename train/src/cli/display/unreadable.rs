//! Warnings about unreadable images and other files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use data::{DataSet, Flaw, FlawedImages, PassedOver, Reading, Unreadable};
use files::{printable, shown_path, without_number};

use command_line::voice::{talk, warn};

/// Maximum number of images named on the terminal.
const NAMED: usize = 3;

/// Reports each image once.
pub(crate) struct UnreadableNews {
    unreadable: Unreadable,
    flawed: FlawedImages,
    told: HashSet<PathBuf>,
    told_flawed: HashSet<PathBuf>,
}

impl UnreadableNews {
    pub(crate) fn new(data: &DataSet) -> Self {
        Self {
            unreadable: data.unreadable.clone(),
            flawed: data.flawed.clone(),
            told: HashSet::new(),
            told_flawed: HashSet::new(),
        }
    }

    /// Returns lines about images found since the last call; the log receives all of them.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        self.unreadable_line()
            .into_iter()
            .chain(self.flawed_line())
            .collect()
    }

    fn unreadable_line(&mut self) -> Option<String> {
        if self.unreadable.count() == self.told.len() {
            return None;
        }
        let mut names = Vec::new();
        for (path, error) in self.unreadable.list() {
            if self.told.insert(path.clone()) {
                let reason = without_number(&error.to_string());
                log::warn!("{}; it is skipped", printable(&reason));
                names.push(printable(&shown_path(&path)).into_owned());
            }
        }
        Some(format!(
            "warning: {} of {} images cannot be read and are skipped, among them {}",
            self.unreadable.count(),
            self.unreadable.total(),
            first(names)
        ))
    }

    fn flawed_line(&mut self) -> Option<String> {
        if self.flawed.count() == self.told_flawed.len() {
            return None;
        }
        let mut names = Vec::new();
        for (path, flaw) in self.flawed.list() {
            if self.told_flawed.insert(path.clone()) {
                log::warn!("{}", printable(&flawed(&path, flaw)));
                names.push(printable(&shown_path(&path)).into_owned());
            }
        }
        Some(format!(
            "warning: {} of {} images are used although their files are damaged, among them {}",
            self.flawed.count(),
            self.unreadable.total(),
            first(names)
        ))
    }
}

/// Returns the first names and the number of others.
fn first(mut names: Vec<String>) -> String {
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names.truncate(NAMED);
    format!("{}{more}", names.join(", "))
}

fn flawed(path: &Path, flaw: Flaw) -> String {
    format!("the image {} is used, but {flaw}", shown_path(path))
}

/// Returns the flaw of each damaged file that can still be read.
pub(crate) fn flaws(found: &FlawedImages) -> Vec<String> {
    let list = found.list();
    list.iter()
        .map(|(path, flaw)| flawed(path, *flaw))
        .collect()
}

/// Returns the problem of each unreadable image.
pub(crate) fn reasons(unreadable: &Unreadable) -> Vec<String> {
    let list = unreadable.list();
    list.iter()
        .map(|(_, error)| without_number(&error.to_string()))
        .collect()
}

/// Prints how a folder of images was interpreted.
pub(crate) fn tell_reading(reading: &Reading) {
    for note in &reading.notes {
        talk(&format!("layout: {}", printable(note)));
    }
    for warning in &reading.warnings {
        warn(&format!("warning: {}", printable(warning)));
    }
}

/// Returns a line about other content of class folders, if there is any.
pub(crate) fn passed_over(found: &PassedOver) -> Option<String> {
    (!found.is_empty()).then(|| format!("warning: {}", printable(&found.to_string())))
}
