//! `train quantize`: rounds a model to 8-bit integers.

use std::fs;
use std::path::{Path, PathBuf};

use command_line::voice::{self, talk};
use device::{DeviceRequest, Task};
use model::ResidualBackend;
use saved_models::foreign::ForeignError;
use saved_models::{DESCRIPTION_FILE, SavedModelError, WEIGHTS_FILE};
use serde::Serialize;
use train::{EvaluationPlan, Form, QuantizeProgress, Quantized, RunFolder, TrainError};

use crate::cli::arguments::quantize::QuantizeArguments;
use crate::cli::commands::subject::{Subject, load};
use crate::cli::display::bar::image_bar;
use crate::cli::prepare::resolve;

pub(crate) fn run(arguments: &QuantizeArguments) -> anyhow::Result<()> {
    let device = "flex".parse::<DeviceRequest>().unwrap_or_default();
    let flags = arguments.subject.checked()?.with_device(device);
    let Subject {
        saved,
        settings,
        path,
        ..
    } = Subject::of(&arguments.subject, |_| ())?;
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => beside(&path),
    };
    // Checked before the long work.
    let is_taken = [WEIGHTS_FILE, DESCRIPTION_FILE]
        .iter()
        .any(|name| output.join(name).symlink_metadata().is_ok());
    if output.is_file() || (is_taken && !arguments.overwrite) {
        return Err(ForeignError::Exists { path: output }.into());
    }
    let device = resolve(&flags)?;
    talk(&format!(
        "model: {} ({})",
        saved.description.model,
        path.display()
    ));
    let plan = load(saved, settings)?;
    let quantized = device.run(Quantize {
        plan: &plan,
        arguments,
    })?;
    fs::create_dir_all(&output).map_err(|source| SavedModelError::Write {
        path: output.clone(),
        source,
    })?;
    quantized.saved.write(&output)?;
    // `train eval` then knows its data.
    if let Some(config) = RunFolder::config_of(&path)? {
        RunFolder::write_source(&output, &config)?;
    }
    let report = Report {
        output: output.display().to_string(),
        images: quantized.images,
        rule: &quantized.rule,
        divergence: quantized.divergence,
        before: &quantized.before,
        after: &quantized.after,
    };
    if arguments.json {
        voice::print_json(&serde_json::to_string_pretty(&report)?)?;
    } else {
        voice::print(&report.text())?;
    }
    Ok(())
}

/// Returns the folder of integers beside a run or a file of weights.
fn beside(path: &Path) -> PathBuf {
    // Paths such as `.` end in no name.
    let whole = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    let name = if whole.is_dir() {
        whole.file_name()
    } else {
        whole.file_stem()
    };
    let mut name = name.unwrap_or_default().to_owned();
    name.push("-int8");
    whole.with_file_name(name)
}

#[derive(Serialize)]
struct Report<'a> {
    output: String,
    /// Number of images that ranges were measured on.
    images: usize,
    rule: &'a str,
    divergence: f64,
    before: &'a Form,
    after: &'a Form,
}

impl Report<'_> {
    fn text(&self) -> String {
        let Self {
            output,
            images,
            rule,
            before,
            after,
            ..
        } = self;
        let row = |name: &str, of: &dyn Fn(&Form) -> String| {
            format!("{name:<22}{:>12}{:>12}\n", of(before), of(after))
        };
        let mut text = format!("{:<22}{:>12}{:>12}\n", "", "float32", "int8");
        text += &row("accuracy", &|form| {
            format!("{:.2} %", 100.0 * form.accuracy)
        });
        text += &row("average loss", &|form| format!("{:.4}", form.loss));
        text += &row("size of weights", &|form| size(form.bytes));
        text += &row("time for one image", &|form| {
            format!("{:.3} ms", 1000.0 * form.seconds)
        });
        text += &format!(
            "on {} test images; ranges by {rule} of {images} training images\n",
            after.images
        );
        text + &format!("saved: {output}")
    }
}

/// Formats a number of bytes.
fn size(bytes: usize) -> String {
    let kibibytes = bytes as f64 / 1024.0;
    match kibibytes < 1024.0 {
        true => format!("{kibibytes:.0} KiB"),
        false => format!("{:.1} MiB", kibibytes / 1024.0),
    }
}

struct Quantize<'a> {
    plan: &'a EvaluationPlan,
    arguments: &'a QuantizeArguments,
}

impl Task for Quantize<'_> {
    type Output = Result<Quantized, TrainError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let bar = image_bar(0);
        let images = self.arguments.images;
        let result = self.plan.quantize::<B>(&device, images, &mut |progress| {
            let (message, done, total) = match progress {
                QuantizeProgress::Calibrating(done, total) => ("measuring ranges", done, total),
                QuantizeProgress::Comparing(done, total) => ("comparing rules", done, total),
                QuantizeProgress::Before(done, total) => ("evaluating float32", done, total),
                QuantizeProgress::After(done, total) => ("evaluating int8", done, total),
            };
            bar.set_message(message);
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        result
    }
}
