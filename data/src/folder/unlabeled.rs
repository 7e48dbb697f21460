//! Parts with their images in one folder and their labels in a file.

use std::path::{Path, PathBuf};

use files::printable;

use super::index::{FileIndex, Named};
use super::listing::ImageFile;
use super::names::ClassIndex;
use super::parts::Role;
use super::table::{LABEL, Row, Table};
use super::tree::{Contents, below};
use crate::error::DataError;

/// Extensions of label files, in lower case.
const ENDINGS: [&str; 3] = ["txt", "csv", "tsv"];
/// Substrings of the names of label files, in lower case, if they are next to other parts.
const OF_LABELS: [&str; 4] = ["label", "annotation", "solution", "ground_truth"];
/// Substrings of the names of files that look like labels but are not.
const NO_LABELS: [&str; 2] = ["sample", "submission"];
/// One in this many images may lack a label.
const ONE_IN: usize = 100;

/// Images with labels from a file.
pub(super) struct Labeled {
    pub files: Vec<ImageFile>,
    pub table: PathBuf,
    /// Name of the table's column of labels.
    pub column: String,
    /// Number of images without a label.
    pub missing: usize,
}

/// Labels the images of a folder from the only file that has a label for nearly all of them.
/// Otherwise returns the reason, as the end of a sentence.
pub(super) fn labeled(
    root: &Path,
    part: &Path,
    images: &Path,
    role: Role,
    classes: &ClassIndex,
) -> Result<Result<Labeled, String>, DataError> {
    let files = Contents::of(images)?.images;
    let index = FileIndex::new(images, &files);
    let mut found: Option<Labeled> = None;
    let mut reason = String::new();
    for table in candidates(root, part, images, role)? {
        match read(&table, &files, &index, classes) {
            Err(why) => {
                let name = below(root, &table);
                reason = format!(": {} does not have them, because {why}", printable(&name));
            }
            Ok(labeled) => match &found {
                Some(earlier) if !is_same(&earlier.files, &labeled.files) => {
                    let tables = [&earlier.table, &labeled.table].map(|table| below(root, table));
                    return Ok(Err(format!(": {} and {} differ", tables[0], tables[1])));
                }
                Some(_) => {}
                None => found = Some(labeled),
            },
        }
    }
    Ok(found.ok_or(reason))
}

fn is_same(one: &[ImageFile], other: &[ImageFile]) -> bool {
    let pairs = |files: &[ImageFile]| -> Vec<(PathBuf, u32)> {
        let pairs = files.iter().map(|file| (file.path.clone(), file.label));
        pairs.collect()
    };
    pairs(one) == pairs(other)
}

/// Returns possible label files, the closest to the images first.
fn candidates(
    root: &Path,
    part: &Path,
    images: &Path,
    role: Role,
) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    for folder in images
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
    {
        let is_inside = folder.starts_with(part);
        found.extend(Contents::of(folder)?.others.into_iter().filter(|file| {
            let lower = |part: Option<&std::ffi::OsStr>| {
                part.map(|part| part.to_string_lossy().to_lowercase())
                    .unwrap_or_default()
            };
            let (name, ending) = (lower(file.file_stem()), lower(file.extension()));
            let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
            let (own, other) = match role {
                Role::Test => ("test", ["train", "val"]),
                _ => ("val", ["train", "test"]),
            };
            ENDINGS.contains(&ending.as_str())
                && !has(&NO_LABELS)
                && (has(&[own]) || !has(&other))
                && (is_inside || has(&[own]) || has(&OF_LABELS))
        }));
    }
    Ok(found)
}

/// Returns the labels of images in a table, if nearly all images have one.
fn read(
    path: &Path,
    files: &[PathBuf],
    index: &FileIndex<'_>,
    classes: &ClassIndex,
) -> Result<Labeled, String> {
    let table = Table::read(path, index)?;
    let class = |cell: &String| {
        // `n03995372 85 1 499 272` is a class and a box.
        let first = || classes.place(cell.split_whitespace().next()?);
        classes.place(cell).or_else(first)
    };
    let column = label_column(&table, &class)?;
    let mut labels: Vec<Option<u32>> = vec![None; files.len()];
    for row in &table.rows {
        let Named::One(file) = row
            .cells
            .get(table.file)
            .map_or(Named::Nothing, |cell| index.find(cell))
        else {
            continue; // possibly of another part
        };
        let label = row
            .cells
            .get(column)
            .and_then(class)
            .map(|label| label as u32);
        if labels[file].is_some() && labels[file] != label {
            return Err(format!("line {} gives an image a second label", row.line));
        }
        labels[file] = label;
    }
    let missing = labels.iter().filter(|label| label.is_none()).count();
    if missing > files.len() / ONE_IN {
        return Err(format!(
            "{missing} of {} images have no label there",
            files.len()
        ));
    }
    let mut files: Vec<ImageFile> = files
        .iter()
        .zip(labels)
        .filter_map(|(path, label)| {
            Some(ImageFile {
                path: path.clone(),
                label: label?,
            })
        })
        .collect();
    files.sort_by_key(|file| file.label);
    Ok(Labeled {
        files,
        table: path.to_owned(),
        column: table.name(column),
        missing,
    })
}

/// Returns the column of labels, which holds only classes: by name, or the only one.
fn label_column(table: &Table, class: &dyn Fn(&String) -> Option<usize>) -> Result<usize, String> {
    let is_of_classes = |&column: &usize| {
        let mut cells = table.rows.iter().map(|row| row.cells.get(column));
        cells.all(|cell| cell.is_some_and(|cell| class(cell).is_some()))
    };
    if let Some(column) = table.named(&LABEL).filter(is_of_classes) {
        return Ok(column);
    }
    let columns = (0..table.columns()).filter(|&column| column != table.file);
    let columns: Vec<usize> = columns.filter(is_of_classes).collect();
    let Some((&first, others)) = columns.split_first() else {
        return Err("no column has only classes of the training part".to_owned());
    };
    let label = |row: &Row, column: usize| row.cells.get(column).and_then(class);
    let differs = |&other: &usize| {
        let mut rows = table.rows.iter();
        rows.any(|row| label(row, first) != label(row, other))
    };
    match others.iter().copied().find(differs) {
        Some(other) => Err(format!(
            "its columns {} and {} may both be labels: name one of them `label`",
            table.name(first),
            table.name(other)
        )),
        None => Ok(first),
    }
}
