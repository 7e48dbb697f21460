//! A single panel inside a page, whose style sheet contains the rules of the palette.

use std::fmt::Write as _;

use super::draw::{Axes, draw_line, escaped};
use super::{Frame, Panel, Style};

/// Width and height in units that the page scales.
pub(crate) const SIZE: [f64; 2] = [440.0, 264.0];
/// Position of the axes.
pub(crate) const FRAME: Frame = Frame {
    left: 64.0,
    right: 428.0,
    top: 10.0,
    bottom: 216.0,
    beside: 12.0,
};

/// Returns a panel without a title. A script finds it by its number, and `description` describes it
/// to readers who cannot see it.
pub(crate) fn inline(panel: &Panel, number: usize, description: &str) -> String {
    let [width, height] = SIZE;
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" data-chart=\"{number}\" \
         aria-labeledby=\"chart-{number}-title chart-{number}-text\">\
         <title id=\"chart-{number}-title\">{}</title><desc id=\"chart-{number}-text\">{}</desc>\
         <g class=\"drawing\">",
        escaped(&panel.title),
        escaped(description),
    );
    let axes = Axes::new(panel, FRAME);
    axes.draw(&mut text, panel);
    for series in &panel.series {
        axes.draw_series(&mut text, series);
    }
    for (number, series) in panel.series.iter().enumerate() {
        axes.draw_divergence(&mut text, series, number);
    }
    text.push_str("</g></svg>");
    text
}

/// Returns a short sample of a line, for a legend.
pub(crate) fn swatch(style: Style) -> String {
    let mut text = "<svg class=\"swatch\" viewBox=\"0 0 30 10\" aria-hidden=\"true\">".to_owned();
    draw_line(&mut text, &[[1.0, 5.0], [15.0, 5.0], [29.0, 5.0]], style, 1);
    text.push_str("</svg>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Axis, Scale, Series};

    fn panel(series: Series) -> Panel {
        let axis = |label: &str| Axis {
            label: label.to_owned(),
            scale: Scale::ZeroToLast,
        };
        Panel {
            title: "<loss>".to_owned(),
            x: axis("epoch"),
            y: axis("loss"),
            series: vec![series],
        }
    }

    #[test]
    fn bands_rings_and_marks_are_drawn() {
        let text = inline(
            &panel(Series {
                label: "train".to_owned(),
                points: vec![[0.0, 1.0], [1.0, 2.0], [2.0, f64::NAN], [4.0, 4.0]],
                range: vec![[0.0, 2.0], [1.0, 9.0], [0.0, 0.0], [4.0, 4.0]],
                best: Some(3),
                style: Style {
                    marked: true,
                    ..Style::default()
                },
            }),
            7,
            "a & b",
        );
        assert!(text.contains("<title id=\"chart-7-title\">&lt;loss&gt;</title>"));
        assert!(text.contains(">a &amp; b</desc>"));
        // Half of the axis is 103 units high; values outside the axis are drawn at its edge.
        assert!(
            text.contains("points=\"64.0,164.5 155.0,113.0 \""),
            "{text}"
        );
        assert!(text.contains("class=\"ring l0\" cx=\"428.0\" cy=\"10.0\""));
        assert!(text.contains("<polygon class=\"band m0\" points=\"64.0,216.0 155.0,164.5"));
        assert_eq!(text.matches("<circle class=\"m0\"").count(), 3);
    }
}
