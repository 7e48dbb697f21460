//! The `infer` program: arguments in, predictions out.

mod cli;

use std::num::NonZeroU64;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use data::{ImageOpener, PictureError};
use device::{SelectedDevice, Task};
use infer::benchmark::ProgramStart;
use infer::{Predictor, PreparedImage, SavedModel, console, environment, voice};
use model::ResidualBackend;

use crate::cli::arguments::Arguments;
use crate::cli::generate::command;
use crate::cli::model::open_model;
use crate::cli::{benchmark, output};

/// Images that are predicted at a time; each is resized as it is opened.
const BATCH: usize = 32;

fn main() -> ExitCode {
    let start = ProgramStart::here();
    match console::parse::<Arguments>(command()) {
        Ok(arguments) => {
            console::conclude(run(&arguments, &start), console::hint, console::exit_code)
        }
        Err(code) => code,
    }
}

fn run(arguments: &Arguments, start: &ProgramStart) -> anyhow::Result<ExitCode> {
    if arguments.generate.print()? {
        return Ok(ExitCode::SUCCESS);
    }
    environment::prepare()?;
    if let Some(line) = environment::start_threads(arguments.threads)? {
        voice::warn(&line);
    }
    if arguments.list_devices {
        let table = device::table(&device::list_devices());
        voice::print(table.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.profile {
        model::profile::start();
    }
    let result = compute(arguments, start);
    if arguments.profile {
        voice::print(&format!("\n{}", model::profile::stop().table().trim_end()))?;
    }
    result
}

fn compute(arguments: &Arguments, start: &ProgramStart) -> anyhow::Result<ExitCode> {
    if arguments.benchmark.bench {
        return benchmark::run(arguments, start);
    }
    let (saved, source) = open_model(arguments)?;
    let device = resolve(arguments)?;
    voice::talk(&format!("device: {device}"));
    voice::talk(&format!(
        "model: {}",
        output::describe(&saved.description, &source)
    ));
    device.run(Predict { arguments, saved })
}

/// The device to use; what `auto` passed over is said.
fn resolve(arguments: &Arguments) -> anyhow::Result<SelectedDevice> {
    let resolution = device::resolve(&arguments.device)?;
    for skipped in &resolution.skipped {
        voice::talk(&format!("skipped {}: {}", skipped.kind, skipped.reason));
    }
    if let Some(notice) = resolution.device.notice() {
        voice::talk(&notice);
    }
    Ok(resolution.device)
}

/// Predicts every picture on whichever backend the device has.
struct Predict<'a> {
    arguments: &'a Arguments,
    saved: SavedModel,
}

impl Task for Predict<'_> {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let predictor = Predictor::<B>::new(&self.saved, device)?;
        let mut output = output::Output::new(self.arguments, &self.saved.description);
        let mut failed = false;
        for paths in self.arguments.images.chunks(BATCH) {
            let mut opened: Vec<(&Path, _)> = Vec::with_capacity(paths.len());
            for path in paths {
                match open(&predictor, path, self.arguments.max_pixels) {
                    Ok(prepared) => opened.push((path, prepared)),
                    Err(error) => {
                        report(&error.into());
                        failed = true;
                    }
                }
            }
            let (paths, prepared): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
            let predictions = predictor.predict_prepared(&prepared).with_context(|| {
                let names: Vec<_> = paths
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                format!("cannot predict {}", names.join(", "))
            })?;
            for (path, prediction) in paths.into_iter().zip(&predictions) {
                output.write(path, prediction)?;
            }
        }
        output.finish()?;
        Ok(if failed {
            ExitCode::from(console::FAILED)
        } else {
            ExitCode::SUCCESS
        })
    }
}

/// Opens an image and brings it to the network's input size, with a warning if its file is damaged.
fn open<B: ResidualBackend>(
    predictor: &Predictor<B>,
    path: &Path,
    max_pixels: NonZeroU64,
) -> Result<PreparedImage, PictureError> {
    let opener = ImageOpener::new(max_pixels.get());
    let prepared = opener.open_with(path, |image| predictor.prepare(&image))?;
    for (path, flaw) in opener.flawed().list() {
        voice::warn(&format!(
            "warning: the image {} is used, but {flaw}",
            path.display()
        ));
    }
    prepared.map_err(|source| PictureError::Prepare {
        path: path.to_owned(),
        source,
    })
}

fn report(error: &anyhow::Error) {
    voice::complain(&console::message(error, console::hint(error).as_deref()));
}
