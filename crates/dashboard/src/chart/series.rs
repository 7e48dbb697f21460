//! A curve to draw.

use ratatui::style::Style;

/// A curve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub name: String,
    /// `[x, y]` from left to right; points outside the plot only determine where lines leave it.
    pub points: Vec<[f64; 2]>,
    /// `[x, lowest, highest]`, drawn faintly in the background.
    pub band: Vec<[f64; 3]>,
    /// Marker on every point, or only on the last.
    pub mark: Option<char>,
    pub is_every_point_marked: bool,
    pub style: Style,
    /// The best point, which is highlighted.
    pub best: Option<[f64; 2]>,
    /// The point shown as a number, at the cursor or the end. Unlike `points`, it is neither
    /// averaged nor smoothed.
    pub told: Option<[f64; 2]>,
    /// Height of the smoothed curve at that point, if it is smoothed.
    pub smooth: Option<f64>,
}

impl Series {
    /// Returns the point nearest to a position.
    pub(crate) fn nearest(&self, x: f64) -> Option<[f64; 2]> {
        let distance = |point: &&[f64; 2]| (point[0] - x).abs();
        let points = self.points.iter();
        points
            .min_by(|one, other| distance(one).total_cmp(&distance(other)))
            .copied()
    }
}
