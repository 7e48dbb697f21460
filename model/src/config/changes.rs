//! Network details that cannot be derived from the network's name or its tensors' names and shapes.

use derive_setters::Setters;
use serde::{Deserialize, Serialize};

use super::{
    BlockKind, BottleneckStride, ConfigError, NetworkConfig, ResNetConfig, ShortcutKind, StemKind,
    StemPool,
};

/// Changes to a residual network; `None` leaves a setting as it is.
///
/// ```
/// use model::{NetworkChanges, StemPool};
///
/// let changes = NetworkChanges::default().with_stem_pool(Some(StemPool::Max));
/// let network = changes.apply(model::NetworkConfig::named("resnet20")?)?;
/// assert_ne!(network, model::NetworkConfig::named("resnet20")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Setters, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
#[non_exhaustive]
pub struct NetworkChanges {
    /// Layers before the first stage.
    pub stem: Option<StemKind>,
    /// Stride of the first convolution.
    pub stem_stride: Option<usize>,
    /// Pool after the stem's convolutions.
    pub stem_pool: Option<StemPool>,
    /// Convolution of a bottleneck that has the stride.
    pub bottleneck_stride: Option<BottleneckStride>,
    /// The path around every block.
    pub shortcut: Option<ShortcutKind>,
    /// Value added to the variance in every batch norm.
    pub norm_epsilon: Option<f64>,
}

impl NetworkChanges {
    /// Returns whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the changed network.
    ///
    /// # Errors
    ///
    /// If the network lacks the changed part, or a value is out of range.
    pub fn apply(&self, mut network: NetworkConfig) -> Result<NetworkConfig, ConfigError> {
        if self.is_empty() {
            return Ok(network);
        }
        let NetworkConfig::Resnet(config) = &mut network else {
            return Err(ConfigError::NoStages);
        };
        self.apply_to(config)?;
        network.validate()?;
        Ok(network)
    }

    fn apply_to(&self, config: &mut ResNetConfig) -> Result<(), ConfigError> {
        if self.bottleneck_stride.is_some() && config.block != BlockKind::Bottleneck {
            return Err(ConfigError::NoBottlenecks);
        }
        let stride = self.stem_stride.or(config.stem_stride);
        let pool = self.stem_pool.or(config.stem_pool);
        config.stem = self.stem.unwrap_or(config.stem);
        // The usual values are not stored, so that equal networks compare equal.
        config.stem_stride = stride.filter(|stride| *stride != config.stem.usual_stride());
        config.stem_pool = pool.filter(|pool| *pool != config.stem.usual_pool());
        config.bottleneck_stride = self.bottleneck_stride.unwrap_or(config.bottleneck_stride);
        config.shortcut = self.shortcut.unwrap_or(config.shortcut);
        config.norm_epsilon = self.norm_epsilon.unwrap_or(config.norm_epsilon);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_values_are_not_changes() {
        let changes = NetworkChanges {
            stem_stride: Some(2),
            stem_pool: Some(StemPool::Max),
            bottleneck_stride: Some(BottleneckStride::Spatial),
            shortcut: Some(ShortcutKind::Projection),
            norm_epsilon: Some(1e-5),
            ..NetworkChanges::default()
        };
        let network = crate::NetworkConfig::named("resnet50").unwrap();
        assert_eq!(changes.apply(network.clone()).unwrap(), network);
        let changes = NetworkChanges {
            bottleneck_stride: Some(BottleneckStride::First),
            ..NetworkChanges::default()
        };
        let network = changes.apply(network).unwrap();
        assert_eq!(network, crate::NetworkConfig::named("resnet50a").unwrap());
    }

    #[test]
    fn missing_details_cannot_be_changed() {
        let pool = NetworkChanges {
            stem_pool: Some(StemPool::Max),
            ..NetworkChanges::default()
        };
        let error = pool
            .apply(crate::NetworkConfig::named("digit").unwrap())
            .unwrap_err();
        assert_eq!(error, ConfigError::NoStages);
        let stride = NetworkChanges {
            bottleneck_stride: Some(BottleneckStride::First),
            ..NetworkChanges::default()
        };
        let error = stride
            .apply(crate::NetworkConfig::named("resnet18").unwrap())
            .unwrap_err();
        assert_eq!(error, ConfigError::NoBottlenecks);
        let stride = NetworkChanges {
            stem_stride: Some(9),
            ..NetworkChanges::default()
        };
        assert!(
            stride
                .apply(crate::NetworkConfig::named("resnet18").unwrap())
                .is_err()
        );
    }
}
