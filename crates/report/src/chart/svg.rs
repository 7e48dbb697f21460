//! A chart as a separate document.

use std::fmt::Write as _;

use super::draw::{Axes, Frame, draw_line, escaped};
use super::palette::color_rules;
use super::{Chart, Panel, Series};

/// Sizes are in the units of the document, which are pixels at its original size. Width of a single
/// panel, and of each of several.
const PANEL_WIDTHS: [f64; 2] = [680.0, 420.0];
const PANEL_HEIGHT: f64 = 320.0;
/// Space around the axes for labels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 52.0;
const LEGEND_ROW: f64 = 22.0;
const LEGEND_LINE: f64 = 32.0;
/// Approximate width of a character of a label, and the space around a label.
const LEGEND_CHARACTER: f64 = 7.0;
const LEGEND_GAP: f64 = 28.0;

pub(super) fn document(chart: &Chart) -> String {
    let legend = legend_entries(chart);
    let panel_width = PANEL_WIDTHS[usize::from(chart.panels.len() > 1)];
    let width = panel_width * chart.panels.len().max(1) as f64;
    let longest = legend.iter().map(|series| series.label.chars().count());
    let entry = LEGEND_LINE + LEGEND_GAP + LEGEND_CHARACTER * longest.max().unwrap_or(0) as f64;
    let columns = ((width - LEFT) / entry).floor().max(1.0) as usize;
    let rows = legend.len().div_ceil(columns);
    let height = PANEL_HEIGHT + LEGEND_ROW * rows as f64 + 8.0;
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <title>{title}</title>\n{style}\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"strong\" x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n",
        title = escaped(&chart.title),
        style = style_sheet(),
    );
    for (index, panel) in chart.panels.iter().enumerate() {
        draw_panel(&mut text, panel, panel_width * index as f64, panel_width);
    }
    for (index, series) in legend.iter().enumerate() {
        let x = LEFT + entry * (index % columns) as f64;
        let y = PANEL_HEIGHT + LEGEND_ROW * (index / columns) as f64 + 8.0;
        let end = x + LEGEND_LINE;
        draw_line(
            &mut text,
            &[[x, y], [(x + end) / 2.0, y], [end, y]],
            series.style,
            1,
        );
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            end + 8.0,
            y + 4.0,
            escaped(&series.label)
        );
    }
    text.push_str("</svg>\n");
    text
}

/// Returns the first series with each label.
fn legend_entries(chart: &Chart) -> Vec<&Series> {
    let mut entries: Vec<&Series> = Vec::new();
    for series in chart.panels.iter().flat_map(|panel| &panel.series) {
        if entries.iter().all(|entry| entry.label != series.label) {
            entries.push(series);
        }
    }
    entries
}

fn style_sheet() -> String {
    format!(
        "<style>{}polyline,.ring{{fill:none;stroke-width:1.8;stroke-linejoin:round}}\
         .band{{opacity:.18}}@media(prefers-color-scheme:dark){{{}}}</style>",
        color_rules(false),
        color_rules(true),
    )
}

fn draw_panel(text: &mut String, panel: &Panel, offset: f64, width: f64) {
    let frame = Frame {
        left: offset + LEFT,
        right: offset + width - RIGHT,
        top: TOP,
        bottom: PANEL_HEIGHT - BOTTOM,
        beside: offset + 16.0,
    };
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{:.1}\">{}</text>",
        frame.left,
        frame.top - 14.0,
        escaped(&panel.title)
    );
    let axes = Axes::new(panel, frame);
    axes.draw(text, panel);
    for series in &panel.series {
        axes.draw_series(text, series);
    }
    for (number, series) in panel.series.iter().enumerate() {
        axes.draw_divergence(text, series, number);
    }
}

#[cfg(test)]
mod tests {
    use crate::chart::{Axis, Chart, Panel, Scale, Series, Style};

    fn chart(label: &str, points: Vec<[f64; 2]>) -> Chart {
        let axis = |scale| Axis {
            label: "share & more".to_owned(),
            scale,
        };
        let panel = |scale| Panel {
            title: "panel".to_owned(),
            x: axis(Scale::Linear),
            y: axis(scale),
            series: vec![Series {
                label: label.to_owned(),
                points: points.clone(),
                range: Vec::new(),
                best: None,
                style: Style {
                    color: 9,
                    dash: 1,
                    marked: true,
                },
            }],
        };
        Chart {
            title: "a < b".to_owned(),
            panels: vec![panel(Scale::FromZero), panel(Scale::Logarithmic)],
        }
    }

    fn count(text: &str, part: &str) -> usize {
        text.matches(part).count()
    }

    #[test]
    fn every_point_is_drawn_in_every_panel() {
        let svg = chart("line", vec![[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]]).svg();
        // Two panels, and one legend.
        assert_eq!(count(&svg, "<polyline"), 3, "{svg}");
        assert_eq!(count(&svg, "<rect class=\"m"), 2 * 3 + 1, "{svg}");
        assert_eq!(count(&svg, ">line</text>"), 1);
    }

    #[test]
    fn gap_breaks_line() {
        let points = vec![
            [1.0, 1.0],
            [2.0, 3.0],
            [3.0, f64::NAN],
            [4.0, 2.0],
            [5.0, 2.0],
        ];
        assert_eq!(count(&chart("line", points).svg(), "<polyline"), 2 * 2 + 1);
        assert_eq!(count(&chart("line", vec![]).svg(), "<polyline"), 1);
    }

    #[test]
    fn long_labels_leave_room_for_axis_name() {
        let long = |points| count(&chart("line", points).svg(), "textLength=\"36\"");
        assert_eq!(long(vec![[0.0, 0.5], [1.0, 1.0]]), 0);
        let huge = chart("line", vec![[0.0, 6e307]]).svg();
        assert!(
            huge.contains(" textLength=\"36\" lengthAdjust=\"spacingAndGlyphs\">6.0e307<"),
            "{huge}"
        );
        assert!(!huge.contains("0.0000"), "{huge}");
    }

    #[test]
    fn text_is_escaped() {
        let svg = chart("</svg><script>\u{1b}[31m\"", vec![[0.0, 1.0]]).svg();
        assert!(
            svg.contains("&lt;/svg&gt;&lt;script&gt;\\u{1b}[31m&quot;"),
            "{svg}"
        );
        assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
        assert_eq!(count(&svg, "</svg>"), 1);
    }
}
