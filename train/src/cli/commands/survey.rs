//! `train data`: describes a data set.

use events::format;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use anyhow::Context as _;
use command_line::terminal;
use command_line::voice::{self, talk};
use data::{
    DataSet, Duplicate, Duplicates, LoadOptions, LoadProgress, PassedOver, Reading, Storage,
    Survey, contact_sheet,
};
use files::{printable, shown_path};
use image::{ImageFormat, RgbImage};
use indicatif::ProgressBar;
use report::table::table;
use serde::Serialize;
use train::TrainConfig;

use crate::cli::arguments::survey::DataArguments;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::display::bar::image_bar;
use crate::cli::display::unreadable::{flaws, reasons, tell_reading};
use crate::cli::prepare::WrongFlag;

/// Maximum number of unreadable images, and of duplicates of each kind, that the text lists.
const NAMED_DUPLICATES: usize = 3;
const NAMED_UNREADABLE: usize = 10;
/// Name of the sheet in messages.
const SHEET: &str = "a sheet of images";

pub(crate) fn run(arguments: &DataArguments) -> anyhow::Result<()> {
    let config = settings(arguments)?;
    let sheet = arguments.sheet.as_deref().map(Destination::of);
    if let Some(destination) = &sheet {
        destination.check_binary(SHEET)?;
        if arguments.json && *destination == Destination::StandardOutput {
            return Err(DestinationError::Twice { what: SHEET }.into());
        }
    }
    terminal::fetch_data(&config.data, config.data_dir.as_deref())?;
    let bar = image_bar(0);
    let data = load(&config, &bar)?;
    bar.suspend(|| tell_reading(&data.reading));
    bar.set_message("looking");
    let survey = Survey::new(&data, &|progress| show(&bar, progress));
    bar.finish_and_clear();
    let report = Report {
        survey: survey?,
        unreadable: reasons(&data.unreadable),
        flawed: flaws(&data.flawed),
        passed_over: data.passed_over.clone(),
        reading: data.reading.clone(),
    };
    let text = report.text(data.root.as_deref());
    match (&sheet, arguments.json) {
        // Standard output receives the image.
        (Some(Destination::StandardOutput), _) => voice::complain(text.trim_end()),
        (_, true) => voice::print_json(&serde_json::to_string(&report)?)?,
        (_, false) => voice::print(text.trim_end())?,
    }
    if let Some(destination) = &sheet {
        let data = config.prepared(data);
        let examples = arguments.examples.get();
        let sheet = contact_sheet(&data, examples, &config.augmentation, config.seed)?;
        destination.write(&png(&sheet)?)?;
        if let Destination::File(path) = destination {
            talk(&format!("sheet: {}", path.display()));
        }
    }
    Ok(())
}

/// Returns the settings of a run that the flags describe.
fn settings(arguments: &DataArguments) -> anyhow::Result<TrainConfig> {
    let base = match (&arguments.config, &arguments.recipe) {
        (Some(path), _) => TrainConfig::read(path)?,
        (None, Some(recipe)) => TrainConfig::recipe(recipe)?,
        (None, None) => TrainConfig::default(),
    };
    let mut config = TrainConfig::default()
        .with_data(arguments.data.clone())
        .with_data_dir(arguments.data_dir.clone())
        .with_labels(arguments.labels.clone())
        .with_image_size(arguments.image_size)
        .with_seed(arguments.seed.unwrap_or(base.seed))
        .with_augmentation(base.augmentation)
        .with_normalize(base.normalize);
    config.loader.max_pixels = arguments.max_pixels;
    let augmentation = &mut config.augmentation;
    augmentation.pad_crop = arguments.pad_crop.unwrap_or(augmentation.pad_crop);
    augmentation.flip = arguments.flip.unwrap_or(augmentation.flip);
    config.validate().map_err(WrongFlag::from)?;
    Ok(config)
}

fn load(config: &TrainConfig, bar: &ProgressBar) -> anyhow::Result<DataSet> {
    bar.set_message("loading");
    let progress = |progress| show(bar, progress);
    Ok(config.data.load(
        &LoadOptions::default()
            .with_data_dir(config.data_dir.clone())
            .with_labels(config.labels.clone())
            .with_image_size(config.image_size)
            // Opens every image once, under its file name.
            .with_storage(Storage::Files)
            .with_skip_unreadable(true)
            .with_max_pixels(config.loader.max_pixels)
            .with_seed(config.seed)
            .with_progress(Some(&progress)),
    )?)
}

fn show(bar: &ProgressBar, LoadProgress { done, total }: LoadProgress) {
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}

fn png(sheet: &RgbImage) -> anyhow::Result<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    sheet
        .write_to(&mut png, ImageFormat::Png)
        .context("cannot draw the sheet")?;
    Ok(png.into_inner())
}

/// Printed content.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    survey: Survey,
    /// Problem of each unreadable image.
    unreadable: Vec<String>,
    /// Flaw of each damaged file that can still be read.
    flawed: Vec<String>,
    /// Other content of class folders.
    passed_over: PassedOver,
    /// Interpretation of the folder of images.
    reading: Reading,
}

impl Report {
    fn text(&self, root: Option<&Path>) -> String {
        let Survey {
            name,
            shape: [channels, height, width],
            class_names,
            mean,
            std,
            ..
        } = &self.survey;
        let mut text = format!(
            "{}: {} classes, images of {channels}x{height}x{width}\n\n",
            printable(name),
            class_names.len()
        );
        text += &table(&self.classes(), &(1..4));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\nbrightness of training images, 0 to 1: mean {}, standard deviation {}\n",
            numbers(mean),
            numbers(std)
        );
        text += &table(&self.duplicates(root), &(1..3));
        text += &listed("cannot be read", &self.unreadable);
        text += &listed("can be read from a damaged file", &self.flawed);
        if !self.passed_over.is_empty() {
            let _ = writeln!(text, "\n{}", printable(&self.passed_over.to_string()));
        }
        text
    }

    /// Number of images of each class in each part.
    fn classes(&self) -> Vec<Vec<String>> {
        let parts = &self.survey.parts;
        let row = |name: &str, counts: &mut dyn Iterator<Item = usize>| {
            let counts = counts.map(|count| format::count(count as u64));
            [name.to_owned()].into_iter().chain(counts).collect()
        };
        let mut rows = vec![
            ["class"]
                .into_iter()
                .chain(parts.iter().map(|part| part.name))
                .map(str::to_owned)
                .collect(),
        ];
        for (class, name) in self.survey.class_names.iter().enumerate() {
            rows.push(row(name, &mut parts.iter().map(|part| part.classes[class])));
        }
        rows.push(row("total", &mut parts.iter().map(|part| part.images)));
        rows
    }

    fn duplicates(&self, root: Option<&Path>) -> Vec<Vec<String>> {
        let row = |found: &Duplicates| {
            let name = match found.parts {
                [first, second] if first == second => format!("twice in {first}"),
                [first, second] => format!("{second} in {first}"),
            };
            let first = found.first.iter().take(NAMED_DUPLICATES);
            let mut first: Vec<String> = first.map(|pair| shown(pair, root)).collect();
            if found.images > NAMED_DUPLICATES {
                first.push("...".to_owned());
            }
            let counts = [found.images, found.other_class].map(|count| format::count(count as u64));
            [name]
                .into_iter()
                .chain(counts)
                .chain([first.join(", ")])
                .collect()
        };
        let head = ["same pixels", "images", "of other class", "first"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.survey.duplicates.iter().map(row));
        rows
    }
}

/// Formats a count of images with the problems of the first ones; empty if there are none.
fn listed(problem: &str, messages: &[String]) -> String {
    if messages.is_empty() {
        return String::new();
    }
    let plural = if messages.len() == 1 { "" } else { "s" };
    let count = format::count(messages.len() as u64);
    let mut text = format!("\n{count} image{plural} {problem}:\n");
    for message in messages.iter().take(NAMED_UNREADABLE) {
        text += &format!("{}\n", printable(message));
    }
    let more = messages.len().saturating_sub(NAMED_UNREADABLE);
    if more > 0 {
        text += &format!("and {more} more, which --json lists\n");
    }
    text
}

/// Returns the indices of two identical images, or their files in the data folder.
fn shown(pair: &Duplicate, root: Option<&Path>) -> String {
    let Some(files) = &pair.files else {
        let [first, second] = pair.indices;
        return format!("{second} = {first}");
    };
    let [first, second] = files.each_ref().map(|file| {
        let relative = root.and_then(|root| file.strip_prefix(root).ok());
        shown_path(relative.unwrap_or(file))
    });
    format!("{second} = {first}")
}

fn numbers(values: &[f32]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
    values.join(" ")
}
