//! Limits an axis to the values before a run diverged.
//!
//! A loss that explodes takes up the whole axis, so that nothing else is visible. Instead, values
//! far above the first ones are cut off, and the point where a line leaves the axis for good is
//! marked.
//! values of the lines is cut off instead, and the place where a line leaves for good is marked.

use super::{Scale, Series};

/// Number of first points that determine the usual size of a line's values.
const FIRST: usize = 10;
/// Lines with first values larger than those of another line by more than this factor have already
/// diverged.
const SIMILAR: f64 = 20.0;
/// Values up to this multiple of the first ones are always shown.
const SHOWN: f64 = 5.0;
/// The axis is cut only if the largest value exceeds the first ones by more than this factor.
const EXPLODED: f64 = 20.0;

/// Returns the highest value that an axis should show, or `None` if it shows all.
///
/// Only linear axes are cut: one that starts at zero shows amounts that are meant to grow, such as
/// a rate, and a logarithmic one has room for everything.
pub(crate) fn greatest_shown(scale: Scale, series: &[Series]) -> Option<f64> {
    if scale != Scale::Linear {
        return None;
    }
    let firsts: Vec<f64> = series.iter().filter_map(usual).collect();
    let least = firsts.iter().copied().reduce(f64::min)?;
    let similar = firsts.into_iter().filter(|first| *first <= SIMILAR * least);
    let usual = similar.fold(least, f64::max);
    let values = || series.iter().flat_map(finite);
    let greatest = values().fold(f64::NEG_INFINITY, f64::max);
    if greatest <= EXPLODED * usual {
        return None;
    }
    let shown = values().filter(|value| *value <= SHOWN * usual);
    shown.reduce(f64::max)
}

/// Returns the usual size of a line's values at its start: the first value, or the median of the
/// first values if that is larger. If the median is much larger, the line explodes immediately, and
/// the first value is used. Returns `None` for values of zero or less.
fn usual(series: &Series) -> Option<f64> {
    let mut values: Vec<f64> = finite(series).take(FIRST).collect();
    let first = *values.first()?;
    values.sort_by(f64::total_cmp);
    let median = values[(values.len() - 1) / 2];
    let usual = match median > SIMILAR * first {
        true => first,
        false => first.max(median),
    };
    (usual > 0.0).then_some(usual)
}

fn finite(series: &Series) -> impl Iterator<Item = f64> {
    let values = series.points.iter().map(|point| point[1]);
    values.filter(|value| value.is_finite())
}

/// Returns the first of the points at a line's end that are all above the axis or NaN.
pub(crate) fn divergence(values: &[f64], greatest: Option<f64>) -> Option<usize> {
    let greatest = greatest.unwrap_or(f64::INFINITY);
    let is_shown = |value: &f64| value.is_finite() && *value <= greatest;
    let first = values.iter().rposition(is_shown).map_or(0, |last| last + 1);
    (first < values.len()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Style;

    fn series(values: &[f64]) -> Series {
        Series {
            label: String::new(),
            points: values
                .iter()
                .enumerate()
                .map(|(x, &y)| [x as f64, y])
                .collect(),
            range: Vec::new(),
            best: None,
            style: Style::default(),
        }
    }

    #[test]
    fn exploding_curve_is_clipped_at_start() {
        let exploded = [2.3, 2.2, 1.9, 2.4, 9.0, 80.0, 1e9, 5e27];
        let lines = [series(&exploded), series(&[2.2, 3e20])];
        let greatest = greatest_shown(Scale::Linear, &lines);
        assert_eq!(greatest, Some(9.0));
        assert_eq!(divergence(&exploded, greatest), Some(5));
        assert_eq!(divergence(&[2.2, 3e20], greatest), Some(1));
        for scale in [Scale::Logarithmic, Scale::FromZero, Scale::ZeroToLast] {
            assert_eq!(greatest_shown(scale, &lines), None);
        }
        // Almost immediately, and in one of two runs.
        let early: Vec<f64> = [2.3, 2.5]
            .into_iter()
            .chain((1..98).map(|power| 10_f64.powi(power)))
            .collect();
        let lines = [series(&early), series(&[0.4, 0.3, 2.0, 0.2])];
        assert_eq!(greatest_shown(Scale::Linear, &lines), Some(10.0));
    }

    #[test]
    fn usual_curves_are_not_clipped() {
        for values in [
            &[2.3, 1.5, 0.1][..],
            &[0.2, 2.9, 0.3],
            &[300.0, 4.0, 0.5],
            &[0.0, 0.0, 1.0],
            &[-3.0, -2.0, 9e9],
            &[7.0],
            &[],
        ] {
            assert_eq!(
                greatest_shown(Scale::Linear, &[series(values)]),
                None,
                "{values:?}"
            );
            assert_eq!(divergence(values, None), None);
        }
        // A peak that a run recovers from.
        let peak = [2.3, 2.0, 900.0, 2.0];
        let greatest = greatest_shown(Scale::Linear, &[series(&peak)]);
        assert_eq!(greatest, Some(2.3));
        assert_eq!(divergence(&peak, greatest), None);
    }

    #[test]
    fn trailing_nan_marks_divergence() {
        assert_eq!(
            divergence(&[1.0, f64::NAN, 2.0, f64::NAN, f64::INFINITY], None),
            Some(3)
        );
        assert_eq!(divergence(&[f64::NAN], None), Some(0));
    }
}
