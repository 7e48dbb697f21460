//! Exports the figures of a run for spreadsheets.
//!
//! The first row of every table contains the column names. A missing figure is an empty cell. All
//! other cells are numbers, `true` or `false`, except for class names. Names come from the run's
//! file: they are made [`printable`], and a name that a spreadsheet would take for a formula is
//! prefixed with `'`.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use csv::Writer;
use events::{History, Speed, Split};
use files::printable;

use crate::export::{self, ExportError};

/// A function that writes a table.
type Table = fn(&History, &mut dyn Write) -> io::Result<()>;

/// Names of the tables. The files of [`write()`] have these names with the extension `.csv`.
pub const TABLES: [&str; 6] = ["steps", "epochs", "speeds", "systems", "test", "classes"];

/// Files written by [`write`].
const FILES: [(&str, Table); TABLES.len()] = [
    ("steps.csv", |history, file| write_steps(history, file)),
    ("epochs.csv", |history, file| write_epochs(history, file)),
    ("speeds.csv", |history, file| write_speeds(history, file)),
    ("systems.csv", |history, file| write_systems(history, file)),
    ("test.csv", |history, file| write_test(history, file)),
    ("classes.csv", |history, file| write_classes(history, file)),
];

/// Writes `steps.csv`, `epochs.csv`, `speeds.csv`, `systems.csv`, `test.csv` and `classes.csv` of a
/// run into the subfolder `name` of a folder, which is created if it is missing. With `only`,
/// writes only that one of the [`TABLES`]. Returns the paths. Replaces files of an earlier export
/// under the same name.
///
/// # Errors
///
/// If the name leads out of the folder, the run's folder cannot be created, or a file cannot be
/// written.
pub fn write(
    folder: &Path,
    name: &str,
    only: Option<&str>,
    history: &History,
) -> Result<Vec<PathBuf>, ExportError> {
    let run = export::inside(folder, name)?;
    export::make_folder(&run)?;
    let write =
        |(name, table): (&str, Table)| export::write(&run, name, |file| table(history, file));
    let tables = TABLES.into_iter().zip(FILES);
    let wanted = tables.filter(|(table, _)| only.is_none_or(|only| only == *table));
    wanted.map(|(_, file)| write(file)).collect()
}

/// Writes one of the [`TABLES`]; does nothing for another name.
///
/// # Errors
///
/// If the writer fails.
pub fn write_table(name: &str, history: &History, writer: &mut dyn Write) -> io::Result<()> {
    let place = TABLES.iter().position(|table| *table == name);
    match place {
        Some(place) => FILES[place].1(history, writer),
        None => Ok(()),
    }
}

/// Writes a row for each step: `step`, `epoch`, `seconds` and its figures sorted by name.
///
/// # Errors
///
/// If the writer fails.
pub fn write_steps(history: &History, writer: impl Write) -> io::Result<()> {
    let steps = &history.steps;
    let names: BTreeSet<&str> = steps.names().collect();
    let mut table = Rows::new(writer);
    for name in ["step", "epoch", "seconds"] {
        table.text(name)?;
    }
    for name in &names {
        table.text(name)?;
    }
    table.end()?;
    let figures: Vec<&[f32]> = names
        .iter()
        .filter_map(|name| steps.figures(name))
        .collect();
    for (row, (&step, &seconds)) in steps.steps().iter().zip(steps.seconds()).enumerate() {
        table.whole(step)?;
        table.whole(epoch_of(history, step))?;
        table.figure(Some(seconds))?;
        for figures in &figures {
            table.figure(figures.get(row).copied())?;
        }
        table.end()?;
    }
    table.finish()
}

/// Writes a row for each epoch: `epoch`, `step`, `seconds`, `took` (also in seconds), `best`, and
/// `train_loss`, `validation_loss`, `average_loss` and so on.
///
/// # Errors
///
/// If the writer fails.
pub fn write_epochs(history: &History, writer: impl Write) -> io::Result<()> {
    let mut columns = Vec::new();
    for split in Split::ALL {
        let metrics = history.epochs.iter();
        let metrics = metrics.filter_map(|epoch| epoch.metrics(split));
        let names: BTreeSet<&str> = metrics
            .flat_map(|metrics| metrics.iter().map(|(name, _)| name))
            .collect();
        columns.extend(names.into_iter().map(|name| (split, name)));
    }
    let mut table = Rows::new(writer);
    for name in ["epoch", "step", "seconds", "took", "best"] {
        table.text(name)?;
    }
    for (split, name) in &columns {
        table.text(&format!("{}_{name}", split.name()))?;
    }
    table.end()?;
    for epoch in &history.epochs {
        table.whole(epoch.epoch as u64)?;
        table.whole(epoch.step as u64)?;
        table.figure(Some(epoch.seconds))?;
        table.figure(Some(epoch.took))?;
        table.text(if epoch.best { "true" } else { "false" })?;
        for (split, name) in &columns {
            let metrics = epoch.metrics(*split);
            table.figure(metrics.and_then(|metrics| metrics.get(name)))?;
        }
        table.end()?;
    }
    table.finish()
}

/// Writes a row for each speed measurement: `step`, `seconds`, `images_per_second`, and the parts
/// of a step in seconds.
///
/// # Errors
///
/// If the writer fails.
pub fn write_speeds(history: &History, writer: impl Write) -> io::Result<()> {
    let mut table = Rows::new(writer);
    for name in ["step", "seconds", "images_per_second"] {
        table.text(name)?;
    }
    for part in Speed::PARTS {
        table.text(part)?;
    }
    table.end()?;
    for speed in &history.speeds {
        table.whole(speed.step as u64)?;
        let whole = [speed.seconds, speed.images];
        for figure in whole.into_iter().chain(speed.parts()) {
            table.figure(Some(figure))?;
        }
        table.end()?;
    }
    table.finish()
}

/// Writes a row for each measurement of the machine: `seconds`, CPU utilization, 0 to 1, and memory
/// in bytes, and the same for the GPU if there is one.
///
/// # Errors
///
/// If the writer fails.
pub fn write_systems(history: &History, writer: impl Write) -> io::Result<()> {
    let mut table = Rows::new(writer);
    for name in [
        "seconds",
        "cpu",
        "cpu_machine",
        "memory",
        "memory_machine",
        "memory_total",
        "gpu",
        "gpu_memory",
    ] {
        table.text(name)?;
    }
    table.end()?;
    for system in &history.systems {
        for figure in [system.seconds, system.cpu, system.cpu_machine] {
            table.figure(Some(figure))?;
        }
        for bytes in [system.memory, system.memory_machine, system.memory_total] {
            table.whole(bytes)?;
        }
        table.figure(system.gpu)?;
        match system.gpu_memory {
            Some(bytes) => table.whole(bytes)?,
            None => table.figure(None::<f64>)?,
        }
        table.end()?;
    }
    table.finish()
}

/// Writes the test metrics of the kept network, if it was tested: a row with `epoch`, the epoch of
/// the network, `seconds`, `loss`, `accuracy` and all other metrics.
///
/// # Errors
///
/// If the writer fails.
pub fn write_test(history: &History, writer: impl Write) -> io::Result<()> {
    let tested = history.tested.as_ref();
    let metrics = || tested.iter().flat_map(|tested| tested.metrics.iter());
    let mut table = Rows::new(writer);
    for name in ["epoch", "seconds"] {
        table.text(name)?;
    }
    for (name, _) in metrics() {
        table.text(name)?;
    }
    table.end()?;
    if let Some(tested) = tested {
        table.whole(tested.epoch as u64)?;
        table.figure(Some(tested.seconds))?;
        for (_, figure) in metrics() {
            table.figure(Some(figure))?;
        }
        table.end()?;
    }
    table.finish()
}

/// Writes a row for each class, if the kept network was tested: `class`, its number from 0, `name`,
/// `images`, and `precision`, `recall` and `f1` on the test images.
///
/// # Errors
///
/// If the writer fails.
pub fn write_classes(history: &History, writer: impl Write) -> io::Result<()> {
    let mut table = Rows::new(writer);
    for name in ["class", "name", "images", "precision", "recall", "f1"] {
        table.text(name)?;
    }
    table.end()?;
    if let Some(tested) = &history.tested {
        let confusion = history.confusion(&tested.confusion);
        for (row, &class) in confusion.classes.iter().enumerate() {
            let scores = confusion.scores(row);
            table.whole(class as u64)?;
            table.text(&history.class_name(class))?;
            table.whole(scores.images)?;
            for share in [scores.precision, scores.recall, scores.f1] {
                table.figure(share)?;
            }
            table.end()?;
        }
    }
    table.finish()
}

/// Returns the epoch of a step, counted from 1. Uses the finished epochs if the planned number of
/// steps is unknown.
fn epoch_of(history: &History, step: u64) -> u64 {
    let per_epoch = history.steps_per_epoch() as u64;
    if let Some(before) = step.saturating_sub(1).checked_div(per_epoch) {
        return before + 1;
    }
    let epochs = &history.epochs;
    let before = epochs.partition_point(|epoch| (epoch.step as u64) < step);
    match epochs.get(before) {
        Some(epoch) => epoch.epoch as u64,
        None => (history.epochs_done() as u64).saturating_add(1),
    }
}

/// Writes cells one after another.
struct Rows<W: Write> {
    writer: Writer<W>,
    /// Buffer for the digits of a cell.
    digits: Vec<u8>,
}

impl<W: Write> Rows<W> {
    fn new(writer: W) -> Self {
        Self {
            writer: Writer::from_writer(writer),
            digits: Vec::new(),
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        Ok(self.writer.write_field(plain(text).as_bytes())?)
    }

    fn number(&mut self, number: impl Display) -> io::Result<()> {
        self.digits.clear();
        write!(self.digits, "{number}")?;
        Ok(self.writer.write_field(&self.digits)?)
    }

    fn whole(&mut self, number: u64) -> io::Result<()> {
        self.number(number)
    }

    /// Writes a figure with the fewest digits that identify it in its own precision.
    fn figure<F: Copy + Into<f64> + Display>(&mut self, figure: Option<F>) -> io::Result<()> {
        match figure.filter(|&figure| figure.into().is_finite()) {
            Some(figure) => self.number(figure),
            None => Ok(self.writer.write_field("")?),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Returns a text that neither controls a terminal nor is taken for a formula by a spreadsheet.
fn plain(text: &str) -> String {
    let text = printable(text);
    match text.starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests;
