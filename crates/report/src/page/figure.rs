//! A chart on the page: an image with a legend.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::script_data::ScriptData;
use crate::chart::{Axis, Panel, Scale, Series, Style, divergence, greatest_shown, inline, swatch};

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
#[derive(Debug)]
pub(super) struct Figures {
    across: Across,
    data: ScriptData,
}

impl Figures {
    pub(super) fn new(across: Across) -> Self {
        Self {
            across,
            data: ScriptData::new(across),
        }
    }

    /// Returns the figure as an image with a legend, and stores its data for the script.
    pub(super) fn draw(&mut self, figure: Figure) -> Markup {
        let number = self.data.len();
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
        self.data.keep(figure, greatest);
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

    /// Returns the data for the script as JSON.
    pub(super) fn json(&self) -> String {
        self.data.json()
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
}
