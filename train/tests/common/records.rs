//! Compares the records of two checkpoints.

use std::fs;
use std::path::Path;

/// Bytes that precede a parameter's id in the record of a network.
const BEFORE_ID: &[u8] = b"\xa2id\xad";
/// Length of a parameter's id. Ids are random, and so is the order of the parameters in an optimizer's record.
const ID: usize = 13;
/// Bytes that follow the last parameter in an optimizer's record.
const END: &[u8] = b"\xa2_b\x90";

/// Bytes of a record, with the number of the preceding parameter.
type Piece = (usize, Vec<u8>);

/// Returns all records of a run's last checkpoint by name, split into pieces.
pub fn records(run: &Path) -> Vec<(String, Vec<Piece>)> {
    let entries = fs::read_dir(run.join("checkpoint")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut records: Vec<(String, Vec<u8>)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "mpk"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    records.sort();
    let model = records.iter().find(|(name, _)| name.starts_with("model-"));
    let ids = ids(&model.unwrap().1);
    assert!(ids.len() > 2, "no parameters");
    let pieces = |(name, record): &(String, Vec<u8>)| (name.clone(), pieces(record, &ids));
    records.iter().map(pieces).collect()
}

fn ids(model: &[u8]) -> Vec<&[u8]> {
    let places = model.windows(BEFORE_ID.len()).enumerate();
    let found = places.filter(|(_, window)| *window == BEFORE_ID);
    found
        .map(|(place, _)| &model[place + BEFORE_ID.len()..][..ID])
        .collect()
}

fn pieces(record: &[u8], ids: &[&[u8]]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut number, mut start) = (0, 0);
    for (place, window) in record.windows(ID).enumerate() {
        if let Some(found) = ids.iter().position(|id| *id == window) {
            // The byte before an id is its length prefix.
            pieces.push((number, record[start..place - 1].to_owned()));
            (number, start) = (1 + found, place + ID);
        }
    }
    let end = &record[start..];
    pieces.push((number, end.strip_suffix(END).unwrap_or(end).to_owned()));
    pieces.sort();
    pieces
}
