//! Text tables with one row per image.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use csv::{ReaderBuilder, Trim};

use super::index::FileIndex;
use super::listing::is_image_name;
use crate::error::quoted;

/// Possible names for the column of file names, in order of preference.
const FILE: [&str; 19] = [
    "file",
    "filename",
    "filepath",
    "fname",
    "image",
    "imagename",
    "imagepath",
    "imagefile",
    "imageid",
    "img",
    "imgname",
    "imgpath",
    "path",
    "relpath",
    "relativepath",
    "photo",
    "picture",
    "id",
    "name",
];
/// Possible names for the column of labels, in order of preference.
pub(super) const LABEL: [&str; 15] = [
    "label",
    "labels",
    "class",
    "classname",
    "category",
    "target",
    "classes",
    "labelname",
    "categoryname",
    "breed",
    "species",
    "diagnosis",
    "dx",
    "tag",
    "y",
];
/// Possible names for the column of parts.
pub(super) const SPLIT: [&str; 7] = [
    "split",
    "set",
    "subset",
    "part",
    "partition",
    "usage",
    "phase",
];

/// Maximum size of a table in bytes.
const MAX_BYTES: u64 = 1 << 28;
/// Number of rows used to detect the separator.
const TRIED: usize = 200;

/// The rows of a table, without the header.
#[derive(Debug)]
pub(super) struct Table {
    /// Column names, if the first row has them.
    pub header: Option<Vec<String>>,
    pub rows: Vec<Row>,
    /// Index of the column of file names.
    pub file: usize,
}

/// A row and the line that it starts on, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub line: u64,
    pub cells: Vec<String>,
}

impl Table {
    /// Reads a table with rows that name files of the index. The separator (tab, semicolon, comma
    /// or spaces) is the one for which most rows name a file.
    ///
    /// # Errors
    ///
    /// Describes the problem of the table, as the end of a sentence.
    pub(super) fn read(path: &Path, index: &FileIndex<'_>) -> Result<Self, String> {
        let text = text(path)?;
        let mut best: Option<(usize, Vec<Row>)> = None;
        for delimiter in [Some(b'\t'), Some(b';'), Some(b','), None] {
            let rows = rows(&text, delimiter);
            let tried = rows.iter().take(TRIED);
            let score = tried
                .filter(|row| {
                    row.cells.len() > 1 && row.cells.iter().any(|cell| index.names_file(cell))
                })
                .count();
            if score > best.as_ref().map_or(0, |(score, _)| *score) {
                best = Some((score, rows));
            }
        }
        let Some((_, mut rows)) = best else {
            return Err("no row names an image of the folder".to_owned());
        };
        let header = is_header(&rows, index).then(|| rows.remove(0).cells);
        let mut table = Self {
            header,
            rows,
            file: 0,
        };
        table.file = table.file_column(index)?;
        Ok(table)
    }

    /// Returns the column of file names: by name or, if no name matches, the one with the most file
    /// names.
    fn file_column(&self, index: &FileIndex<'_>) -> Result<usize, String> {
        let columns: Vec<Column> = (0..self.columns())
            .map(|place| Column::of(self, place, index))
            .collect();
        let keys: Vec<String> = self.header.iter().flatten().map(|name| key(name)).collect();
        let is_called = |place: usize, names: &[&str]| {
            let key = keys.get(place).map(String::as_str);
            key.is_some_and(|key| names.contains(&key))
        };
        let naming = (0..columns.len()).filter(|&place| columns[place].named > 0);
        let is_free = |place: &usize| !is_called(*place, &LABEL) && !is_called(*place, &SPLIT);
        let mut left: Vec<usize> = naming.clone().filter(is_free).collect();
        if left.is_empty() {
            left = naming.collect();
        }
        let most = |count: &dyn Fn(usize) -> usize, left: &[usize]| {
            left.iter().map(|&place| count(place)).max().unwrap_or(0)
        };
        // Half of the rows may be for images that are elsewhere.
        let half = most(&|place| columns[place].named, &left).div_ceil(2);
        for name in FILE {
            let fits =
                |place: &&usize| is_called(**place, &[name]) && columns[**place].named >= half;
            if let Some(&place) = left.iter().find(fits) {
                return Ok(place);
            }
        }
        // Numbers may have another meaning than names without extension.
        if left.iter().any(|&place| columns[place].exact >= half) {
            left.retain(|&place| columns[place].exact >= half);
        }
        let named = most(&|place| columns[place].named, &left);
        left.retain(|&place| columns[place].named == named);
        if left.iter().any(|&place| columns[place].is_unique) {
            left.retain(|&place| columns[place].is_unique);
        }
        let (&first, others) = left.split_first().ok_or("no column names images")?;
        let file = |row: &Row, place: usize| row.cells.get(place).map(|cell| index.find(cell));
        let differs = |&place: &usize| {
            let mut rows = self.rows.iter();
            rows.any(|row| file(row, first) != file(row, place))
        };
        match others.iter().copied().find(differs) {
            Some(other) => Err(format!(
                "its columns {} and {} name different images: name one of them `file`",
                self.name(first),
                self.name(other)
            )),
            None => Ok(first),
        }
    }

    /// Returns the number of columns.
    pub(super) fn columns(&self) -> usize {
        let header = self.header.iter().map(Vec::len);
        let rows = self.rows.iter().map(|row| row.cells.len());
        header.chain(rows).max().unwrap_or(0)
    }

    /// Returns the name of a column, or its number.
    pub(super) fn name(&self, column: usize) -> String {
        let name = self.header.as_ref().and_then(|header| header.get(column));
        match name {
            Some(name) if !name.is_empty() => quoted(name),
            _ => format!("column {}", column + 1),
        }
    }

    /// Returns the first column with one of these names, except for the column of files; earlier
    /// names have priority.
    pub(super) fn named(&self, names: &[&str]) -> Option<usize> {
        let header = self.header.as_ref()?;
        let keys: Vec<String> = header.iter().map(|name| key(name)).collect();
        names.iter().find_map(|name| {
            let columns = keys.iter().enumerate();
            let mut fitting = columns.filter(|(column, key)| key == name && *column != self.file);
            fitting.next().map(|(column, _)| column)
        })
    }
}

/// Statistics of a column.
struct Column {
    /// Number of cells that name a file.
    named: usize,
    /// Number of cells with the full name of a file, including the extension.
    exact: usize,
    /// Whether all cells are different.
    is_unique: bool,
}

impl Column {
    fn of(table: &Table, place: usize, index: &FileIndex<'_>) -> Self {
        let cells = || {
            table
                .rows
                .iter()
                .filter_map(move |row| row.cells.get(place))
        };
        let mut seen = HashSet::new();
        Self {
            named: cells().filter(|cell| index.names_file(cell)).count(),
            exact: cells().filter(|cell| index.names_exactly(cell)).count(),
            is_unique: cells().all(|cell| seen.insert(cell)),
        }
    }
}

/// Returns whether the first row is a header: it does not name an image, even a missing one, and
/// none of its cells is repeated in the rows of images.
fn is_header(rows: &[Row], index: &FileIndex<'_>) -> bool {
    let Some((first, rest)) = rows.split_first() else {
        return false;
    };
    let names_image = |cell: &String| index.names_file(cell) || is_image_name(Path::new(cell));
    let is_repeated = |(place, cell): (usize, &String)| {
        let mut rest = rest.iter().take(TRIED);
        !cell.is_empty()
            && rest
                .any(|row| row.cells.get(place) == Some(cell) && row.cells.iter().any(names_image))
    };
    let mut cells = first.cells.iter();
    !cells.clone().any(names_image)
        && cells.clone().any(|cell| !key(cell).is_empty())
        && !cells.by_ref().enumerate().any(is_repeated)
}

/// Returns a column's name for comparison: letters and digits in lower case.
fn key(name: &str) -> String {
    let kept = name.chars().filter(|letter| letter.is_alphanumeric());
    kept.collect::<String>().to_lowercase()
}

fn rows(text: &str, delimiter: Option<u8>) -> Vec<Row> {
    let Some(delimiter) = delimiter else {
        // The last space separates: file names may contain spaces, labels after spaces do not.
        let lines = (1..).zip(text.lines().map(str::trim));
        return lines
            .filter_map(|(line, text)| {
                let (file, label) = text.rsplit_once([' ', '\t'])?;
                let cells = vec![file.trim().to_owned(), label.to_owned()];
                Some(Row { line, cells })
            })
            .collect();
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let records = reader.records().filter_map(Result::ok);
    records
        .map(|record| Row {
            line: record.position().map_or(0, csv::Position::line),
            cells: record.iter().map(str::to_owned).collect(),
        })
        .filter(|row| row.cells.iter().any(|cell| !cell.is_empty()))
        .collect()
}

/// Reads a text file: UTF-8, or UTF-16 with a byte order mark, as spreadsheet programs write it.
fn text(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| files::reason(&error))?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| files::reason(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let utf_16 = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let numbers = bytes.chunks_exact(2).map(|pair| number([pair[0], pair[1]]));
        let numbers: Vec<u16> = numbers.collect();
        String::from_utf16(&numbers).map_err(|_| "its text is not valid UTF-16".to_owned())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        rest => utf_8(rest),
    }
}

fn utf_8(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line} is not valid UTF-8; save it as UTF-8")
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Table, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs::write(&path, bytes).unwrap();
        let files =
            ["a.jpg", "b.jpg", "0.jpg", "1.jpg", "2.jpg"].map(|name| Path::new(name).into());
        Table::read(&path, &FileIndex::new(Path::new(""), &files))
    }

    fn cells(table: &Table) -> Vec<Vec<&str>> {
        let rows = table.rows.iter();
        rows.map(|row| row.cells.iter().map(String::as_str).collect())
            .collect()
    }

    #[test]
    fn several_column_separators_are_read() {
        for text in [
            "a.jpg,cat\nb.jpg,dog\n",
            "a.jpg;cat\r\nb.jpg;dog",
            "a.jpg\tcat\n\nb.jpg\tdog\n",
            "a.jpg cat\nb.jpg   dog\n",
            "\u{feff}a.jpg, cat\nb.jpg, dog\n",
            "\"a.jpg\",\"cat\"\n\"b.jpg\",\"dog\"\n",
        ] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!(
                cells(&table),
                [["a.jpg", "cat"], ["b.jpg", "dog"]],
                "{text:?}"
            );
            assert_eq!((table.header, table.file), (None, 0), "{text:?}");
        }
        let table = read(b"name;what\na.jpg;cat, small\nb.jpg;dog, big\n").unwrap();
        assert_eq!(cells(&table)[0], ["a.jpg", "cat, small"]);
        assert_eq!(table.header.unwrap(), ["name", "what"]);
        assert_eq!(table.rows[1].line, 3);
    }

    #[test]
    fn file_column_may_be_anywhere() {
        let table = read(b"Label,File Name\ncat,a.jpg\ndog,b.jpg\n").unwrap();
        assert_eq!((table.file, table.named(&["label"])), (1, Some(0)));
        assert_eq!(table.named(&["filename"]), None, "that of files is known");
        assert_eq!(table.name(0), "`Label`");
    }

    #[test]
    fn file_column_is_not_confused_with_numbers() {
        for (text, file) in [
            // An index added by a program, and the actual names.
            (",id,label\n0,2,1\n1,0,0\n2,1,1\n", 1),
            ("label,split,image\n0,1,2\n1,1,0\n1,0,1\n", 2),
            // Full names win over numbers, even if one file is missing.
            ("0,a.jpg\n1,b.jpg\n2,c.jpg\n", 1),
            // Labels repeat.
            ("1,0\n1,1\n0,2\n", 1),
            ("0,0,cat\n1,1,dog\n2,2,cat\n", 0),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().file, file, "{text}");
        }
        let reason = read(b"0,2,cat\n1,0,dog\n2,1,cat\n").unwrap_err();
        assert!(reason.contains("column 1 and column 2"), "{reason}");
        let reason = read(b"one,two,label\n0,2,cat\n1,0,dog\n").unwrap_err();
        assert!(reason.contains("`one` and `two`"), "{reason}");
    }

    #[test]
    fn first_row_naming_an_image_is_not_a_header() {
        for text in ["9.jpg,cat\n0.jpg,cat\n1.jpg,dog\n", "9,cat\n0,cat\n1,dog\n"] {
            let table = read(text.as_bytes()).unwrap();
            assert_eq!((table.header, table.rows.len()), (None, 3), "{text}");
        }
    }

    #[test]
    fn spreadsheet_text_encodings_are_read() {
        let text = "a.jpg\tcaf\u{e9}\nb.jpg\tdog\n";
        let bytes = text.encode_utf16().flat_map(u16::to_le_bytes);
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(bytes).collect();
        assert_eq!(cells(&read(&bytes).unwrap())[0][1], "caf\u{e9}");
    }

    #[test]
    fn non_tables_are_rejected() {
        let reason = read(b"a.jpg,caf\xe9\n").unwrap_err();
        assert!(reason.contains("line 1 is not valid UTF-8"), "{reason}");
        for bytes in [&b""[..], b"nothing,here\n", b"a.jpg\nb.jpg\n", b"\0\0"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        let index = FileIndex::new(Path::new(""), &[]);
        assert!(Table::read(Path::new("."), &index).is_err());
    }
}
