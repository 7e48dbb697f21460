//! Draws the axes and lines of a panel.

use std::fmt::Write as _;

use events::ticks::Tick;
use files::printable;

use super::clip::{divergence, greatest_shown};
use super::palette::{COLORS, DASHES};
use super::ticks::Ticks;
use super::{Panel, Series, Style};

/// Half the side of a marker.
const MARK: f64 = 2.6;
/// Radius of the ring around a point.
const RING: f64 = 5.5;
/// Distances from an axis to its labels and title.
const LABEL: f64 = 8.0;
const LABEL_BELOW: f64 = 18.0;
const TITLE_BELOW: f64 = 38.0;

/// Axis labels with more characters are condensed, and keep a gap to the axis title.
const LONG: usize = 6;
const LABEL_GAP: f64 = 4.0;
/// Dashes of a divergence marker, the space next to it, and the height of its text.
const DIVERGENCE: &str = "2 4";
const DIVERGENCE_GAP: f64 = 5.0;
const DIVERGENCE_LINE: f64 = 14.0;

/// Position of the axes, in the units of the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// Center line of the vertical axis's title.
    pub beside: f64,
}

/// The axes of a panel: limits and positions of values.
pub(super) struct Axes {
    x: Ticks,
    y: Ticks,
    /// Values above this are outside the axis.
    greatest: Option<f64>,
    frame: Frame,
}

impl Axes {
    pub(super) fn new(panel: &Panel, frame: Frame) -> Self {
        let points = || panel.series.iter().flat_map(|series| &series.points);
        let greatest = greatest_shown(panel.y.scale, &panel.series);
        let is_shown = |value: &f64| greatest.is_none_or(|greatest| *value <= greatest);
        Self {
            x: Ticks::new(panel.x.scale, points().map(|point| point[0])),
            y: Ticks::new(
                panel.y.scale,
                points().map(|point| point[1]).filter(is_shown),
            ),
            greatest,
            frame,
        }
    }

    fn is_beyond(&self, value: f64) -> bool {
        self.greatest.is_some_and(|greatest| value > greatest)
    }

    fn across(&self, value: f64) -> Option<f64> {
        let Frame { left, right, .. } = self.frame;
        Some(left + self.x.place(value)? * (right - left))
    }

    fn up(&self, value: f64) -> Option<f64> {
        let Frame { top, bottom, .. } = self.frame;
        Some(bottom - self.y.place(value)? * (bottom - top))
    }

    fn place(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        Some([self.across(x)?, self.up(y)?])
    }

    /// Draws the grid, labels and titles.
    pub(super) fn draw(&self, text: &mut String, panel: &Panel) {
        let Frame {
            left,
            right,
            top,
            bottom,
            beside,
        } = self.frame;
        for Tick { place, label } in &self.y.labels {
            let place = bottom - place * (bottom - top);
            let room = match label.chars().count() > LONG {
                true => format!(
                    " textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"",
                    left - LABEL - beside - LABEL_GAP
                ),
                false => String::new(),
            };
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{place:.1}\" y2=\"{place:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\"{room}>{label}</text>",
                left - LABEL,
                place + 4.0
            );
        }
        for Tick { place, label } in &self.x.labels {
            let place = left + place * (right - left);
            let _ = writeln!(
                text,
                "<line class=\"grid\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>\
                 <text x=\"{place:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 4.0,
                bottom + LABEL_BELOW
            );
        }
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate({beside:.1} {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            (left + right) / 2.0,
            bottom + TITLE_BELOW,
            escaped(&panel.x.label),
            (top + bottom) / 2.0,
            escaped(&panel.y.label),
        );
    }

    /// Draws the band, the line, its markers and the ring.
    pub(super) fn draw_series(&self, text: &mut String, series: &Series) {
        self.draw_range(text, series);
        // A line leaves the axis and returns, but does not run along its edge.
        let is_beyond = |place: Option<usize>| {
            let point = place.and_then(|place| series.points.get(place));
            point.is_none_or(|point| self.is_beyond(point[1]))
        };
        let places: Vec<Option<[f64; 2]>> = (0..series.points.len())
            .map(|place| {
                let around = [place.checked_sub(1), Some(place), Some(place + 1)];
                match around.into_iter().all(is_beyond) {
                    true => None,
                    false => self.place(series.points[place]),
                }
            })
            .collect();
        for whole in places.split(Option::is_none) {
            let points: Vec<[f64; 2]> = whole.iter().flatten().copied().collect();
            draw_line(text, &points, series.style, 0);
        }
        let best = series.best.and_then(|best| *places.get(best)?);
        if let Some([x, y]) = best {
            let _ = writeln!(
                text,
                "<circle class=\"ring l{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RING}\"/>",
                series.style.color % COLORS.len()
            );
        }
    }

    /// Draws a vertical line where the series leaves the axis for good. `number` counts such lines,
    /// so that their texts do not overlap.
    pub(super) fn draw_divergence(&self, text: &mut String, series: &Series, number: usize) {
        let values: Vec<f64> = series.points.iter().map(|point| point[1]).collect();
        let point = divergence(&values, self.greatest);
        let Some(x) = point.and_then(|point| self.across(series.points[point][0])) else {
            return;
        };
        let Frame {
            left,
            right,
            top,
            bottom,
            ..
        } = self.frame;
        let (anchor, beside) = match x > (left + right) / 2.0 {
            true => ("end", -DIVERGENCE_GAP),
            false => ("start", DIVERGENCE_GAP),
        };
        let color = series.style.color % COLORS.len();
        let _ = writeln!(
            text,
            "<line class=\"l{color}\" stroke-dasharray=\"{DIVERGENCE}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
             <text class=\"m{color}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">diverges</text>",
            x + beside,
            top + DIVERGENCE_LINE * (number + 1) as f64,
        );
    }

    fn draw_range(&self, text: &mut String, series: &Series) {
        let ranges = series.points.iter().zip(&series.range);
        let places: Vec<Option<[f64; 3]>> = ranges
            .map(|(point, [least, greatest])| {
                let x = self
                    .across(point[0])
                    .filter(|_| !self.is_beyond(point[1]))?;
                Some([x, self.up(*least)?, self.up(*greatest)?])
            })
            .collect();
        for whole in places.split(Option::is_none) {
            if whole.len() < 2 {
                continue;
            }
            let number = series.style.color % COLORS.len();
            let _ = write!(text, "<polygon class=\"band m{number}\" points=\"");
            for [x, least, _] in whole.iter().flatten() {
                let _ = write!(text, "{x:.1},{least:.1} ");
            }
            for [x, _, greatest] in whole.iter().flatten().rev() {
                let _ = write!(text, "{x:.1},{greatest:.1} ");
            }
            text.push_str("\"/>\n");
        }
    }
}

/// Draws a line, without the markers of the given number of points at both ends.
pub(super) fn draw_line(
    text: &mut String,
    points: &[[f64; 2]],
    style: Style,
    without_marks: usize,
) {
    let number = style.color % COLORS.len();
    let dashes = match DASHES[style.dash % DASHES.len()] {
        "" => String::new(),
        dashes => format!(" stroke-dasharray=\"{dashes}\""),
    };
    if points.len() > 1 {
        let _ = write!(text, "<polyline class=\"l{number}\"{dashes} points=\"");
        for [x, y] in points {
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        text.push_str("\"/>\n");
    }
    if !style.marked && points.len() > 1 {
        return;
    }
    let marked = without_marks..points.len().saturating_sub(without_marks);
    for [x, y] in points.get(marked).unwrap_or_default() {
        // A circle for a solid line, a square for a dashed one.
        let _ = match style.dash % DASHES.len() {
            0 => writeln!(
                text,
                "<circle class=\"m{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{MARK}\"/>"
            ),
            _ => writeln!(
                text,
                "<rect class=\"m{number}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{edge}\" height=\"{edge}\"/>",
                x - MARK,
                y - MARK,
                edge = 2.0 * MARK
            ),
        };
    }
}

/// Escapes text for XML, including characters that XML does not allow.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
