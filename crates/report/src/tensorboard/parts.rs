//! Contents of each file.

use std::io::{self, Write};

use events::{Epoch, History, Metrics, Mistake, Speed, Split};

use super::clock::Clock;
use super::images;
use super::messages::Value;
use super::records::Records;
use super::settings;
use super::values::{images, scalar, session, text};

/// Maximum number of epochs with images. TensorBoard shows ten by default.
const MOST_EPOCHS: usize = 100;
/// Maximum number of mistakes per epoch.
const MOST_MISTAKES: usize = 32;

/// A file in its own folder: TensorBoard draws figures with the same name in one chart, with a line
/// per folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFolder {
    /// Values of the run as a whole.
    Run,
    Train,
    Validation,
    Average,
    Test,
}

impl LogFolder {
    pub(super) const ALL: [Self; 5] = [
        Self::Run,
        Self::Train,
        Self::Validation,
        Self::Average,
        Self::Test,
    ];

    /// Returns the folder inside that of the run.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Average => "average",
            Self::Test => "test",
        }
    }

    /// Returns whether there is anything to write.
    pub(super) fn is_there(self, history: &History) -> bool {
        match self {
            Self::Run => true,
            Self::Train => !history.steps.is_empty() || !history.epochs.is_empty(),
            Self::Validation => history
                .epochs
                .iter()
                .any(|epoch| !epoch.validation.is_empty()),
            Self::Average => history.has_average(),
            Self::Test => history.tested.is_some(),
        }
    }

    /// Writes all records after the first.
    pub(super) fn write<W: Write>(
        self,
        history: &History,
        clock: &Clock,
        records: &mut Records<W>,
    ) -> io::Result<()> {
        match self {
            Self::Run => {
                start(history, clock, records)?;
                speeds(history, clock, records)?;
                systems(history, clock, records)?;
                end(history, clock, records)
            }
            Self::Train => {
                steps(history, clock, records)?;
                scores(history, clock, records, Split::Train, "epoch/")
            }
            Self::Validation => {
                scores(history, clock, records, Split::Validation, "")?;
                drawings(history, clock, records, |epoch| epoch.average.is_none())
            }
            Self::Average => {
                scores(history, clock, records, Split::Average, "")?;
                drawings(history, clock, records, |epoch| epoch.average.is_some())
            }
            Self::Test => tested(history, clock, records),
        }
    }
}

fn start<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    let Some(started) = &history.started else {
        return Ok(());
    };
    let values = vec![
        session(&settings::session_start(started, clock)),
        text("run", settings::about(started, &history.sittings)),
        text("config", settings::config(started)),
    ];
    records.values(clock.at(0.0), 0, values)
}

fn end<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    let end = settings::session_end(history, clock);
    let values = end.iter().map(session).collect();
    records.values(clock.at(history.seconds()), history.step() as u64, values)
}

fn steps<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    let steps = &history.steps;
    let columns: Vec<(&str, &[f32])> = steps
        .names()
        .filter_map(|name| Some((name, steps.figures(name)?)))
        .collect();
    for (row, (&step, &seconds)) in steps.steps().iter().zip(steps.seconds()).enumerate() {
        let values = columns.iter().filter_map(|(name, figures)| {
            let chart = history.chart_of(Split::Train, name);
            scalar(chart, f64::from(figures[row]))
        });
        records.values(clock.at(seconds), step, values.collect())?;
    }
    Ok(())
}

/// Returns the figures of a split. TensorBoard overlays figures with the same tag, so figures with
/// another definition have another tag.
fn scalars(history: &History, split: Split, metrics: &Metrics, prefix: &str) -> Vec<Value> {
    let named = metrics.iter();
    named
        .filter_map(|(name, figure)| {
            let chart = history.chart_of(split, name);
            scalar(format!("{prefix}{chart}"), figure)
        })
        .collect()
}

fn scores<W: Write>(
    history: &History,
    clock: &Clock,
    records: &mut Records<W>,
    split: Split,
    prefix: &str,
) -> io::Result<()> {
    for epoch in &history.epochs {
        if let Some(metrics) = epoch.metrics(split) {
            let values = scalars(history, split, metrics, prefix);
            records.values(clock.at(epoch.seconds), epoch.step as u64, values)?;
        }
    }
    Ok(())
}

/// Writes confusion matrices and mistakes of this part's epochs, or of some of them if there are
/// very many.
fn drawings<W: Write>(
    history: &History,
    clock: &Clock,
    records: &mut Records<W>,
    is_meant: impl Fn(&Epoch) -> bool,
) -> io::Result<()> {
    let every = history.epochs.len().div_ceil(MOST_EPOCHS).max(1);
    let last_first = history.epochs.iter().rev().step_by(every);
    let mut epochs: Vec<&Epoch> = last_first.filter(|epoch| is_meant(epoch)).collect();
    epochs.reverse();
    for epoch in epochs {
        let values = drawn(history, &epoch.confusion, &epoch.mistakes)?;
        records.values(clock.at(epoch.seconds), epoch.step as u64, values)?;
    }
    Ok(())
}

fn drawn(
    history: &History,
    confusion: &[(usize, usize, u64)],
    mistakes: &[Mistake],
) -> io::Result<Vec<Value>> {
    let mut values = Vec::new();
    let classes = images::classes(history, confusion);
    if let Some(image) = images::confusion(classes, confusion)? {
        let description = "rows are true classes, columns are predicted classes";
        values.extend(images("confusion", description, vec![image]));
    }
    if !mistakes.is_empty() {
        let mistakes = &mistakes[..mistakes.len().min(MOST_MISTAKES)];
        let shown = mistakes
            .iter()
            .map(|mistake| images::thumbnail(&mistake.thumbnail));
        let shown = shown.collect::<Result<_, _>>()?;
        let description = "misclassified images, the most confident first";
        values.extend(images("mistakes", description, shown));
        values.push(text(
            "mistakes_table",
            settings::mistakes(history, mistakes),
        ));
    }
    Ok(values)
}

fn tested<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    let Some(tested) = &history.tested else {
        return Ok(());
    };
    let epoch = history
        .epochs
        .iter()
        .find(|epoch| epoch.epoch == tested.epoch);
    let step = epoch.map_or_else(|| history.step(), |epoch| epoch.step);
    let mut values = scalars(history, Split::Validation, &tested.metrics, "");
    values.extend(drawn(history, &tested.confusion, &tested.mistakes)?);
    records.values(clock.at(tested.seconds), step as u64, values)
}

fn speeds<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    for speed in &history.speeds {
        let images = scalar("speed/images_per_second", speed.images);
        let parts = Speed::PARTS.into_iter().zip(speed.parts());
        let parts =
            parts.filter_map(|(part, seconds)| scalar(format!("speed/{part}_seconds"), seconds));
        let values = images.into_iter().chain(parts).collect();
        records.values(clock.at(speed.seconds), speed.step as u64, values)?;
    }
    Ok(())
}

/// Writes each measurement at the last step before it. Of several at the same step, only the last
/// is written, because TensorBoard keeps one point per step.
fn systems<W: Write>(history: &History, clock: &Clock, records: &mut Records<W>) -> io::Result<()> {
    let systems = &history.systems;
    for (place, system) in systems.iter().enumerate() {
        let own = history.steps.at(system.seconds);
        if systems
            .get(place + 1)
            .is_some_and(|next| history.steps.at(next.seconds) == own)
        {
            continue;
        }
        let values = [
            ("system/cpu", Some(system.cpu)),
            ("system/cpu_machine", Some(system.cpu_machine)),
            ("system/memory_bytes", Some(system.memory as f64)),
            (
                "system/memory_machine_bytes",
                Some(system.memory_machine as f64),
            ),
            ("system/gpu", system.gpu),
            (
                "system/gpu_memory_bytes",
                system.gpu_memory.map(|bytes| bytes as f64),
            ),
        ];
        let values = values
            .into_iter()
            .filter_map(|(tag, figure)| scalar(tag, figure?));
        records.values(clock.at(system.seconds), own, values.collect())?;
    }
    Ok(())
}
