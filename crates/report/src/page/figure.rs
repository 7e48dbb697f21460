//! A chart on the page: an image for all readers, and its data for the script.

use files::printable_json;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use crate::chart::{
    Axis, COLORS, DASHES, FRAME, Panel, SIZE, Scale, Series, Style, divergence, greatest_shown,
    inline, swatch,
};

/// Digits of figures passed to the script, after the first digit in which they differ.
const DIGITS: i32 = 5;
/// Maximum number of digits of a number.
const MOST_DIGITS: i32 = 16;

/// Initial axis of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Across {
    Epoch,
    Step,
}

/// Positions of a line's points on every axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Grid {
    /// Steps taken.
    pub steps: Vec<f64>,
    /// Time of the run in seconds.
    pub seconds: Vec<f64>,
    /// Steps per epoch, or 0 if unknown.
    pub per_epoch: f64,
}

impl Across {
    /// Returns the name of the axis.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
        }
    }
}

impl Grid {
    fn across(&self, across: Across) -> Vec<f64> {
        match across {
            Across::Epoch => self
                .steps
                .iter()
                .map(|step| step / self.per_epoch)
                .collect(),
            Across::Step => self.steps.clone(),
        }
    }
}

/// A line of a figure.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub label: String,
    pub style: Style,
    pub grid: Grid,
    pub values: Vec<f64>,
    /// Lowest and highest of the values behind each point; or empty.
    pub range: Vec<[f64; 2]>,
    /// Index of the best value.
    pub best: Option<usize>,
}

/// A chart to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub title: String,
    /// Quantity of the values, with the unit in brackets.
    pub y: String,
    /// Unit after a value, such as " %".
    pub unit: &'static str,
    pub scale: Scale,
    pub lines: Vec<Line>,
}

impl Figure {
    /// Returns its lines as series to draw.
    pub(super) fn series(&self, across: Across) -> Vec<Series> {
        let series = self.lines.iter().map(|line| Series {
            label: line.label.clone(),
            points: line
                .grid
                .across(across)
                .into_iter()
                .zip(&line.values)
                .map(|(x, &y)| [x, y])
                .collect(),
            range: line.range.clone(),
            best: line.best,
            style: line.style,
        });
        series.collect()
    }

    /// Returns its largest value.
    pub(super) fn largest(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| &line.values);
        let finite = values.copied().filter(|value| value.is_finite());
        finite.fold(f64::NEG_INFINITY, f64::max)
    }
}

/// All figures of a page.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
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

impl Figures {
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

    /// Returns the figure as an image with a legend, and stores its data for the script.
    pub(super) fn draw(&mut self, figure: Figure) -> Markup {
        let number = self.charts.len();
        let panel = Panel {
            title: figure.title.clone(),
            x: self.axis(&figure),
            y: Axis {
                label: figure.y.clone(),
                scale: figure.scale,
            },
            series: figure.series(self.across),
        };
        let greatest = greatest_shown(figure.scale, &panel.series);
        let diverges = |line: usize| {
            let point = divergence(&figure.lines[line].values, greatest)?;
            let [x, _] = panel.series[line].points.get(point)?;
            Some(format!(
                " diverges at {} {}",
                panel.x.label,
                (100.0 * x).round() / 100.0
            ))
        };
        let image = inline(&panel, number, &description(&figure, &panel));
        let markup = html! {
            figure class="card" {
                figcaption { h3 { (figure.title) } }
                div class="plot" { (PreEscaped(image)) }
                ul class="legend" {
                    @for (place, line) in figure.lines.iter().enumerate() {
                        li {
                            (PreEscaped(swatch(line.style))) " " (line.label)
                            @if !line.range.is_empty() { span class="faint" { " with its range" } }
                            @if let Some(best) = line.best.and_then(|best| line.values.get(best)) {
                                span class="faint" { " best " (value(*best, figure.unit)) }
                            }
                            @if let Some(diverges) = diverges(place) {
                                span class="faint" { (diverges) }
                            }
                        }
                    }
                }
                @if let Some(greatest) = greatest {
                    p class="faint" {
                        "Values above " (value(greatest, figure.unit)) " are cut off; the largest is "
                        (value(figure.largest(), figure.unit)) "."
                    }
                }
            }
        };
        self.keep(figure, greatest);
        markup
    }

    fn axis(&self, figure: &Figure) -> Axis {
        let label = self.across.word();
        let is_empty = figure.lines.iter().all(|line| line.values.is_empty());
        Axis {
            label: label.to_owned(),
            scale: if is_empty {
                Scale::FromZero
            } else {
                Scale::ZeroToLast
            },
        }
    }

    fn keep(&mut self, figure: Figure, greatest: Option<f64>) {
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

/// Describes a chart for readers who cannot see it.
fn description(figure: &Figure, panel: &Panel) -> String {
    let lines = panel.series.iter().filter_map(|series| {
        let points = || series.points.iter().filter(|point| point[1].is_finite());
        let (first, last) = (points().next()?, points().next_back()?);
        let ends = format!(
            "{} from {} to {}",
            series.label,
            value(first[1], figure.unit),
            value(last[1], figure.unit)
        );
        let best = series.best.and_then(|best| series.points.get(best));
        Some(match best {
            Some([x, best]) => {
                let x = (100.0 * x).round() / 100.0;
                format!(
                    "{ends}, best {} at {} {x}",
                    value(*best, figure.unit),
                    panel.x.label
                )
            }
            None => ends,
        })
    });
    format!(
        "{} by {}: {}",
        figure.y,
        panel.x.label,
        lines.collect::<Vec<_>>().join("; ")
    )
}

/// Formats a value with its unit, exactly as the script does.
pub(super) fn value(value: f64, unit: &str) -> String {
    match unit {
        "" => super::format::number(value),
        unit => format!("{value:.2}{unit}"),
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

    fn figure(label: &str) -> Figure {
        Figure {
            title: "loss".to_owned(),
            y: "loss (cross entropy)".to_owned(),
            unit: "",
            scale: Scale::Linear,
            lines: vec![Line {
                label: label.to_owned(),
                style: Style::default(),
                grid: Grid {
                    steps: vec![10.0, 20.0],
                    seconds: vec![1.0, 2.0],
                    per_epoch: 10.0,
                },
                values: vec![1.234_567_89, f64::NAN],
                range: vec![[1.0, 2.0], [f64::NAN, 3.0]],
                best: Some(0),
            }],
        }
    }

    #[test]
    fn figure_data_is_escaped_and_grids_are_shared() {
        let mut figures = Figures::new(Across::Epoch);
        let drawn = figures.draw(figure("</script><!--")).into_string();
        figures.draw(figure("b"));
        let json = figures.json();
        assert!(!json.contains(['<', '>', '&']), "{json}");
        let data: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(data["charts"][0]["lines"][0]["label"], "</script><!--");
        assert_eq!(
            data["charts"][0]["lines"][0]["values"],
            serde_json::json!([1.23457, null])
        );
        assert_eq!(data["charts"][1]["lines"][0]["grid"], 0);
        assert_eq!(data["grids"].as_array().unwrap().len(), 1);
        assert!(drawn.contains("best 1.235 at epoch 1"), "{drawn}");
        assert!(!drawn.contains("<!--"));
    }

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
