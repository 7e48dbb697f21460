//! `--bench`: speed of a training step.

use std::num::NonZeroUsize;

use command_line::benchmark::{BenchmarkError, Measurement, ProgramStart, Report};
use command_line::{terminal, voice};
use device::Task;
use model::ResidualBackend;
use train::{StepBenchmark, TrainConfig};

use crate::cli::arguments::Arguments;
use crate::cli::prepare::{WrongFlag, resolve};

pub(crate) fn run(arguments: Arguments, start: &ProgramStart) -> anyhow::Result<()> {
    let (flags, json) = (arguments.benchmark, arguments.json);
    let config = TrainConfig::default().with(&arguments.settings.overrides)?;
    let benchmark =
        StepBenchmark::new(config.clone(), flags.input, flags.classes).map_err(WrongFlag::from)?;
    let device = resolve(&config)?;
    let measurement = device.run(Measure {
        benchmark: &benchmark,
        start,
        repeats: flags.repeats,
    })?;
    let report = Report::new(benchmark.setting(&device), &measurement);
    if json {
        voice::print_json(&report.json()?)?;
    } else {
        voice::print(&report.to_string())?;
    }
    Ok(())
}

/// Runs the measurement on the device's backend.
struct Measure<'a> {
    benchmark: &'a StepBenchmark,
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
