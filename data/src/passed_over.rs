//! Other content of class folders.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, FileType};
use std::path::Path;

use serde::Serialize;

/// Maximum number of extensions listed.
const NAMED: usize = 4;
/// Files created by operating systems, in lower case.
const OF_THE_SYSTEM: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// Content of class folders that is not an image. Hidden files are not counted.
///
/// Displays as a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Number of files without an image extension, by extension in lower case; the empty key counts
    /// files without an extension.
    pub files: BTreeMap<String, usize>,
    /// Number of folders.
    pub folders: usize,
    /// Number of pipes, sockets and devices.
    pub others: usize,
}

impl PassedOver {
    /// Returns whether nothing was skipped.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders == 0 && self.others == 0
    }

    pub(crate) fn add(&mut self, path: &Path) {
        let lower = |part: &std::ffi::OsStr| part.to_string_lossy().to_lowercase();
        let kind = fs::metadata(path).map(|metadata| metadata.file_type());
        if kind.as_ref().is_ok_and(FileType::is_dir) {
            self.folders += 1;
        } else if kind.is_ok_and(|kind| !kind.is_file()) {
            self.others += 1;
        } else if !OF_THE_SYSTEM.contains(&path.file_name().map(lower).unwrap_or_default().as_str())
        {
            let ending = path.extension().map(lower).unwrap_or_default();
            *self.files.entry(ending).or_default() += 1;
        }
    }

    /// Describes the most frequent extensions with their counts, and the count of the rest.
    fn endings(&self) -> String {
        let mut endings: Vec<(&String, usize)> = self
            .files
            .iter()
            .map(|(ending, &count)| (ending, count))
            .collect();
        endings.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let others: usize = endings.iter().skip(NAMED).map(|(_, count)| count).sum();
        let named = endings
            .iter()
            .take(NAMED)
            .map(|(ending, count)| match ending.is_empty() {
                true => format!("none {count}"),
                false => format!(".{ending} {count}"),
            });
        let others = (others > 0).then(|| format!("others {others}"));
        named.chain(others).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match self.files.values().sum::<usize>() {
            0 => String::new(),
            1 => format!("1 file was skipped for its ending: {}", self.endings()),
            count => format!(
                "{count} files were skipped for their endings: {}",
                self.endings()
            ),
        };
        let folders = match self.folders {
            0 => String::new(),
            1 => "1 folder in a class folder was skipped".to_owned(),
            count => format!("{count} folders in class folders were skipped"),
        };
        let others = match self.others {
            0 => String::new(),
            1 => "1 pipe, socket or device was skipped".to_owned(),
            count => format!("{count} pipes, sockets or devices were skipped"),
        };
        let found = [files, folders, others].into_iter();
        let found: Vec<String> = found.filter(|part| !part.is_empty()).collect();
        formatter.write_str(&found.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_listed_by_frequency() {
        let mut passed_over = PassedOver::default();
        assert!(passed_over.is_empty());
        for name in ["Thumbs.db", "desktop.ini"] {
            passed_over.add(Path::new(name));
        }
        assert!(passed_over.is_empty());
        passed_over.add(Path::new("a.gif"));
        assert_eq!(
            passed_over.to_string(),
            "1 file was skipped for its ending: .gif 1"
        );
        for name in ["b.TIF", "c.tif", "d.txt", "readme", "e.xml", "f.heic"] {
            passed_over.add(Path::new(name));
        }
        passed_over.folders = 2;
        assert_eq!(
            passed_over.to_string(),
            "7 files were skipped for their endings: .tif 2, none 1, .gif 1, .heic 1, others 2; \
             2 folders in class folders were skipped"
        );
        passed_over.files.clear();
        passed_over.others = 1;
        assert_eq!(
            passed_over.to_string(),
            "2 folders in class folders were skipped; 1 pipe, socket or device was skipped"
        );
    }
}
