//! Rounding of weights.

/// Largest absolute value of a weight.
const MOST: f32 = 127.0;
/// Parts of the largest weight that are tried as the end of a channel's range.
const SHARES: [f32; 9] = [1.0, 0.975, 0.95, 0.925, 0.9, 0.85, 0.8, 0.75, 0.7];

/// Weights of 8 bits.
pub(super) struct Rounded {
    pub weight: Vec<i8>,
    /// Factor for each output channel.
    pub scale: Vec<f32>,
}

/// Rounds a weight with `channels` output channels, which come first. The range of each channel is the
/// one with the least squared error.
pub(super) fn round(weight: &[f32], channels: usize) -> Rounded {
    let mut rounded = Rounded {
        weight: Vec::with_capacity(weight.len()),
        scale: Vec::with_capacity(channels),
    };
    for channel in weight.chunks_exact(weight.len() / channels.max(1)) {
        let most = channel
            .iter()
            .fold(0.0, |most: f32, weight| most.max(weight.abs()));
        let error = |scale: f32| -> f64 {
            let errors = channel
                .iter()
                .map(|&weight| weight - code(weight, scale) * scale);
            errors.map(|error| f64::from(error).powi(2)).sum()
        };
        let scales = SHARES.map(|share| most * share / MOST);
        let best = scales
            .into_iter()
            .map(|scale| (scale, error(scale)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        let scale = best.map_or(0.0, |(scale, _)| scale);
        // A channel of zeros, or of values so small that their scale is zero, stays zero.
        let scale = if scale > 0.0 { scale } else { 1.0 };
        rounded.scale.push(scale);
        rounded
            .weight
            .extend(channel.iter().map(|&weight| code(weight, scale) as i8));
    }
    rounded
}

fn code(weight: f32, scale: f32) -> f32 {
    (weight / scale).round_ties_even().clamp(-MOST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_within_half_a_step() {
        let weight: Vec<f32> = (0..200)
            .map(|index| ((index * 37) % 101) as f32 / 50.0 - 1.0)
            .collect();
        let rounded = round(&weight, 2);
        let codes = weight.iter().zip(&rounded.weight).enumerate();
        for (index, (weight, &code)) in codes {
            let scale = rounded.scale[index / 100];
            let error = weight - f32::from(code) * scale;
            assert!(error.abs() <= 0.5001 * scale, "{error}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let rounded = round(&[0.0, 0.0, 1.0, -0.5], 2);
        assert_eq!(rounded.weight, [0, 0, 127, -64]);
        assert!(rounded.scale.iter().all(|scale| *scale > 0.0));
    }
}
