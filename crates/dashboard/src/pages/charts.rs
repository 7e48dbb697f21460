//! One large chart, and the value of each curve under the cursor.

use events::{Axis, title};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;

use crate::chart::{self, Chart, Series};
use crate::curves::{self, metrics};
use crate::layout::layout;
use crate::panel::{above, panel};
use crate::pen::{Pen, Span};
use crate::runs::Run;
use crate::state::{SMOOTHING, Shown, State, View};
use crate::text::width;
use events::format::{count, duration, figure};

/// Rows above the chart.
const HEAD: u16 = 2;

/// Returns the areas of the page: above the chart, the chart, and the values below it.
fn parts(body: Rect, runs: &[Run]) -> [Rect; 3] {
    let curves: usize = runs.iter().map(|run| curves_of(run)).sum();
    let values = (curves as u16).clamp(1, (body.height / 4).max(1)) + 1;
    let (head, rest) = above(body, HEAD);
    let (chart, values) = above(rest, rest.height.saturating_sub(values));
    [head, chart, values]
}

/// Returns the maximum number of curves of a metric in a run.
fn curves_of(run: &Run) -> usize {
    2 + usize::from(run.history.has_average())
}

/// Returns the area of the plot.
pub(crate) fn plot(body: Rect, runs: &[Run]) -> Rect {
    chart::plot(parts(body, runs)[1])
}

/// Like [`plot`], on the whole screen.
pub(crate) fn plot_on_screen(state: &State, runs: &[Run]) -> Option<Rect> {
    let screen = Rect::new(0, 0, state.size.width, state.size.height);
    Some(plot(layout(screen)?.body, runs))
}

/// Returns the width of the plot in columns.
pub(crate) fn plot_width(screen: Size) -> u16 {
    let body = Rect::new(1, 2, screen.width.saturating_sub(2), screen.height);
    chart::plot(body).width
}

/// Returns the names of the metrics that fit around the chosen one, with their first columns.
fn metric_places(state: &State, runs: &[Run], columns: u16) -> Vec<(String, u16)> {
    let names = metrics(runs);
    let chosen = names.iter().position(|name| *name == state.view.metric);
    let mut first = chosen.unwrap_or(0);
    let long = |name: &String| width(&title(name)).min(24) as u16 + 2;
    let mut used = names.get(first).map_or(0, long);
    while first > 0 && used + long(&names[first - 1]) <= columns / 2 {
        first -= 1;
        used += long(&names[first]);
    }
    let mut x = 0;
    let mut places = Vec::new();
    for name in names.into_iter().skip(first) {
        let own = long(&name);
        if x + own > columns {
            break;
        }
        places.push((name, x));
        x += own;
    }
    places
}

/// Returns the metric whose name is under the mouse.
pub(crate) fn metric_at(state: &State, body: Rect, runs: &[Run], at: Position) -> Option<String> {
    if at.y != body.y {
        return None;
    }
    let column = at.x.checked_sub(body.x)?;
    let places = metric_places(state, runs, body.width).into_iter();
    let hit = places.take_while(|(_, x)| *x <= column).last();
    hit.map(|(name, _)| name)
}

pub(crate) fn draw(pen: &mut Pen, state: &State, runs: &[Run], body: Rect) {
    let [head, area, values] = parts(body, runs);
    for (name, x) in metric_places(state, runs, head.width) {
        let style = match name == state.view.metric {
            true => pen.theme.selected(),
            false => Style::new(),
        };
        let place = Rect {
            width: head.width.min(x + 26),
            ..head
        };
        pen.print(place, x, 0, &format!(" {} ", title(&name)), style);
    }
    let view = &state.view;
    let mut chart = curves::chart(pen.theme, view, &view.metric, runs, chart::plot(area).width);
    chart.cursor = view.cursor;
    pen.print(head, 1, 1, &described(view, &chart), Style::new());
    chart.draw(pen, area);
    draw_values(pen, view, &chart, values);
}

/// Describes what is shown.
fn described(view: &View, chart: &Chart) -> String {
    let [from, to] = chart.x.map(|place| place_name(view.axis, place));
    let scale = if view.log { "log" } else { "linear" };
    let shown = match view.shown {
        Shown::All => "all curves",
        Shown::Train => "training only",
        Shown::Validation => "validation only",
    };
    let axis = match view.axis {
        Axis::Step => "steps",
        Axis::Epoch => "epochs",
        Axis::Time => "time",
    };
    let between = format!("{axis} {from} to {to}");
    [between.as_str(), scale, smoothing(view).as_str(), shown].join(" · ")
}

/// Describes how smooth curves are.
fn smoothing(view: &View) -> String {
    match SMOOTHING[view.smoothing.min(SMOOTHING.len() - 1)] {
        0.0 => "not smoothed".to_owned(),
        factor => format!("smoothed by {factor}"),
    }
}

/// Formats a position on the axis.
fn place_name(axis: Axis, place: f64) -> String {
    match axis {
        Axis::Step => count(place.clamp(0.0, 1e18).round() as u64),
        Axis::Epoch => format!("{:.2}", place.clamp(-1e9, 1e9)),
        Axis::Time => duration(place),
    }
}

/// Columns of the exact value, and of the smoothed one next to it.
const VALUE: u16 = 27;
const SMOOTH: u16 = 13;

/// Draws a row for each curve: its marker, its exact value at the cursor or the end, the smoothed
/// one if there is one, and its best.
fn draw_values(pen: &mut Pen, view: &View, chart: &Chart, area: Rect) {
    let heading = match view.cursor {
        Some(cursor) => format!(
            "at {} {}",
            axis_name(view.axis),
            place_name(view.axis, cursor)
        ),
        None => "last".to_owned(),
    };
    let line = pen.theme.either('─', '-');
    let longest = chart.series.iter().map(|series| width(&series.name));
    let longest = longest.max().unwrap_or(0).min(usize::from(area.width));
    let names = (longest as u16 + 7).clamp(14, (area.width / 3).max(14));
    let smooth = names + VALUE;
    let is_smooth = chart.series.iter().any(|series| series.smooth.is_some());
    let best = smooth + if is_smooth { SMOOTH } else { 0 };
    let has_best = area.width > best + 10;
    let bold = pen.theme.heading();
    pen.rule(area, 0, 0, line, pen.theme.faint());
    pen.print(area, names, 0, &format!(" {heading} "), bold);
    if is_smooth {
        pen.print(area, smooth, 0, " smoothed ", bold);
    }
    if has_best {
        pen.print(area, best, 0, " best ", bold);
    }
    for (row, series) in chart.series.iter().enumerate() {
        let y = row as u16 + 1;
        if y >= area.height {
            break;
        }
        let place = Rect {
            width: names.saturating_sub(1),
            ..area
        };
        pen.spans(place, 1, y, &legend(pen, series));
        let told = |[x, value]: [f64; 2]| {
            let at = place_name(view.axis, x);
            (figure(&view.metric, value), format!("at {at}"))
        };
        if let Some((value, at)) = series.told.map(told) {
            let x = pen.print(area, names + 1, y, &format!("{value:>10}"), bold);
            pen.print(area, x + 2, y, &at, Style::new());
        }
        if let Some(value) = series.smooth {
            let value = figure(&view.metric, value);
            pen.print(area, smooth + 1, y, &format!("{value:>8}"), Style::new());
        }
        if let Some((value, at)) = series.best.map(told).filter(|_| has_best) {
            let star = pen.theme.either("★", "*");
            let x = pen.print(area, best + 1, y, star, series.style);
            let x = pen.print(area, x + 1, y, &value, bold);
            pen.print(area, x + 2, y, &at, Style::new());
        }
    }
}

fn axis_name(axis: Axis) -> &'static str {
    match axis {
        Axis::Step => "step",
        Axis::Epoch => "epoch",
        Axis::Time => "time",
    }
}

/// Returns the look of a curve and its name.
pub(crate) fn legend(pen: &Pen, series: &Series) -> Vec<Span> {
    let line = pen.theme.either('━', '-');
    let mark = match (series.mark, series.is_every_point_marked) {
        (Some(mark), true) => format!("{mark}{line}{mark}"),
        (Some(mark), false) => format!("{line}{line}{mark}"),
        (None, _) => format!("{line}{line}{line}"),
    };
    vec![
        (mark, series.style),
        (format!(" {}", series.name), Style::new()),
    ]
}

/// Draws a small chart of a metric under its title, with the last value of each curve.
pub(crate) fn draw_small(pen: &mut Pen, state: &State, runs: &[Run], metric: &str, area: Rect) {
    let view = View {
        window: crate::window::Window::All,
        cursor: None,
        ..state.view.clone()
    };
    let columns = chart::plot(area).width;
    let chart = curves::chart(pen.theme, &view, metric, runs, columns);
    let is_low = area.height < LEGEND;
    let name = title(metric);
    let used = if is_low { width(&name) as u16 + 2 } else { 0 };
    let room = area.width.saturating_sub(used);
    let curves = match runs.len() {
        0 | 1 => last_values(pen, metric, &chart, room),
        _ => run_names(pen, runs),
    };
    if is_low {
        let inner = panel(pen, area, &name, &curves);
        chart.draw(pen, inner);
        return;
    }
    let is_smooth = chart.series.iter().any(|series| series.smooth.is_some());
    let mut heading = format!("{name} by {}", axis_name(view.axis));
    if is_smooth {
        heading += &format!(", {}", smoothing(&view));
    }
    let inner = panel(pen, area, &heading, &[]);
    let (legend, rest) = above(inner, 1);
    pen.spans(legend, 0, 0, &curves);
    chart.draw(pen, rest);
}

/// From this height on, a small chart shows the names of its curves in their own row.
const LEGEND: u16 = 8;

/// Returns each curve's name and last value, shortened to fit the columns.
fn last_values(pen: &Pen, metric: &str, chart: &Chart, columns: u16) -> Vec<Span> {
    let notes = |is_short: bool, has_names: bool| {
        let mut notes: Vec<Span> = Vec::new();
        for series in &chart.series {
            if !notes.is_empty() {
                notes.push(("  ".to_owned(), Style::new()));
            }
            let mut curve = legend(pen, series);
            if let Some((sign, _)) = curve.first_mut().filter(|_| is_short) {
                sign.truncate(sign.chars().next().map_or(0, char::len_utf8));
            }
            curve.truncate(if has_names { 2 } else { 1 });
            notes.extend(curve);
            if let Some([_, value]) = series.told {
                notes.push((format!(" {}", figure(metric, value)), pen.theme.heading()));
            }
        }
        notes
    };
    let long = |notes: &[Span]| notes.iter().map(|(text, _)| width(text)).sum::<usize>();
    let fits = |notes: &Vec<Span>| long(notes) <= usize::from(columns);
    let forms = [(false, true), (true, true)].map(|(is_short, names)| notes(is_short, names));
    let fitting = forms.into_iter().find(fits);
    fitting.unwrap_or_else(|| notes(true, false))
}

/// Returns the marker and name of each run.
fn run_names(pen: &Pen, runs: &[Run]) -> Vec<Span> {
    let names = runs.iter().enumerate().flat_map(|(index, run)| {
        let mark = pen.theme.mark(index).to_string();
        [
            (mark, pen.theme.series(index)),
            (format!(" {}  ", run.name), Style::new()),
        ]
    });
    names.collect()
}
