//! A chart as text.

use std::fmt::Write as _;

use crate::chart::greatest_shown;
use crate::page::figure::{Across, Figure, value};

const WIDTH: usize = 64;
const HEIGHT: usize = 12;
/// Characters for the points of each line; all further lines use the last one.
const SIGNS: [char; 6] = ['.', 'o', 'x', '+', '*', '#'];

/// Returns a chart as text, or `None` if it has no points.
pub(super) fn plot(figure: &Figure, across: Across) -> Option<String> {
    let series = figure.series(across);
    let greatest = greatest_shown(figure.scale, &series);
    let is_shown = |[x, y]: &[f64; 2]| {
        x.is_finite() && y.is_finite() && greatest.is_none_or(|greatest| *y <= greatest)
    };
    let points = || series.iter().flat_map(|series| &series.points);
    let shown = || points().filter(|point| is_shown(point));
    let bounds = |place: usize| {
        let values = shown().map(|point| point[place]);
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
            [low.min(value), high.max(value)]
        })
    };
    shown().next()?;
    let ([_, right], [low, high]) = (bounds(0), bounds(1));
    let cell = |share: f64, cells: usize| {
        let place = (share * (cells - 1) as f64).round();
        // An empty range has no positions.
        if place.is_finite() {
            place.max(0.0) as usize
        } else {
            0
        }
        .min(cells - 1)
    };
    let mut grid = vec![[' '; WIDTH]; HEIGHT];
    for (number, series) in series.iter().enumerate() {
        let mut columns = [(0.0, 0_usize); WIDTH];
        for [x, y] in series.points.iter().filter(|point| is_shown(point)) {
            let (sum, count) = &mut columns[cell(x / right, WIDTH)];
            *sum += y;
            *count += 1;
        }
        for (column, (sum, count)) in columns.into_iter().enumerate() {
            if count > 0 {
                let row = cell((high - sum / count as f64) / (high - low), HEIGHT);
                grid[row][column] = SIGNS[number.min(SIGNS.len() - 1)];
            }
        }
    }
    Some(text(figure, &grid, [low, high], right, across, greatest))
}

fn text(
    figure: &Figure,
    grid: &[[char; WIDTH]],
    [low, high]: [f64; 2],
    right: f64,
    across: Across,
    greatest: Option<f64>,
) -> String {
    let labels = [value(high, figure.unit), value(low, figure.unit)];
    let margin = labels.iter().map(|label| label.chars().count()).max();
    let margin = margin.unwrap_or(0);
    let mut text = String::new();
    for (row, line) in grid.iter().enumerate() {
        let label = match row {
            0 => &labels[0],
            row if row + 1 == grid.len() => &labels[1],
            _ => "",
        };
        let line: String = line.iter().collect();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{label:>margin$} |{}", line.trim_end());
    }
    let end = format!("{} {}", across.word(), (100.0 * right).round() / 100.0);
    let _ = writeln!(text, "{:margin$} +{}", "", "-".repeat(WIDTH));
    let _ = writeln!(text, "{:margin$}  0{end:>width$}", "", width = WIDTH - 1);
    let legend = figure.lines.iter().enumerate().map(|(number, line)| {
        let sign = SIGNS[number.min(SIGNS.len() - 1)];
        let best = line.best.and_then(|best| line.values.get(best));
        let best = best.map(|best| format!(" (best {})", value(*best, figure.unit)));
        format!("{sign} {}{}", line.label, best.unwrap_or_default())
    });
    let legend: Vec<String> = legend.collect();
    text += &legend.join("   ").replace('\n', " ");
    if let Some(greatest) = greatest {
        let _ = write!(
            text,
            "\nvalues above {} are cut off; the largest is {}",
            value(greatest, figure.unit),
            value(figure.largest(), figure.unit)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Scale, Style};
    use crate::page::figure::{Grid, Line};

    fn figure(values: &[f64]) -> Figure {
        let steps: Vec<f64> = (1..=values.len()).map(|step| step as f64).collect();
        Figure {
            title: "loss".to_owned(),
            y: "loss".to_owned(),
            unit: "",
            scale: Scale::Linear,
            lines: vec![Line {
                label: "train".to_owned(),
                style: Style::default(),
                grid: Grid {
                    seconds: steps.clone(),
                    steps,
                    per_epoch: 2.0,
                },
                values: values.to_vec(),
                range: Vec::new(),
                best: Some(0),
            }],
        }
    }

    #[test]
    fn falling_curve_spans_plot_height() {
        let text = plot(&figure(&[4.0, 3.0, 2.0, 1.0]), Across::Epoch).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 3);
        assert!(
            lines[0].starts_with("4.000 |") && lines[0].ends_with('.'),
            "{text}"
        );
        assert!(lines[HEIGHT - 1].starts_with("1.000 |"), "{text}");
        assert_eq!(lines[HEIGHT - 1].chars().count(), 7 + WIDTH, "{text}");
        assert!(lines[HEIGHT + 1].ends_with("epoch 2"), "{text}");
        assert_eq!(lines[HEIGHT + 2], ". train (best 4.000)");
    }

    #[test]
    fn strange_values_are_drawn_or_left_out() {
        assert_eq!(plot(&figure(&[]), Across::Step), None);
        assert_eq!(
            plot(&figure(&[f64::NAN, f64::INFINITY]), Across::Step),
            None
        );
        for values in [
            &[1.0][..],
            &[0.0, 0.0],
            &[f64::MAX, f64::MIN],
            &[1.0, f64::NAN, -2.0],
        ] {
            assert!(
                plot(&figure(values), Across::Step)
                    .unwrap()
                    .contains("step")
            );
        }
        let diverged = plot(&figure(&[2.0, 2.5, 60.0, 5e27]), Across::Step).unwrap();
        assert!(diverged.starts_with("2.500 |"), "{diverged}");
        assert!(
            diverged.ends_with("values above 2.500 are cut off; the largest is 5.00e27"),
            "{diverged}"
        );
    }
}
