//! Results of a measurement as text and as JSON.

use std::fmt;
use std::time::Duration;

use device::{DeviceKind, SelectedDevice};
use serde::Serialize;

use super::{Measurement, process};
use saved_models::InputShape;

const FLOAT32: &str = "float32";

/// The work done in each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Images to logits on the host.
    Predict,
    /// Forward and backward pass and the optimizer step.
    TrainStep,
}

/// What was measured, and on which hardware.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    task: Work,
    device: String,
    /// The CPU's vector instructions that the kernels of `flex` use.
    simd: Option<&'static str>,
    /// Numbers that the network computes with, such as `float32`.
    precision: &'static str,
    model: String,
    input: InputShape,
    batch: usize,
    threads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    optimizer: Option<&'static str>,
}

impl Setting {
    /// Returns the setting for a network's prediction with the given batch size.
    pub fn predict(
        device: &SelectedDevice,
        model: String,
        input: InputShape,
        batch: usize,
    ) -> Self {
        Self {
            task: Work::Predict,
            device: device.to_string(),
            simd: (device.kind() == DeviceKind::Flex)
                .then(ops::simd)
                .flatten(),
            precision: FLOAT32,
            model,
            input,
            batch,
            threads: device::threads(),
            optimizer: None,
        }
    }

    /// Returns the setting for a network of integers, which takes other instructions.
    #[must_use]
    pub fn with_int8(self) -> Self {
        Self {
            simd: self.simd.and(ops::int8_simd()),
            precision: "int8",
            ..self
        }
    }

    /// Returns the setting for a network's training step with the given batch size and optimizer.
    pub fn train_step(
        device: &SelectedDevice,
        model: String,
        input: InputShape,
        batch: usize,
        optimizer: &'static str,
    ) -> Self {
        Self {
            task: Work::TrainStep,
            optimizer: Some(optimizer),
            ..Self::predict(device, model, input, batch)
        }
    }
}

/// The full report; `Display` formats it as text, `Serialize` as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    #[serde(flatten)]
    setting: Setting,
    repeats: usize,
    cold_ms: f64,
    median_ms: f64,
    low_ms: f64,
    high_ms: f64,
    images_per_second: f64,
    /// `None` if the system does not report it.
    peak_memory_bytes: Option<u64>,
    /// Memory before the network was built.
    memory_before_bytes: Option<u64>,
    #[serde(skip)]
    cold_from: &'static str,
}

impl Report {
    /// Returns the report of a finished measurement.
    pub fn new(setting: Setting, measurement: &Measurement) -> Self {
        let milliseconds = |time: Duration| time.as_nanos() as f64 / 1e6;
        let median = measurement.percentile(50.0);
        // A run shorter than the clock's resolution counts as one tick.
        let seconds = median.as_secs_f64().max(1e-9);
        Self {
            repeats: measurement.repeats(),
            cold_ms: milliseconds(measurement.cold),
            median_ms: milliseconds(median),
            low_ms: milliseconds(measurement.percentile(10.0)),
            high_ms: milliseconds(measurement.percentile(90.0)),
            images_per_second: setting.batch as f64 / seconds,
            peak_memory_bytes: process::peak_memory(),
            memory_before_bytes: measurement.memory_before,
            cold_from: measurement.cold_from,
            setting,
        }
    }

    /// Returns the report as a JSON object on one line.
    ///
    /// # Errors
    ///
    /// None in practice: every value can be represented in JSON.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting {
            task,
            device,
            simd,
            precision,
            model,
            input,
            batch,
            threads,
            optimizer,
        } = &self.setting;
        let (once, first) = match task {
            Work::Predict => ("one prediction", "first prediction"),
            Work::TrainStep => ("one training step", "first step"),
        };
        writeln!(formatter, "device     {device}")?;
        if let Some(simd) = simd {
            writeln!(formatter, "vectors    {simd}")?;
        }
        if *precision != FLOAT32 {
            writeln!(formatter, "precision  {precision}")?;
        }
        writeln!(formatter, "model      {model}")?;
        if let Some(optimizer) = optimizer {
            writeln!(formatter, "optimizer  {optimizer}")?;
        }
        writeln!(formatter, "input      {input}, {batch} in a batch")?;
        writeln!(formatter, "threads    {threads}")?;
        writeln!(
            formatter,
            "cold       {} ms from the start of the {} to the end of the {first}",
            significant(self.cold_ms),
            self.cold_from
        )?;
        writeln!(
            formatter,
            "warm       {} ms for {once}, the median of {}; {} to {} ms from the 10th to the 90th percentile",
            significant(self.median_ms),
            self.repeats,
            significant(self.low_ms),
            significant(self.high_ms)
        )?;
        writeln!(
            formatter,
            "speed      {} images a second",
            significant(self.images_per_second)
        )?;
        match self.peak_memory_bytes {
            Some(bytes) => write!(
                formatter,
                "memory     {:.1} MiB at its peak",
                bytes as f64 / 1_048_576.0
            ),
            None => write!(formatter, "memory     not known on this system"),
        }
    }
}

/// Formats a value with four significant digits, but never fewer than its integer part has.
fn significant(value: f64) -> String {
    let before_point = value.abs().max(1e-3).log10().floor() as i32 + 1;
    format!("{value:.*}", (4 - before_point).clamp(0, 6) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{ProgramStart, measure};
    use device::DeviceRequest;

    fn report() -> Report {
        let device = device::resolve(&DeviceRequest::Auto).unwrap().device;
        let input = "3x32x32".parse().unwrap();
        let setting = Setting::train_step(&device, "resnet8".to_owned(), input, 4, "sgd");
        let measurement = measure(
            &ProgramStart::here(),
            Some(1),
            std::num::NonZeroUsize::new(3),
            &mut |_| {},
            (),
            |()| Ok::<_, ()>(()),
        );
        Report::new(setting, &measurement.unwrap())
    }

    #[test]
    fn json_has_its_keys_in_order() {
        let text = report().json().unwrap();
        let mut rest = text.as_str();
        for key in [
            "task",
            "device",
            "simd",
            "model",
            "input",
            "batch",
            "threads",
            "optimizer",
            "repeats",
            "cold_ms",
            "median_ms",
            "low_ms",
            "high_ms",
            "images_per_second",
            "peak_memory_bytes",
            "memory_before_bytes",
        ] {
            let (_, after) = rest
                .split_once(&format!("\"{key}\":"))
                .unwrap_or_else(|| panic!("no {key} in {rest}"));
            rest = after;
        }
        assert!(!rest.contains("\":"), "{rest}");
        assert!(
            text.contains(r#""task":"train-step""#) && text.contains("[3,32,32]"),
            "{text}"
        );
    }

    #[test]
    fn text_report_matches_snapshot() {
        let text = report().to_string();
        for words in [
            "resnet8",
            "sgd",
            "3x32x32, 4 in a batch",
            "median of 3",
            "first step",
        ] {
            assert!(text.contains(words), "no `{words}` in {text}");
        }
    }

    #[test]
    fn numbers_have_four_digits() {
        assert_eq!(significant(0.012_345_6), "0.01235");
        assert_eq!(significant(1.234_56), "1.235");
        assert_eq!(significant(123.456), "123.5");
        assert_eq!(significant(1_234_567.8), "1234568");
        assert_eq!(significant(0.0), "0.000000");
    }
}
