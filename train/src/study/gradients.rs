//! Size of the gradient at each layer.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use burn::backend::Autodiff;
use burn::data::dataloader::DataLoader as _;
use burn::module::{Module as _, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_train::TrainStep as _;
use model::{ResidualBackend, UnknownNetwork};
use report::chart::{Axis, Chart, Panel, Scale, Series};

use super::{networks, style};
use crate::error::{ConfigError, TrainError};
use crate::plan::Plan;
use crate::settings::TrainConfig;
use crate::step::Classifier;

/// Gradients of plain and residual networks of some depths before training.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// Depths of the networks in layers, 6n+2.
    pub depths: Vec<usize>,
    /// Number of batches to measure gradients on.
    pub batches: usize,
    /// Data, batch size, seed and device.
    pub base: TrainConfig,
}

/// Gradient norms of one network.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientProfile {
    /// Name of the network in the registry.
    pub network: String,
    /// Gradient norm of each convolution's weights, from input to output: the root of the mean over batches of the
    /// squared norm. Projections in shortcuts are excluded.
    pub norms: Vec<f64>,
}

impl Gradients {
    /// Returns the settings for batches of 128 CIFAR-10 images without augmentation.
    pub fn recipe() -> TrainConfig {
        TrainConfig {
            data: data::Source::Cifar10,
            batch_size: NonZeroUsize::MIN.saturating_add(127),
            ..TrainConfig::default()
        }
    }

    /// Returns the settings of each network.
    ///
    /// # Errors
    ///
    /// If there are no networks of one of the depths.
    pub fn networks(&self) -> Result<Vec<TrainConfig>, UnknownNetwork> {
        let config = |name| TrainConfig {
            model: Some(name),
            ..self.base.clone()
        };
        Ok(networks(&self.depths)?.into_iter().map(config).collect())
    }

    /// Measures the gradients of one network, and calls `progress` after every batch.
    ///
    /// # Errors
    ///
    /// If the network cannot be built, or a gradient is not finite.
    pub fn measure<B: ResidualBackend>(
        &self,
        plan: &Plan,
        device: &B::Device,
        progress: &mut dyn FnMut(),
    ) -> Result<GradientProfile, TrainError> {
        let config = &plan.config;
        Autodiff::<B>::seed(device, config.seed);
        let network =
            plan.network
                .init::<Autodiff<B>>(device)
                .map_err(|error| ConfigError::Network {
                    model: plan.model.clone(),
                    reason: error.to_string(),
                })?;
        let classifier = Classifier {
            network,
            label_smoothing: 0.0,
            gradient_checkpointing: false,
        };
        let loader = plan
            .loader::<Autodiff<B>>(&plan.train, Some(config.seed), device)
            .with_augmentation(config.augmentation.clone(), config.seed)
            .map_err(ConfigError::from)?;
        let mut squares: Vec<f64> = Vec::new();
        let mut batches = 0_u32;
        for batch in loader.iter().take(self.batches) {
            let gradients = classifier.step(batch).grads;
            let of_batch = squared_norms(&classifier, &gradients);
            squares.resize(of_batch.len(), 0.0);
            for (sum, square) in squares.iter_mut().zip(of_batch) {
                *sum += square;
            }
            batches += 1;
            progress();
        }
        let norms: Vec<f64> = squares
            .into_iter()
            .map(|sum| (sum / f64::from(batches.max(1))).sqrt())
            .collect();
        match norms.iter().all(|norm| norm.is_finite()) {
            true => Ok(GradientProfile {
                network: plan.model.clone(),
                norms,
            }),
            false => Err(TrainError::Gradient {
                model: plan.model.clone(),
            }),
        }
    }

    /// Plots the gradient norm of each convolution's weights.
    pub fn chart(&self, profiles: &[GradientProfile]) -> Chart {
        Chart {
            title: format!("Gradients before training, on {}", self.base.data),
            panels: vec![Panel {
                title: "norm of the gradient of a convolution's weights".to_owned(),
                x: Axis {
                    label: "convolution, from the images on".to_owned(),
                    scale: Scale::FromZero,
                },
                y: Axis {
                    label: "norm".to_owned(),
                    scale: Scale::Logarithmic,
                },
                series: profiles
                    .iter()
                    .map(|profile| Series {
                        label: profile.network.clone(),
                        points: (1_u32..)
                            .zip(&profile.norms)
                            .map(|(layer, &norm)| [f64::from(layer), norm])
                            .collect(),
                        best: None,
                        range: Vec::new(),
                        style: style(&profile.network, &self.depths, false),
                    })
                    .collect(),
            }],
        }
    }

    /// Returns the norms of the first and last convolution as a Markdown table.
    pub fn table(profiles: &[GradientProfile]) -> String {
        let mut text =
            "| network | first convolution | last convolution | ratio |\n|---|---|---|---|\n"
                .to_owned();
        for GradientProfile { network, norms } in profiles {
            if let (Some(first), Some(last)) = (norms.first(), norms.last()) {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "| {network} | {} | {} | {} |",
                    number(*first),
                    number(*last),
                    number(first / last)
                );
            }
        }
        text
    }

    /// Returns all norms as comma-separated values.
    pub fn values(profiles: &[GradientProfile]) -> String {
        let mut text = "network,convolution,norm\n".to_owned();
        for GradientProfile { network, norms } in profiles {
            for (index, norm) in norms.iter().enumerate() {
                let _ = writeln!(text, "{network},{},{norm:e}", index + 1);
            }
        }
        text
    }
}

/// Formats a number with three digits, and with a power of ten where there would be many zeros.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        0.01..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        100.0..10_000.0 => format!("{value:.0}"),
        _ => format!("{value:.2e}"),
    }
}

/// Returns the squared gradient norm of each convolution's weights, in module order.
fn squared_norms<B: ResidualBackend>(
    classifier: &Classifier<Autodiff<B>>,
    gradients: &GradientsParams,
) -> Vec<f64> {
    struct Norms<'a, B: Backend> {
        gradients: &'a GradientsParams,
        in_projection: bool,
        squares: Vec<Tensor<B, 1>>,
    }
    impl<B: ResidualBackend> ModuleVisitor<Autodiff<B>> for Norms<'_, B> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.in_projection |= name == "projection";
        }

        fn exit_module(&mut self, name: &str, _: &str) {
            self.in_projection &= name != "projection";
        }

        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<Autodiff<B>, D>>) {
            if D != 4 || self.in_projection {
                return;
            }
            let gradient: Option<Tensor<<Autodiff<B> as AutodiffBackend>::InnerBackend, D>> =
                self.gradients.get(parameter.id);
            if let Some(gradient) = gradient {
                self.squares.push(gradient.powi_scalar(2).sum());
            }
        }
    }
    let mut norms = Norms::<B> {
        gradients,
        in_projection: false,
        squares: Vec::new(),
    };
    classifier.visit(&mut norms);
    let values = norms.squares.into_iter();
    values
        .filter_map(|square| square.into_data().iter::<f64>().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;
    use data::Source;

    fn study() -> Gradients {
        Gradients {
            depths: vec![8, 14],
            batches: 2,
            base: TrainConfig {
                data: Source::Sample,
                batch_size: NonZeroUsize::MIN.saturating_add(3),
                ..TrainConfig::default()
            },
        }
    }

    fn measure(study: &Gradients, config: TrainConfig) -> GradientProfile {
        let plan = Plan::new(config, &|_| {}).unwrap();
        study
            .measure::<Flex>(&plan, &Default::default(), &mut || {})
            .unwrap()
    }

    #[test]
    fn every_convolution_is_measured() {
        let study = study();
        let configs = study.networks().unwrap();
        let profiles: Vec<_> = configs
            .into_iter()
            .map(|config| measure(&study, config))
            .collect();
        // All layers except the last, which is linear.
        let lengths: Vec<_> = profiles.iter().map(|profile| profile.norms.len()).collect();
        assert_eq!(lengths, [7, 7, 13, 13]);
        assert!(
            profiles
                .iter()
                .all(|profile| profile.norms.iter().all(|&norm| norm > 0.0))
        );
        assert_eq!(Gradients::table(&profiles).lines().count(), 2 + 4);
        assert_eq!(
            Gradients::values(&profiles).lines().count(),
            1 + 2 * (7 + 13)
        );
        assert_eq!(study.chart(&profiles).panels[0].series[3].points.len(), 13);
    }

    #[test]
    fn projections_are_left_out() {
        let study = study();
        let config = TrainConfig {
            model: Some("resnet18".to_owned()),
            ..study.base.clone()
        };
        assert_eq!(measure(&study, config).norms.len(), 17);
    }

    /// A small step along a gradient changes the loss by its norm times the step.
    #[test]
    fn gradient_norms_match_loss_slope() {
        const STEP: f32 = 5e-4;
        let study = study();
        let config = study.networks().unwrap().remove(1);
        let plan = Plan::new(config, &|_| {}).unwrap();
        let device = Default::default();
        let network = plan.network.init::<Autodiff<Flex>>(&device).unwrap();
        let classifier = Classifier {
            network,
            label_smoothing: 0.0,
            gradient_checkpointing: false,
        };
        let loader = plan.loader::<Autodiff<Flex>>(&plan.train, Some(1), &device);
        let batch = loader.iter().next().unwrap();
        let gradients = classifier.step(batch.clone()).grads;
        let norm = squared_norms(&classifier, &gradients)[0].sqrt() as f32;
        let loss_after = |step: f32| {
            let mut classifier = classifier.clone();
            let model::Network::ResNet(network) = &mut classifier.network else {
                panic!("another network");
            };
            let weight = &mut network.stem.convolution.conv.weight;
            let gradient: Tensor<Flex, 4> = gradients.get(weight.id).unwrap();
            let step = Tensor::from_inner(gradient) * (step / norm);
            *weight = weight
                .clone()
                .map(|weight| (weight + step).detach().require_grad());
            classifier.step(batch.clone()).item.loss.into_scalar()
        };
        let slope = (loss_after(STEP) - loss_after(-STEP)) / (2.0 * STEP);
        assert!((slope / norm - 1.0).abs() < 0.1, "{slope} {norm}");
    }
}
