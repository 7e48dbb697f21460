//! The `infer` program: arguments in, predictions out.

mod cli;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use command_line::benchmark::ProgramStart;
use command_line::{console, environment, voice};
use data::{Fitted, ImageError, ImageOpener, PreprocessingError};
use device::{SelectedDevice, Task};
use infer::{Predictor, PreparedImage};
use model::ResidualBackend;
use saved_models::{SavedModel, Views};

use crate::cli::arguments::Arguments;
use crate::cli::generate::command;
use crate::cli::model::{Source, open_model};
use crate::cli::{benchmark, output};

/// Number of images per batch; each is resized as it is opened.
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
    environment::prepare()?;
    if arguments.generate.print()? {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(line) = environment::start_threads(arguments.threads)? {
        voice::warn(&line);
    }
    if arguments.list_devices {
        let table = device::table(&device::list_devices());
        voice::print(table.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.profile {
        ops::profile::start();
    }
    let result = compute(arguments, start);
    if arguments.profile {
        voice::print(&format!("\n{}", ops::profile::stop().table().trim_end()))?;
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
    voice::talk(&format!("model: {}", output::describe(&saved, &source)));
    if let Some(about) = &saved.description.about {
        voice::talk(&format!("about: {about}"));
    }
    for skipped in &source.skipped {
        let text = format!("warning: skipped {}: {}", skipped.run, skipped.reason);
        voice::warn(&text);
    }
    device.run(Predict {
        arguments,
        saved,
        source,
    })
}

/// Selects the device and reports the devices that `auto` skipped.
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

/// Predicts every image on the backend of the selected device.
struct Predict<'a> {
    arguments: &'a Arguments,
    saved: SavedModel,
    source: Source,
}

impl Task for Predict<'_> {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let Self {
            arguments,
            saved,
            source,
        } = &self;
        let views = Views::default()
            .with_flip(arguments.flip_test)
            .with_shift(arguments.shift_test);
        let predictor = Predictor::<B>::new(saved, device)?.with_views(views);
        let mut output = output::Output::new(arguments, &saved.description, source, views);
        let mut failed = false;
        for paths in arguments.images.chunks(BATCH) {
            let mut opened: Vec<((&Path, Fitted), _)> = Vec::with_capacity(paths.len());
            for path in paths {
                match open(&predictor, path, arguments) {
                    Ok((prepared, fitted)) => opened.push(((path, fitted), prepared)),
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
                    .map(|(path, _)| path.display().to_string())
                    .collect();
                format!("cannot predict {}", names.join(", "))
            })?;
            for ((path, fitted), prediction) in paths.iter().zip(&predictions) {
                output.write(path, prediction, fitted)?;
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

/// Opens an image and resizes it to the network's input size; warns if the file is damaged. Unless
/// the image is used as is, converts it to resemble the training images first and reports the
/// conversions and any mismatch.
fn open<B: ResidualBackend>(
    predictor: &Predictor<B>,
    path: &Path,
    arguments: &Arguments,
) -> Result<(PreparedImage, Fitted), ImageError> {
    let opener = ImageOpener::new(arguments.max_pixels.get());
    let prepared = opener.open_with(path, |image| {
        let mut fitted = predictor.fit(&image)?;
        if arguments.as_is {
            fitted.conversions.clear();
            fitted.image = None;
        }
        let image = fitted.image.take().unwrap_or(image);
        Ok::<_, PreprocessingError>((predictor.prepare(&image)?, fitted))
    })?;
    for (path, flaw) in opener.flawed().list() {
        voice::warn(&format!(
            "warning: the image {} is used, but {flaw}",
            path.display()
        ));
    }
    let (prepared, fitted) = prepared.map_err(|source| ImageError::Prepare {
        path: path.to_owned(),
        source,
    })?;
    let lines = [
        output::converted(path, &fitted),
        output::mismatch(path, &fitted),
    ];
    lines.iter().flatten().for_each(|line| voice::warn(line));
    Ok((prepared, fitted))
}

fn report(error: &anyhow::Error) {
    voice::complain(&console::message(error, console::hint(error).as_deref()));
}
