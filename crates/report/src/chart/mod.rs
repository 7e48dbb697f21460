//! Line charts as SVG, without scripts or external fonts and files, in light and dark.
//!
//! Lines differ by color, dashes and marker, so that color is never the only distinction.
//!
//! | module | contents |
//! |---|---|
//! | `svg` | a chart as a separate document |
//! | `inline` | a single panel inside a page |
//! | `draw` | axes and lines |
//! | `clip` | limits an axis if a run diverged |
//! | `palette` | colors and dashes |
//! | `ticks` | limits and ticks of an axis |

mod clip;
mod draw;
mod inline;
mod palette;
mod svg;
mod ticks;

pub(crate) use clip::{divergence, greatest_shown};
pub(crate) use draw::Frame;
pub(crate) use inline::{FRAME, SIZE, inline, swatch};
pub(crate) use palette::{COLORS, DASHES, color_rules};

/// Panels side by side under one title.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Title, which also describes the chart to readers who cannot see it.
    pub title: String,
    /// Panels from left to right, with a common legend: series with the same style have the same
    /// label.
    pub panels: Vec<Panel>,
}

/// A pair of axes with lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Title above the panel.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Lines in drawing order.
    pub series: Vec<Series>,
}

/// The quantity on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Label, including the unit.
    pub label: String,
    /// Scale of the values.
    pub scale: Scale,
}

/// How values map to positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences have equal length.
    Linear,
    /// Like `Linear`, for values that cannot exceed 100; the axis does not exceed 100 either.
    Percent,
    /// Like `Linear`, but the axis starts at zero.
    FromZero,
    /// Like `FromZero`, but the axis ends at the highest value, even if it is not round.
    ZeroToLast,
    /// Equal ratios have equal length; values of zero or less are left out.
    Logarithmic,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: String,
    /// x and y of each point; the line breaks where one is not finite.
    pub points: Vec<[f64; 2]>,
    /// Lowest and highest of the values behind each point; one entry per point, or empty. Drawn as
    /// a band that may extend beyond the axis.
    pub range: Vec<[f64; 2]>,
    /// Index of the point with a ring around it.
    pub best: Option<usize>,
    /// Look of the line.
    pub style: Style,
}

/// Look of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Index into a palette that is safe for all types of color vision; wraps around at the end.
    pub color: usize,
    /// Index into a list of dash patterns, 0 for a solid line; wraps around at the end.
    pub dash: usize,
    /// Whether each point has a marker.
    pub marked: bool,
}

impl Chart {
    /// Returns the chart as an SVG document.
    pub fn svg(&self) -> String {
        svg::document(self)
    }
}
