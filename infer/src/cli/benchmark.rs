//! `--bench`: measures prediction speed.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use command_line::benchmark::{BenchmarkError, Measurement, ProgramStart, Report, Setting};
use command_line::{terminal, voice};
use device::Task;
use infer::{Precision, PredictionBenchmark, Subject};
use model::ResidualBackend;

use super::arguments::Arguments;
use super::model::open_model;

pub(crate) fn run(arguments: &Arguments, start: &ProgramStart) -> anyhow::Result<ExitCode> {
    let flags = &arguments.benchmark;
    let subject = match (&arguments.model, &arguments.weights) {
        (Some(network), None) => Subject::Untrained(network.clone()),
        _ => Subject::Saved(open_model(arguments)?.0),
    };
    let batch = flags.batch.unwrap_or(NonZeroUsize::MIN);
    let benchmark =
        PredictionBenchmark::new(subject, flags.input, batch)?.with_precision(flags.precision);
    let device = crate::resolve(arguments)?;
    let measurement = device.run(Measure {
        benchmark: &benchmark,
        start,
        repeats: flags.repeats,
    })?;
    let setting = Setting::predict(
        &device,
        benchmark.model().to_owned(),
        benchmark.input(),
        benchmark.batch(),
    );
    let setting = match benchmark.precision() {
        Precision::Float32 => setting,
        Precision::Int8 => setting.with_int8(),
    };
    let report = Report::new(setting, &measurement);
    if arguments.json {
        voice::print_json(&report.json()?)?;
    } else {
        voice::print(&report.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures on the backend of the selected device.
struct Measure<'a> {
    benchmark: &'a PredictionBenchmark,
    start: &'a ProgramStart,
    repeats: Option<NonZeroUsize>,
}

impl Task for Measure<'_> {
    type Output = Result<Measurement, BenchmarkError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        terminal::measuring(|progress| {
            self.benchmark
                .run::<B>(&device, self.start, self.repeats, progress)
        })
    }
}
