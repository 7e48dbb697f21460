//! A curve as it is drawn.

use ratatui::style::Style;

/// A curve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub name: String,
    /// `[x, y]` from left to right; points outside the plot only tell where lines leave it.
    pub points: Vec<[f64; 2]>,
    /// `[x, least, greatest]`, drawn faintly behind.
    pub band: Vec<[f64; 3]>,
    /// A sign on every point, or on the last one alone.
    pub mark: Option<char>,
    pub is_every_point_marked: bool,
    pub style: Style,
    /// The point to point out.
    pub best: Option<[f64; 2]>,
    /// The point that is told in figures, that of the cursor or the last one. Unlike `points`, it is neither a
    /// mean of neighbors nor smoothed.
    pub told: Option<[f64; 2]>,
    /// How high the curve is there, if it is smoothed.
    pub smooth: Option<f64>,
}

impl Series {
    /// The point that is nearest to a place.
    pub(crate) fn nearest(&self, x: f64) -> Option<[f64; 2]> {
        let distance = |point: &&[f64; 2]| (point[0] - x).abs();
        let points = self.points.iter();
        points
            .min_by(|one, other| distance(one).total_cmp(&distance(other)))
            .copied()
    }
}
