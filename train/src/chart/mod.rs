//! Line charts as SVG: no scripts, no fonts or files from elsewhere, light and dark.
//!
//! A line is told from others by its colour, its dashes and its mark, so that colour is never the
//! only sign.

mod svg;
mod ticks;

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
    /// The same, and the axis starts at zero.
    FromZero,
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
    /// How it looks.
    pub style: Style,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// A number in a palette that people with any colour vision can tell apart; beyond its end it
    /// starts again.
    pub colour: usize,
    /// Whether the line is dashed.
    pub dashed: bool,
    /// Whether each point has a mark.
    pub marked: bool,
}

impl Chart {
    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        svg::document(self)
    }
}
