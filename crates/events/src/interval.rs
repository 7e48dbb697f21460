//! Confidence interval of an accuracy.

/// Two-sided 95 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Returns the Wilson 95 % confidence interval of an accuracy, both ends 0 to 1, from the number of images that were
/// classified correctly out of `total` (Wilson 1927, <https://doi.org/10.1080/01621459.1927.10502953>).
/// Unlike the normal approximation, it holds for few images and for accuracies near 0 and 1.
/// Returns `None` if `total` is 0.
/// image.
///
/// ```
/// let [low, high] = events::accuracy_interval(45, 50).unwrap();
/// assert_eq!(format!("{low:.4} to {high:.4}"), "0.7864 to 0.9565");
/// ```
pub fn accuracy_interval(correct: u64, total: u64) -> Option<[f64; 2]> {
    if total == 0 {
        return None;
    }
    let (correct, total) = (correct.min(total) as f64, total as f64);
    let share = correct / total;
    let spread = Z * Z / total;
    let center = (share + spread / 2.0) / (1.0 + spread);
    let variance = share * (1.0 - share) / total + spread / (4.0 * total);
    let half = Z * variance.sqrt() / (1.0 + spread);
    // These two are exact; rounding would be slightly off.
    let low = if correct == 0.0 { 0.0 } else { center - half };
    let high = if correct == total { 1.0 } else { center + half };
    Some([low.max(0.0), high.min(1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The values come from `statsmodels.stats.proportion.proportion_confint(k, n,
    /// method="wilson")`.
    #[test]
    fn intervals_match_statsmodels() {
        for (correct, total, expected) in [
            (0, 10, [0.0, 0.277_532_8]),
            (10, 10, [0.722_467_2, 1.0]),
            (8, 10, [0.490_162_5, 0.943_317_8]),
            (922, 1000, [0.903_717_4, 0.937_052_8]),
        ] {
            let found = accuracy_interval(correct, total).unwrap();
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
        assert_eq!(accuracy_interval(0, 0), None);
    }

    proptest! {
        #[test]
        fn interval_contains_its_accuracy(correct: u64, total in 1_u64..) {
            let [low, high] = accuracy_interval(correct, total).unwrap();
            let share = correct.min(total) as f64 / total as f64;
            prop_assert!(0.0 <= low && high <= 1.0);
            prop_assert!(low <= share + 1e-12 && share <= high + 1e-12, "{low} {share} {high}");
        }
    }
}
