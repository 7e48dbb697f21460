//! Whether integers belong to a network.

use super::{InputRange, Quantization, QuantizationError};
use crate::config::NetworkConfig;
use crate::graph::Traced;
use crate::tensors::tensors;
use ops::ResidualBackend;

impl Quantization {
    /// Checks that all parts have the sizes of the network's.
    pub(super) fn check<B: ResidualBackend>(
        &self,
        traced: &Traced<'_, B>,
        config: &NetworkConfig,
    ) -> Result<(), QuantizationError> {
        let wrong = |name: &str, what: &str| Err(QuantizationError(format!("`{name}` {what}")));
        let Traced {
            graph,
            layers,
            norms,
            linear: (linear, _),
        } = traced;
        let tensors = tensors(config).map_err(|error| QuantizationError(error.to_string()))?;
        let shape = |name: String| {
            let tensor = tensors.iter().find(|tensor| tensor.name == name);
            tensor
                .map(|tensor| tensor.shape.clone())
                .unwrap_or_default()
        };
        let mut parts: Vec<_> = self.convolutions.iter().collect();
        parts.push(&self.linear);
        let names: Vec<_> = layers
            .iter()
            .map(|layer| layer.name.as_str())
            .chain([*linear])
            .collect();
        if parts.len() != names.len() || self.norms.len() != norms.len() {
            return wrong(
                "quantization",
                "has another number of layers than the network",
            );
        }
        for (part, name) in parts.into_iter().zip(names) {
            let mut expected = shape(format!("{name}.weight"));
            if expected.len() == 2 {
                expected = vec![expected[1], expected[0], 1, 1];
            }
            let outputs = expected.first().copied().unwrap_or(0);
            let is_right = part.name == name
                && part.shape[..] == expected
                && part.weight.len() == expected.iter().product::<usize>()
                && [part.scale.len(), part.bias.len()] == [outputs; 2];
            if !is_right {
                return wrong(name, "has another shape than in the network");
            }
            let numbers = part.scale.iter().chain(&part.bias);
            if !numbers.clone().all(|number| number.is_finite())
                || part.scale.iter().any(|&scale| scale <= 0.0)
            {
                return wrong(name, "has a scale or bias out of range");
            }
        }
        for (part, (name, _)) in self.norms.iter().zip(norms) {
            let channels = shape(format!("{name}.gamma"));
            if part.name != *name
                || [vec![part.scale.len()], vec![part.shift.len()]] != [channels.clone(), channels]
            {
                return wrong(name, "has another shape than in the network");
            }
            let mut numbers = part.scale.iter().chain(&part.shift);
            if !numbers.all(|number| number.is_finite()) {
                return wrong(name, "has a scale or shift out of range");
            }
        }
        let is_step = |step: &f32| step.is_finite() && *step > 0.0;
        let is_code = |zero: &f32| (0.0..=254.0).contains(zero);
        let InputRange { step, zero } = &self.input;
        let channels = config.input_channels();
        if [step.len(), zero.len()] != [channels; 2]
            || !step.iter().all(is_step)
            || !zero.iter().all(is_code)
        {
            return wrong("input", "has no valid step and zero for each channel");
        }
        if self.steps.len() != graph.steps().len() || !self.steps.iter().all(is_step) {
            return wrong("steps", "has no valid step for each operation");
        }
        Ok(())
    }
}
