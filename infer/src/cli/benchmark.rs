//! `--bench`: how fast predictions are.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use device::Task;
use indicatif::{ProgressBar, ProgressStyle};
use infer::benchmark::{
    BenchmarkError, Measurement, PredictionBenchmark, ProgramStart, Report, Setting, Subject,
};
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
    let benchmark = PredictionBenchmark::new(subject, flags.input, batch)?;
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
    let report = Report::new(setting, &measurement);
    if arguments.json {
        writeln!(io::stdout(), "{}", report.json()?)?;
    } else {
        writeln!(io::stdout(), "{report}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures on whichever backend the device has.
struct Measure<'a> {
    benchmark: &'a PredictionBenchmark,
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
