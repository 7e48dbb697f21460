//! A chart drawn.

use std::fmt::Write as _;

use super::ticks::Ticks;
use super::{Chart, Panel, Series, Style};

/// All in the units of the document, which are pixels where it is shown at its own size.
const PANEL_WIDTH: f64 = 420.0;
const PANEL_HEIGHT: f64 = 320.0;
/// Room around the axes, for labels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 52.0;
const LEGEND_ROW: f64 = 22.0;
const LEGEND_LINE: f64 = 32.0;
/// About the width of a character of a label, and the room around one.
const LEGEND_CHARACTER: f64 = 7.0;
const LEGEND_GAP: f64 = 28.0;
/// Half of a mark's edge.
const MARK: f64 = 2.6;

/// Okabe and Ito's palette without its yellow, which is faint on white, and for a dark ground
/// lighter variants of its darker colours.
const COLOURS: [[&str; 2]; 6] = [
    ["#0072b2", "#56a8e0"],
    ["#d55e00", "#f0883e"],
    ["#009e73", "#2fc79a"],
    ["#a8548a", "#d992bf"],
    ["#8a6d00", "#d9b84a"],
    ["#555555", "#aaaaaa"],
];

pub(super) fn document(chart: &Chart) -> String {
    let legend = legend_entries(chart);
    let width = PANEL_WIDTH * chart.panels.len().max(1) as f64;
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
        draw_panel(&mut text, panel, PANEL_WIDTH * index as f64);
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

/// The first series of each label.
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
    let rules = |column: usize, [ground, text, strong, grid]: [&str; 4]| {
        let mut rules = format!(
            ".ground{{fill:{ground}}}text{{fill:{text}}}.strong{{fill:{strong};font-weight:600}}\
             .grid{{stroke:{grid}}}"
        );
        for (number, colours) in COLOURS.iter().enumerate() {
            let colour = colours[column];
            let _ = write!(
                rules,
                ".l{number}{{stroke:{colour}}}.m{number}{{fill:{colour}}}"
            );
        }
        rules
    };
    format!(
        "<style>{}polyline{{fill:none;stroke-width:1.8;stroke-linejoin:round}}\
         @media(prefers-color-scheme:dark){{{}}}</style>",
        rules(0, ["#ffffff", "#444444", "#111111", "#dddddd"]),
        rules(1, ["#0d1117", "#b0b8c0", "#f0f4f8", "#30363d"]),
    )
}

fn draw_panel(text: &mut String, panel: &Panel, offset: f64) {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let x = Ticks::new(panel.x.scale, points().map(|point| point[0]));
    let y = Ticks::new(panel.y.scale, points().map(|point| point[1]));
    let (left, right) = (offset + LEFT, offset + PANEL_WIDTH - RIGHT);
    let (top, bottom) = (TOP, PANEL_HEIGHT - BOTTOM);
    let across = |share: f64| left + share * (right - left);
    let up = |share: f64| bottom - share * (bottom - top);

    let _ = writeln!(
        text,
        "<text x=\"{left}\" y=\"{:.1}\">{}</text>",
        top - 14.0,
        escaped(&panel.title)
    );
    for (value, label) in &y.labels {
        let Some(place) = y.place(*value).map(up) else {
            continue;
        };
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{place:.1}\" y2=\"{place:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 8.0,
            place + 4.0
        );
    }
    for (value, label) in &x.labels {
        let Some(place) = x.place(*value).map(across) else {
            continue;
        };
        let _ = writeln!(
            text,
            "<line class=\"grid\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>\
             <text x=\"{place:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 4.0,
            bottom + 18.0
        );
    }
    let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
         <text transform=\"translate({:.1} {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        middle[0],
        bottom + 38.0,
        escaped(&panel.x.label),
        offset + 16.0,
        middle[1],
        escaped(&panel.y.label),
    );
    for series in &panel.series {
        let places: Vec<Option<[f64; 2]>> = series
            .points
            .iter()
            .map(|&[value_x, value_y]| Some([across(x.place(value_x)?), up(y.place(value_y)?)]))
            .collect();
        for whole in places.split(Option::is_none) {
            let points: Vec<[f64; 2]> = whole.iter().flatten().copied().collect();
            draw_line(text, &points, series.style, 0);
        }
    }
}

/// Leaves out the marks of so many points at both ends.
fn draw_line(text: &mut String, points: &[[f64; 2]], style: Style, without_marks: usize) {
    let number = style.colour % COLOURS.len();
    let dashes = if style.dashed {
        " stroke-dasharray=\"6 4\""
    } else {
        ""
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
        let _ = match style.dashed {
            false => writeln!(
                text,
                "<circle class=\"m{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{MARK}\"/>"
            ),
            true => writeln!(
                text,
                "<rect class=\"m{number}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{edge}\" height=\"{edge}\"/>",
                x - MARK,
                y - MARK,
                edge = 2.0 * MARK
            ),
        };
    }
}

/// Text that XML takes for text; characters that it does not allow become spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
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
                style: Style {
                    colour: 9,
                    dashed: true,
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
        // Two panels, and the legend once.
        assert_eq!(count(&svg, "<polyline"), 3, "{svg}");
        assert_eq!(count(&svg, "<rect class=\"m"), 2 * 3 + 1, "{svg}");
        assert_eq!(count(&svg, ">line</text>"), 1);
    }

    #[test]
    fn a_gap_breaks_a_line() {
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
    fn text_stays_text() {
        let svg = chart("</svg><script>\u{1b}[31m\"", vec![[0.0, 1.0]]).svg();
        assert!(
            svg.contains("&lt;/svg&gt;&lt;script&gt; [31m&quot;"),
            "{svg}"
        );
        assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
        assert_eq!(count(&svg, "</svg>"), 1);
    }
}
