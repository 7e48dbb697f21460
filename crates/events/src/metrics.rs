//! Named numbers, and what they are computed from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Chart of a training loss whose definition differs from the scored loss because of label
/// smoothing or mixed images.
pub const OPTIMIZED_LOSS: &str = "optimized_loss";
/// Chart of the training accuracy on images that are mixed in pairs.
pub const MIXED_ACCURACY: &str = "mixed_accuracy";
/// Figure of training steps: the loss as defined for scoring, recorded if labels are smoothed.
pub const CROSS_ENTROPY: &str = "cross_entropy";

/// Figures by name, such as `loss` and `accuracy`, sorted by name.
///
/// JSON cannot represent infinity and NaN: both are written as `null`, which is read as NaN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metrics(BTreeMap<String, Option<f64>>);

impl Metrics {
    /// Returns the figure with a name; NaN if it was not finite when it was written.
    pub fn get(&self, name: &str) -> Option<f64> {
        let figure = self.0.get(name)?;
        Some(figure.unwrap_or(f64::NAN))
    }

    /// Sets the figure with a name.
    pub fn set(&mut self, name: impl Into<String>, figure: f64) {
        let figure = figure.is_finite().then_some(figure);
        self.0.insert(name.into(), figure);
    }

    /// Returns all figures with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0
            .iter()
            .map(|(name, figure)| (name.as_str(), figure.unwrap_or(f64::NAN)))
    }

    /// Returns whether there are no figures.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>> FromIterator<(N, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(figures: I) -> Self {
        let mut metrics = Self::default();
        for (name, figure) in figures {
            metrics.set(name, figure);
        }
        metrics
    }
}

/// The images and weights that a figure is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// The training images, one figure per step.
    Train,
    /// The validation images, one figure per epoch.
    Validation,
    /// The validation images with the moving average of the weights, one figure per epoch.
    Average,
}

impl Split {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Average];

    /// Returns the display name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Average => "average",
        }
    }
}

/// Rounds a figure to seven digits, the precision of `f32`.
pub fn round(figure: f64) -> f64 {
    let digits = figure.abs().log10().floor();
    if !digits.is_finite() {
        return figure;
    }
    let scale = 10.0_f64.powf(6.0 - digits);
    match scale.is_finite() && scale > 0.0 {
        true => (figure * scale).round() / scale,
        false => figure,
    }
}

/// Returns whether a figure of this name is a fraction, 0 to 1, that is shown in percent.
pub fn is_share(metric: &str) -> bool {
    ["accuracy", "top5", "calibration_error", MIXED_ACCURACY].contains(&metric)
}

/// Returns the display name of a figure.
pub fn title(metric: &str) -> String {
    match metric {
        "top5" => "top-5 accuracy".to_owned(),
        "rate" => "learning rate".to_owned(),
        MIXED_ACCURACY => "accuracy on mixed images".to_owned(),
        _ => metric.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_finite_numbers_round_trip_as_null() {
        let metrics = Metrics::from_iter([("loss", f64::INFINITY), ("accuracy", 0.5)]);
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"accuracy":0.5,"loss":null}"#);
        let read: Metrics = serde_json::from_str(&json).unwrap();
        assert!(read.get("loss").unwrap().is_nan());
        assert_eq!(read.get("accuracy"), Some(0.5));
        assert_eq!(read.get("rate"), None);
    }

    #[test]
    fn stored_metrics_are_short_and_close() {
        assert_eq!(round(0.532_100_021_839_141_8), 0.5321);
        assert_eq!(round(-1_234.567_89), -1_234.568);
        assert_eq!(round(0.0), 0.0);
        assert!(round(f64::NAN).is_nan());
        assert_eq!(round(f64::INFINITY), f64::INFINITY);
        assert_eq!(round(f64::MIN_POSITIVE), f64::MIN_POSITIVE);
        for figure in [1.0_f32 / 3.0, 1e-30, 2e-9, 7.1e20] {
            let figure = f64::from(figure);
            assert!((round(figure) - figure).abs() <= 5e-7 * figure);
        }
    }
}
