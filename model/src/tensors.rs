//! The tensors of a network, as stored in a weights file.

use crate::config::{ConfigError, DigitConfig, NetworkConfig, ResNetConfig};
use crate::convolution::{ConvolutionSpec, Norm};
use crate::digit::{BLOCK_WIDTH, CHANNELS, FLATTENED};
use crate::layout::Layout;

/// A tensor of a network: a parameter or a running statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorShape {
    /// Path through the modules, separated by dots, such as `head.linear.weight`; the same name as
    /// in records.
    pub name: String,
    /// Sizes: `[out_channels, in_channels / groups, kernel, kernel]` for the weight of a
    /// convolution, `[inputs, outputs]` for that of a linear layer, `[channels]` for all others.
    pub shape: Vec<usize>,
}

/// Returns all tensors of a network in forward order, without allocating any.
///
/// ```
/// let tensors = model::tensors(&model::NetworkConfig::named("resnet50")?)?;
/// assert_eq!(tensors[0].name, "stem.convolution.conv.weight");
/// assert_eq!(tensors[0].shape, [64, 3, 7, 7]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If a value of the config is out of range.
pub fn tensors(config: &NetworkConfig) -> Result<Vec<TensorShape>, ConfigError> {
    config.validate()?;
    let mut list = List(Vec::new());
    match config {
        NetworkConfig::Resnet(config) => list.resnet(config),
        NetworkConfig::Digit(config) => list.digit(config),
    }
    Ok(list.0)
}

struct List(Vec<TensorShape>);

impl List {
    fn resnet(&mut self, config: &ResNetConfig) {
        let layout = Layout::new(config);
        for (index, spec) in layout.stem.deep.iter().flatten().enumerate() {
            self.convolution(&format!("stem.deep.{index}"), spec);
        }
        self.convolution("stem.convolution", &layout.stem.convolution);
        for (stage, blocks) in layout.stages.iter().enumerate() {
            for (position, block) in blocks.iter().enumerate() {
                let path = format!("stages.{stage}.blocks.{position}");
                if let Some(channels) = block.pre_activation {
                    self.norm(&format!("{path}.pre_activation"), channels);
                }
                for (index, spec) in block.branch.iter().enumerate() {
                    self.convolution(&format!("{path}.branch.{index}"), spec);
                }
                let projection = block.shortcut.as_ref().and_then(|path| path.projection);
                if let Some(spec) = projection {
                    self.convolution(&format!("{path}.shortcut.projection"), &spec);
                }
            }
        }
        if layout.head.norm {
            self.norm("head.norm", layout.head.channels);
        }
        self.linear("head.linear", layout.head.channels, layout.head.classes);
    }

    fn digit(&mut self, config: &DigitConfig) {
        let [first, second] = CHANNELS;
        for (number, in_channels, out_channels, kernel) in
            [(1, config.input_channels, first, 5), (2, first, second, 3)]
        {
            let name = format!("convolution{number}");
            self.biased(&name, [out_channels, in_channels, kernel, kernel]);
            let block = format!("block{number}");
            let shape = [BLOCK_WIDTH, out_channels, 5, 5];
            self.biased(&format!("{block}.convolution1"), shape);
            let shape = [out_channels, BLOCK_WIDTH, 3, 3];
            self.biased(&format!("{block}.convolution2"), shape);
        }
        self.linear("linear", FLATTENED, config.classes);
    }

    fn convolution(&mut self, path: &str, spec: &ConvolutionSpec) {
        let shape = [
            spec.out_channels,
            spec.in_channels / spec.groups,
            spec.kernel,
            spec.kernel,
        ];
        self.add(format!("{path}.conv.weight"), &shape);
        if spec.bias {
            self.add(format!("{path}.conv.bias"), &[spec.out_channels]);
        }
        if spec.norm != Norm::None {
            self.norm(&format!("{path}.norm"), spec.out_channels);
        }
    }

    fn norm(&mut self, path: &str, channels: usize) {
        for part in ["gamma", "beta", "running_mean", "running_var"] {
            self.add(format!("{path}.{part}"), &[channels]);
        }
    }

    fn biased(&mut self, path: &str, shape: [usize; 4]) {
        self.add(format!("{path}.weight"), &shape);
        self.add(format!("{path}.bias"), &shape[..1]);
    }

    fn linear(&mut self, path: &str, inputs: usize, outputs: usize) {
        self.add(format!("{path}.weight"), &[inputs, outputs]);
        self.add(format!("{path}.bias"), &[outputs]);
    }

    fn add(&mut self, name: String, shape: &[usize]) {
        self.0.push(TensorShape {
            name,
            shape: shape.to_vec(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use burn_flex::Flex;
    use burn_store::ModuleSnapshot as _;

    #[test]
    fn listed_tensors_match_modules() {
        for name in [
            "resnet8",
            "resnet18-tutorial",
            "resnet50d",
            "resnext50_32x4d",
            "preresnet20",
            "preresnet50",
            "plain20",
            "digit",
        ] {
            let config = crate::NetworkConfig::named(name).unwrap();
            let snapshots = match config.init::<Flex>(&Default::default()).unwrap() {
                Network::ResNet(network) => network.collect(None, None, false),
                Network::Digit(network) => network.collect(None, None, false),
            };
            let mut expected: Vec<_> = snapshots
                .iter()
                .map(|snapshot| (snapshot.full_path(), snapshot.shape.to_vec()))
                .collect();
            let mut found: Vec<_> = tensors(&config)
                .unwrap()
                .into_iter()
                .map(|tensor| (tensor.name, tensor.shape))
                .collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{name}");
        }
    }
}
