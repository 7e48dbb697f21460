//! The degradation of deep networks without shortcuts (He et al. 2015,
//! <https://arxiv.org/abs/1512.03385>, section 4.2).

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use data::Augmentation;
use model::UnknownNetwork;
use report::chart::{Axis, Chart, Panel, Scale, Series};

use super::{networks, style};
use crate::checkpoint::EpochScores;
use crate::settings::TrainConfig;

/// Plain and residual networks of some depths, trained by one recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Degradation {
    /// Depths of the networks in layers, 6n+2.
    pub depths: Vec<usize>,
    /// Data, epochs, seed and device, and the folder of the runs.
    pub base: TrainConfig,
}

/// Training history of a network of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Name of the network in the registry.
    pub network: String,
    /// Scores of each epoch.
    pub history: Vec<EpochScores>,
}

impl Degradation {
    /// Returns the recipe of the paper with a cosine schedule instead of its steps: SGD with momentum 0.9, weight decay
    /// 1e-4 on all parameters, batch size 128, learning rate 0.1, random crops with 4 pixels of padding, and flips. No
    /// training images are held back, and the last epoch counts.
    pub fn recipe() -> TrainConfig {
        TrainConfig {
            data: data::Source::Cifar10,
            validation: 0.0,
            epochs: 10,
            batch_size: NonZeroUsize::MIN.saturating_add(127),
            lr: Some(0.1),
            warmup_epochs: 1.0,
            weight_decay: 1e-4,
            decay_vectors: true,
            label_smoothing: 0.0,
            augmentation: Augmentation::default().with_pad_crop(4).with_flip(true),
            ..TrainConfig::default()
        }
    }

    /// Returns the config of each network's run, with the name of the network, which is also that of the run's folder.
    ///
    /// # Errors
    ///
    /// If there are no networks of one of the depths.
    pub fn runs(&self) -> Result<Vec<(String, TrainConfig)>, UnknownNetwork> {
        let config = |name: String| {
            let config = TrainConfig {
                model: Some(name.clone()),
                name: Some(name.clone()),
                ..self.base.clone()
            };
            (name, config)
        };
        Ok(networks(&self.depths)?.into_iter().map(config).collect())
    }

    /// Plots training and test error by epoch.
    pub fn chart(&self, curves: &[Curve]) -> Chart {
        let panel = |title: &str, error: &dyn Fn(&EpochScores) -> f64| Panel {
            title: title.to_owned(),
            x: Axis {
                label: "epoch".to_owned(),
                scale: Scale::FromZero,
            },
            y: Axis {
                label: "error (%)".to_owned(),
                scale: Scale::FromZero,
            },
            series: curves
                .iter()
                .map(|curve| Series {
                    label: curve.network.clone(),
                    points: points(curve, error),
                    best: None,
                    range: Vec::new(),
                    style: style(&curve.network, &self.depths, true),
                })
                .collect(),
        };
        Chart {
            title: format!(
                "Plain and residual networks on {}, {} epochs",
                self.base.data, self.base.epochs
            ),
            panels: vec![
                panel("training error", &train_error),
                panel("test error", &test_error),
            ],
        }
    }

    /// Returns the errors of the last epoch as a Markdown table.
    pub fn table(&self, curves: &[Curve]) -> String {
        let mut text = "| network | training error | test error |\n|---|---|---|\n".to_owned();
        for Curve { network, history } in curves {
            let Some(last) = history.last() else { continue };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {network} | {:.2} % | {:.2} % |",
                train_error(last),
                test_error(last)
            );
        }
        text
    }

    /// Returns the errors of every epoch as comma-separated values.
    pub fn values(curves: &[Curve]) -> String {
        let mut text = "network,epoch,training error,test error\n".to_owned();
        for Curve { network, history } in curves {
            for (index, scores) in history.iter().enumerate() {
                let _ = writeln!(
                    text,
                    "{network},{},{:.4},{:.4}",
                    index + 1,
                    train_error(scores),
                    test_error(scores)
                );
            }
        }
        text
    }
}

fn points(curve: &Curve, error: &dyn Fn(&EpochScores) -> f64) -> Vec<[f64; 2]> {
    let epochs = curve.history.iter().zip(1_u32..);
    epochs
        .map(|(scores, epoch)| [f64::from(epoch), error(scores)])
        .collect()
}

/// Returns the training error in percent, or NaN without a training score.
fn train_error(scores: &EpochScores) -> f64 {
    let accuracy = scores.train.map_or(f64::NAN, |score| score.accuracy);
    100.0 * (1.0 - accuracy)
}

/// Returns the test error in percent.
fn test_error(scores: &EpochScores) -> f64 {
    100.0 * (1.0 - scores.validation.accuracy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Score;

    fn curve(network: &str, accuracies: &[(f64, f64)]) -> Curve {
        let score = |accuracy| Score {
            loss: 1.0,
            accuracy,
        };
        let scores = accuracies.iter().map(|&(train, test)| EpochScores {
            train: Some(score(train)),
            validation: score(test),
            averaged: None,
        });
        Curve {
            network: network.to_owned(),
            history: scores.collect(),
        }
    }

    #[test]
    fn all_networks_share_one_recipe() {
        let study = Degradation {
            depths: vec![20, 56],
            base: Degradation::recipe(),
        };
        let runs = study.runs().unwrap();
        let names: Vec<&str> = runs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["plain20", "resnet20", "plain56", "resnet56"]);
        for (name, config) in runs {
            config.validate().unwrap();
            assert_eq!(config.model_name(), name);
            let same = TrainConfig {
                model: None,
                name: None,
                ..config
            };
            assert_eq!(same, study.base);
        }
        let depths = vec![21];
        assert!(Degradation { depths, ..study }.runs().is_err());
    }

    #[test]
    fn tables_and_charts_show_errors() {
        let study = Degradation {
            depths: vec![8],
            base: Degradation::recipe(),
        };
        let curves = [
            curve("plain8", &[(0.4, 0.5), (0.75, 0.8)]),
            curve("resnet8", &[(0.5, 0.6)]),
        ];
        assert_eq!(
            study.table(&curves),
            "| network | training error | test error |\n|---|---|---|\n\
             | plain8 | 25.00 % | 20.00 % |\n| resnet8 | 50.00 % | 40.00 % |\n"
        );
        assert!(Degradation::values(&curves).contains("\nplain8,2,25.0000,20.0000\n"));
        let chart = study.chart(&curves);
        assert_eq!(
            chart.panels[1].series[0].points,
            [[1.0, 50.0], [2.0, 100.0 * (1.0 - 0.8)]]
        );
        assert!(chart.panels[0].series[0].style.dash > 0);
        assert!(chart.panels[0].series[1].style.dash == 0);
    }
}
