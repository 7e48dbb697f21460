//! `--bench`: how fast a training step is.

use std::num::NonZeroUsize;

use device::Task;
use indicatif::{ProgressBar, ProgressStyle};
use infer::benchmark::{BenchmarkError, Measurement, ProgramStart, Report};
use model::ResidualBackend;
use train::{StepBenchmark, TrainConfig};

use super::arguments::Arguments;
use super::program::{WrongFlag, resolve};
use super::voice::print_line;

pub(crate) fn run(arguments: Arguments, start: &ProgramStart) -> anyhow::Result<()> {
    let (flags, json) = (arguments.benchmark, arguments.json);
    let config = TrainConfig::default().with(arguments.settings.into());
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
        print_line(&report.json()?);
    } else {
        print_line(&report.to_string());
    }
    Ok(())
}

/// Measures on whichever backend the device has.
struct Measure<'a> {
    benchmark: &'a StepBenchmark,
    start: &'a ProgramStart,
    repeats: Option<NonZeroUsize>,
}

impl Task for Measure<'_> {
    type Output = Result<Measurement, BenchmarkError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let bar = progress_bar();
        let mut progress = |part: f64| bar.set_position((1e3 * part.min(1.0)) as u64);
        let result = self
            .benchmark
            .run::<B>(&device, self.start, self.repeats, &mut progress);
        bar.finish_and_clear();
        result
    }
}

/// Counts thousandths on standard error, and hides itself where that is no terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("measuring [{bar:30}] {percent:>3} %")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(1000).with_style(style)
}
