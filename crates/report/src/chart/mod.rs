//! Line charts as SVG: no scripts, no fonts or files from elsewhere, light and dark.
//!
//! A line is told from others by its color, its dashes and its mark, so that color is never the
//! only sign.
//!
//! | module | what it holds |
//! |---|---|
//! | `svg` | a chart as a document of its own |
//! | `inline` | one panel as a part of a page |
//! | `draw` | axes and lines |
//! | `clip` | where an axis is cut off |
//! | `palette` | colors and dashes |
//! | `ticks` | where an axis begins and ends |

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
    /// What it shows; the title for readers who cannot see it, too.
    pub title: String,
    /// From left to right, with one legend for all: series of one style have one label.
    pub panels: Vec<Panel>,
}

/// One pair of axes with lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What stands over it.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From below to above.
    pub y: Axis,
    /// In the order in which they are drawn.
    pub series: Vec<Series>,
}

/// What an axis measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// With its unit.
    pub label: String,
    /// How values become places.
    pub scale: Scale,
}

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally long.
    Linear,
    /// The same, for values that cannot exceed 100: nor does the axis then.
    Percent,
    /// The same, and the axis starts at zero.
    FromZero,
    /// The same, and the axis ends with the highest value, round or not.
    ZeroToLast,
    /// Equal ratios are equally long; values that are not above zero are left out.
    Logarithmic,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// x and y; where one is not finite, the line is broken.
    pub points: Vec<[f64; 2]>,
    /// The least and the greatest of what each point stands for, as many as points; or empty. Drawn as
    /// a band, which the axis need not hold.
    pub range: Vec<[f64; 2]>,
    /// The point with a ring around it.
    pub best: Option<usize>,
    /// How it looks.
    pub style: Style,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// A number in a palette that people with any color vision can tell apart; beyond its end it
    /// starts again.
    pub color: usize,
    /// A number in a list of dashes, 0 for a whole line; beyond its end it starts again.
    pub dash: usize,
    /// Whether each point has a mark.
    pub marked: bool,
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        svg::document(self)
    }
}
