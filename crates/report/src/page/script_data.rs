//! The data of charts that a page holds for its script, in few digits.

use files::printable_json;
use serde::Serialize;

use super::figure::{Across, Figure, Grid};
use crate::chart::{COLORS, DASHES, FRAME, SIZE, Scale, divergence};

/// Digits of figures passed to the script, after the first digit in which they differ.
const DIGITS: i32 = 5;
/// Maximum number of digits of a number.
const MOST_DIGITS: i32 = 16;

/// All charts of a page, for the script.
#[derive(Debug, Serialize)]
pub(super) struct ScriptData {
    across: Across,
    size: [f64; 2],
    frame: [f64; 5],
    dashes: [&'static str; 5],
    grids: Vec<Grid>,
    charts: Vec<ChartData>,
}

#[derive(Debug, Serialize)]
struct ChartData {
    y: String,
    unit: &'static str,
    scale: &'static str,
    /// Higher values are outside the axis.
    greatest: Option<f64>,
    lines: Vec<LineData>,
}

#[derive(Debug, Serialize)]
struct LineData {
    label: String,
    color: usize,
    dash: usize,
    marked: bool,
    grid: usize,
    values: Vec<f64>,
    least: Vec<f64>,
    greatest: Vec<f64>,
    best: Option<usize>,
    /// The point from which on all are outside the axis or NaN.
    diverges: Option<usize>,
}

impl ScriptData {
    pub(super) fn new(across: Across) -> Self {
        Self {
            across,
            size: SIZE,
            frame: [
                FRAME.left,
                FRAME.right,
                FRAME.top,
                FRAME.bottom,
                FRAME.beside,
            ],
            dashes: DASHES,
            grids: Vec::new(),
            charts: Vec::new(),
        }
    }

    /// Returns the number of charts.
    pub(super) fn len(&self) -> usize {
        self.charts.len()
    }

    /// Adds a chart.
    pub(super) fn keep(&mut self, figure: Figure, greatest: Option<f64>) {
        let lines = figure.lines.into_iter().map(|line| {
            let grid = self.grid(&line.grid);
            let digits = digits(&line.values);
            let range = |place: usize| {
                let ends = line.range.iter().map(|ends| ends[place]);
                ends.map(|end| rounded(end, digits)).collect()
            };
            LineData {
                grid,
                values: line
                    .values
                    .iter()
                    .map(|&value| rounded(value, digits))
                    .collect(),
                least: range(0),
                greatest: range(1),
                label: line.label,
                color: line.style.color % COLORS.len(),
                dash: line.style.dash % DASHES.len(),
                marked: line.style.marked,
                best: line.best,
                diverges: divergence(&line.values, greatest),
            }
        });
        let lines = lines.collect();
        self.charts.push(ChartData {
            y: figure.y,
            unit: figure.unit,
            scale: match figure.scale {
                Scale::Linear => "linear",
                Scale::Percent => "percent",
                Scale::FromZero | Scale::ZeroToLast => "zero",
                Scale::Logarithmic => "log",
            },
            greatest,
            lines,
        });
    }

    /// Returns the index of a grid; lines of one run mostly share theirs.
    fn grid(&mut self, grid: &Grid) -> usize {
        let digits = digits(&grid.seconds);
        let grid = Grid {
            steps: grid.steps.clone(),
            seconds: grid
                .seconds
                .iter()
                .map(|&seconds| rounded(seconds, digits))
                .collect(),
            per_epoch: grid.per_epoch,
        };
        if let Some(number) = self.grids.iter().position(|known| *known == grid) {
            return number;
        }
        self.grids.push(grid);
        self.grids.len() - 1
    }

    /// Returns the data as JSON that is safe inside a page: nothing in it starts or ends an
    /// element.
    pub(super) fn json(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        printable_json(&json)
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }
}

/// Returns the number of digits after the first that a line's values need, enough to draw them and
/// to read four decimals.
fn digits(values: &[f64]) -> usize {
    let finite = || values.iter().filter(|value| value.is_finite());
    let size = finite().map(|value| value.abs()).fold(0.0, f64::max);
    let least = finite().copied().fold(f64::INFINITY, f64::min);
    let greatest = finite().copied().fold(f64::NEG_INFINITY, f64::max);
    let in_common = (size / (greatest - least)).log10().ceil();
    let to_read = size.log10().floor();
    let more = |digits: f64| match digits.is_finite() {
        true => digits.clamp(0.0, f64::from(MOST_DIGITS)) as i32,
        false => 0,
    };
    let digits = DIGITS + more(in_common).max(more(to_read));
    digits.min(MOST_DIGITS).unsigned_abs() as usize
}

/// Rounds a value to fewer digits, to save space.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.digits$e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_distinguishing_digits() {
        assert_eq!(digits(&[0.1, 0.9, f64::NAN]), 5 + 1);
        assert_eq!(digits(&[3e8, 3e8 + 800.0]), 5 + 8);
        assert_eq!(digits(&[120.0, 50.0]), 5 + 2);
        assert_eq!(digits(&[1e300, -1e300]), 16);
        assert_eq!(digits(&[0.5, 0.5]), 5);
        assert_eq!(digits(&[]), 5);
        assert_eq!(rounded(123.456_789_1, 7), 123.456_79);
    }
}
