//! Images with labels from a table that the user specifies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::index::{FileIndex, Named};
use super::listing::{ImageFile, Listing, split_off_test};
use super::names;
use super::parts::Role;
use super::table::{LABEL, Row, SPLIT, Table};
use super::tree::{all_images, below, in_words};
use crate::error::{DataError, quoted};
use crate::passed_over::PassedOver;
use crate::set::Reading;

/// Additional values for a column of parts, in lower case.
const OTHER_PARTS: [(&str, Role); 5] = [
    ("training", Role::Train),
    ("dev", Role::Validation),
    ("eval", Role::Validation),
    ("testing", Role::Test),
    ("holdout", Role::Test),
];
/// One in this many rows may name a missing file.
const ONE_IN: usize = 100;

/// An image with the content of its row.
struct Labeled {
    path: PathBuf,
    label: String,
    role: Option<Role>,
}

/// Lists the images below a folder that have labels in a table.
pub(super) fn list(root: &Path, table: &Path, seed: u64) -> Result<Listing, DataError> {
    let path = place(root, table);
    let refuse = |reason: String| DataError::Labels {
        path: path.clone(),
        reason,
    };
    let mut reading = Reading::default();
    let files = all_images(root)?;
    if files.is_empty() {
        let found = in_words(root);
        return Err(DataError::NoImages {
            path: root.to_owned(),
            found,
        });
    }
    let images = labeled(root, &path, &files, &mut reading).map_err(refuse)?;
    let names: BTreeSet<&String> = images.iter().map(|image| &image.label).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    names::check(&names, &path, &mut reading)?;
    let label = |image: &Labeled| names.binary_search(&image.label).unwrap_or_default() as u32;
    let part = |role: Role| -> Vec<ImageFile> {
        let images = images.iter();
        let mut files: Vec<ImageFile> = images
            .filter(|image| image.role.unwrap_or(Role::Train) == role)
            .map(|image| ImageFile {
                path: image.path.clone(),
                label: label(image),
            })
            .collect();
        files.sort_by(|one, other| (one.label, &one.path).cmp(&(other.label, &other.path)));
        files
    };
    let [train, validation, test] = [Role::Train, Role::Validation, Role::Test].map(part);
    let count = |label: u32| train.iter().filter(|file| file.label == label).count();
    let counts: Vec<usize> = (0..names.len() as u32).map(count).collect();
    let least = |least| {
        let place = counts.iter().position(|&count| count < least)?;
        Some(quoted(&names[place]))
    };
    if names.len() < 2 {
        return Err(refuse(format!(
            "it has a single class, {}: expected two or more",
            names.first().map(|name| quoted(name)).unwrap_or_default()
        )));
    }
    if let Some(class) = least(1) {
        return Err(refuse(format!(
            "no row of the training part has the class {class}"
        )));
    }
    let some = |files: Vec<ImageFile>| (!files.is_empty()).then_some(files);
    let (mut validation, mut test) = (some(validation), some(test));
    if test.is_none() {
        test = validation.take();
        if test.is_some() {
            reading.note("the validation part is used for the test".to_owned());
        }
    }
    let test_is_split_off = test.is_none();
    let (train, test) = match test {
        Some(test) => (train, test),
        None => {
            if let Some(class) = least(2) {
                return Err(refuse(format!(
                    "the class {class} has a single image: expected two or more, one of them for the test"
                )));
            }
            split_off_test(train, seed)?
        }
    };
    Ok(Listing {
        class_names: names,
        train,
        validation,
        test,
        test_is_split_off,
        passed_over: PassedOver::default(),
        reading,
    })
}

/// Returns the path of the table: as given, or relative to the folder of images.
fn place(root: &Path, table: &Path) -> PathBuf {
    match table.is_relative() && !table.exists() {
        true => root.join(table),
        false => table.to_owned(),
    }
}

/// Returns the rows of a table with the files they name.
fn labeled(
    root: &Path,
    path: &Path,
    files: &[PathBuf],
    reading: &mut Reading,
) -> Result<Vec<Labeled>, String> {
    let index = FileIndex::new(root, files);
    let table = Table::read(path, &index)?;
    let split = split_column(&table);
    let label = label_column(&table, split)?;
    let mut found: Vec<Option<(Labeled, u64)>> = Vec::new();
    found.resize_with(files.len(), || None);
    let (mut missing, mut repeated) = (Vec::new(), 0);
    for row in &table.rows {
        let line = row.line;
        let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
        let file = match index.find(cell(table.file)) {
            Named::One(file) => file,
            Named::Several => {
                let name = quoted(cell(table.file));
                return Err(format!(
                    "line {line} names {name}, but several files have that name"
                ));
            }
            Named::Nothing => {
                missing.push(row);
                continue;
            }
        };
        if cell(label).is_empty() {
            return Err(format!("line {line} has no label in {}", table.name(label)));
        }
        let role = match split {
            Some(column) => Some(role(cell(column)).ok_or_else(|| {
                format!(
                    "line {line} has {} in {}: expected train, val or test",
                    quoted(cell(column)),
                    table.name(column)
                )
            })?),
            None => None,
        };
        match &found[file] {
            Some((earlier, first)) if earlier.label != cell(label) || earlier.role != role => {
                return Err(format!(
                    "lines {first} and {line} disagree about {}",
                    quoted(cell(table.file))
                ));
            }
            Some(_) => repeated += 1,
            None => {
                let labeled = Labeled {
                    path: files[file].clone(),
                    label: cell(label).to_owned(),
                    role,
                };
                found[file] = Some((labeled, line));
            }
        }
    }
    tell_missing(&table, &missing, reading)?;
    let without = found.iter().filter(|found| found.is_none()).count();
    let mut images: Vec<Labeled> = found
        .into_iter()
        .flatten()
        .map(|(image, _)| image)
        .collect();
    let columns = match split {
        Some(column) => format!(", parts from {}", table.name(column)),
        None => parts_by_folder(root, &mut images),
    };
    reading.note(format!(
        "labels of {} images are from {} of {}, their file names from {}{columns}",
        images.len(),
        table.name(label),
        quoted(&below(root, path)),
        table.name(table.file)
    ));
    if repeated > 0 {
        let rows = if repeated == 1 { "row" } else { "rows" };
        reading
            .warnings
            .push(format!("{repeated} {rows} of the labels repeat another"));
    }
    if without > 0 {
        reading.warnings.push(format!(
            "{without} of {} images have no label and are skipped",
            files.len()
        ));
    }
    Ok(images)
}

/// Warns of rows with missing files, or returns an error if there are too many.
fn tell_missing(table: &Table, missing: &[&Row], reading: &mut Reading) -> Result<(), String> {
    let Some(first) = missing.first() else {
        return Ok(());
    };
    let name = first.cells.get(table.file).map_or("", String::as_str);
    let text = format!(
        "{} of {} rows name missing files, the first in line {}: {}",
        missing.len(),
        table.rows.len(),
        first.line,
        quoted(name)
    );
    if missing.len() > table.rows.len() / ONE_IN {
        return Err(text);
    }
    reading.warnings.push(format!("{text}; they are skipped"));
    Ok(())
}

/// Sets the part of each image by the first folder of its path, if all images are in folders of
/// parts; returns a note that says so.
fn parts_by_folder(root: &Path, images: &mut [Labeled]) -> String {
    let role = |image: &Labeled| {
        let path = image.path.strip_prefix(root).ok()?;
        let folder = path.parent()?.iter().next()?;
        Role::of(folder.to_str()?)
    };
    let roles: Option<Vec<Role>> = images.iter().map(role).collect();
    let Some(roles) = roles.filter(|roles| roles.contains(&Role::Train)) else {
        return String::new();
    };
    for (image, role) in images.iter_mut().zip(roles) {
        image.role = Some(role);
    }
    ", parts by folder".to_owned()
}

fn role(cell: &str) -> Option<Role> {
    let lower = cell.to_lowercase();
    let other = OTHER_PARTS.into_iter().find(|(name, _)| *name == lower);
    Role::of(cell).or(other.map(|(_, role)| role))
}

/// Returns the column of parts: by name or, without a header, the only column that holds nothing
/// else.
fn split_column(table: &Table) -> Option<usize> {
    let is_of_parts = |column: usize| {
        let mut cells = table.rows.iter().map(|row| row.cells.get(column));
        cells.all(|cell| cell.is_some_and(|cell| role(cell).is_some()))
    };
    let named = table.named(&SPLIT);
    if named.is_some() || table.columns() < 3 {
        return named;
    }
    let mut others = (0..table.columns()).filter(|&column| column != table.file);
    others.find(|&column| is_of_parts(column))
}

/// Returns the column of labels: by name, or the only remaining column.
fn label_column(table: &Table, split: Option<usize>) -> Result<usize, String> {
    if let Some(column) = table.named(&LABEL).filter(|&column| Some(column) != split) {
        return Ok(column);
    }
    let left = (0..table.columns()).filter(|&column| column != table.file && Some(column) != split);
    match left.collect::<Vec<_>>().as_slice() {
        [only] => Ok(*only),
        [] => Err("it has no label column".to_owned()),
        several => {
            let names = several.iter().take(4).map(|&column| table.name(column));
            let names: Vec<String> = names.collect();
            Err(format!(
                "it has several columns that may be labels ({}): name one of them `label`",
                names.join(", ")
            ))
        }
    }
}
