//! Warnings about images that cannot be read, and about other files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use data::{DataSet, Flaw, FlawedImages, PassedOver, Reading, Unreadable};
use files::{printable, shown_path, without_number};

use command_line::voice::{talk, warn};

/// How many images are named on the terminal.
const NAMED: usize = 3;

/// Tells of each image once.
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

    /// Lines on the images found since the last call, if there are any; the log gets all of them.
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

/// The first names, and how many more there are.
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

/// What is wrong with the file of each image that can be read nevertheless.
pub(crate) fn flaws(found: &FlawedImages) -> Vec<String> {
    let list = found.list();
    list.iter()
        .map(|(path, flaw)| flawed(path, *flaw))
        .collect()
}

/// What is wrong with each image that cannot be read.
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

/// A line on what class folders hold besides images, if there is anything.
pub(crate) fn passed_over(found: &PassedOver) -> Option<String> {
    (!found.is_empty()).then(|| format!("warning: {}", printable(&found.to_string())))
}
