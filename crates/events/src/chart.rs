//! Groups figures into charts, so that only figures with the same definition share an axis.
//!
//! A run's training loss is what the optimizer minimizes. With label smoothing or mixed images, its
//! definition differs from that of the validation loss of the same name. Each chart contains curves
//! with one definition.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::history::History;
use crate::metrics::{CROSS_ENTROPY, MIXED_ACCURACY, OPTIMIZED_LOSS, Split};

impl History {
    /// Returns the label smoothing: the fraction of each label spread over all classes in training,
    /// 0 to 1.
    pub fn label_smoothing(&self) -> f64 {
        self.setting(&["label_smoothing"])
    }

    /// Returns whether training images are mixed in pairs.
    pub fn mixes_images(&self) -> bool {
        ["mixup", "cutmix"]
            .iter()
            .any(|kind| self.setting(&["augmentation", kind]) > 0.0)
    }

    fn setting(&self, path: &[&str]) -> f64 {
        let config = self.started.as_ref().map(|started| &started.config);
        let value = path
            .iter()
            .try_fold(config.unwrap_or(&Value::Null), |value, name| {
                value.get(name)
            });
        value.and_then(Value::as_f64).unwrap_or(0.0)
    }

    /// Returns the chart that a figure belongs to.
    pub fn chart_of<'a>(&self, split: Split, metric: &'a str) -> &'a str {
        match metric {
            _ if split != Split::Train => metric,
            "loss" if self.label_smoothing() > 0.0 || self.mixes_images() => OPTIMIZED_LOSS,
            "accuracy" if self.mixes_images() => MIXED_ACCURACY,
            CROSS_ENTROPY => "loss",
            metric => metric,
        }
    }

    /// Returns the figure of a split that a chart shows, if any.
    pub fn figure_in<'a>(&self, split: Split, chart: &'a str) -> Option<&'a str> {
        let metric = match chart {
            _ if split != Split::Train => chart,
            "loss" if self.chart_of(split, "loss") != "loss" => CROSS_ENTROPY,
            OPTIMIZED_LOSS => "loss",
            MIXED_ACCURACY => "accuracy",
            chart => chart,
        };
        (self.chart_of(split, metric) == chart).then_some(metric)
    }

    /// Returns the names of all charts with a curve, in order.
    pub fn charts(&self) -> BTreeSet<&str> {
        let train = self.epochs.iter().map(|epoch| &epoch.train);
        let scored = self.epochs.iter().flat_map(|epoch| {
            let average = epoch.average.iter();
            [&epoch.validation].into_iter().chain(average)
        });
        let of_train = train
            .flat_map(|metrics| metrics.iter().map(|(name, _)| name))
            .chain(self.steps.names())
            .map(|name| self.chart_of(Split::Train, name));
        let of_scored = scored.flat_map(|metrics| metrics.iter().map(|(name, _)| name));
        of_train.chain(of_scored).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Epoch, Event, Started, Step};
    use crate::metrics::Metrics;
    use serde_json::json;

    fn history(config: Value, step: &[(&str, f64)]) -> History {
        let mut history = History::default();
        history.push(Event::Started(Box::new(Started {
            config,
            ..Started::default()
        })));
        history.push(Event::Step(Step {
            seconds: 1.0,
            epoch: 1,
            step: 1,
            metrics: step.iter().copied().collect(),
        }));
        history.push(Event::Epoch(Box::new(Epoch {
            epoch: 1,
            train: step.iter().copied().collect(),
            validation: Metrics::from_iter([("loss", 0.5), ("accuracy", 0.9)]),
            ..Epoch::default()
        })));
        history
    }

    #[test]
    fn different_loss_definitions_get_separate_charts() {
        let figures = [("loss", 0.9), ("cross_entropy", 0.6), ("accuracy", 0.8)];
        let smoothed = history(json!({"label_smoothing": 0.1}), &figures);
        assert_eq!(
            smoothed.charts().into_iter().collect::<Vec<_>>(),
            ["accuracy", "loss", "optimized_loss"]
        );
        let figure = |chart| smoothed.figure_in(Split::Train, chart);
        assert_eq!(figure("loss"), Some("cross_entropy"));
        assert_eq!(figure("optimized_loss"), Some("loss"));
        assert_eq!(figure("accuracy"), Some("accuracy"));
        assert_eq!(figure("mixed_accuracy"), None);
        assert_eq!(figure("cross_entropy"), None);
        assert_eq!(smoothed.figure_in(Split::Validation, "loss"), Some("loss"));

        let plain = history(json!({"label_smoothing": 0.0}), &figures[..1]);
        assert_eq!(plain.figure_in(Split::Train, "loss"), Some("loss"));
        assert_eq!(plain.figure_in(Split::Train, "optimized_loss"), None);
        assert!(!plain.charts().contains("optimized_loss"));
    }

    #[test]
    fn accuracy_on_mixed_images_gets_own_axis() {
        for kind in ["mixup", "cutmix"] {
            let config = json!({"label_smoothing": 0.0, "augmentation": {kind: 0.2}});
            let mixed = history(config, &[("loss", 0.9), ("accuracy", 0.3)]);
            let figure = |chart| mixed.figure_in(Split::Train, chart);
            assert_eq!(figure("accuracy"), None);
            assert_eq!(figure("mixed_accuracy"), Some("accuracy"));
            assert_eq!(figure("optimized_loss"), Some("loss"));
            // No figure has the definition of the scored loss.
            let curve = figure("loss").and_then(|metric| mixed.steps.figures(metric));
            assert_eq!(curve, None);
        }
    }

    #[test]
    fn non_numeric_settings_are_ignored() {
        for config in [
            Value::Null,
            json!([1]),
            json!({"label_smoothing": "much", "augmentation": 3}),
            json!({"augmentation": {"mixup": null}}),
        ] {
            let history = history(config, &[("loss", 0.9)]);
            assert_eq!(history.figure_in(Split::Train, "loss"), Some("loss"));
        }
    }
}
