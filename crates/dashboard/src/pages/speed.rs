//! Time spent in the parts of a step, and utilization of the machine.

use events::{Axis, Speed};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::chart::{self, Chart, Series};
use crate::curves::thinned;
use crate::panel::{above, bar, columns, panel};
use crate::pen::{Pen, Span};
use crate::runs::Run;
use events::format::{bytes, count, milliseconds, percent};
use events::ticks::Unit;

/// Number of recent measurements that step times are averaged over.
const RECENT: usize = 20;

/// Short names of the parts of a step. The first is waiting for images.
const PARTS: [&str; 5] = ["data", "forward", "backward", "optimizer", "rest"];

/// Returns the mean seconds of each part of a step. Invalid times count as 0.
fn means(speeds: &[Speed]) -> [f64; 5] {
    std::array::from_fn(|part| {
        let times = speeds.iter().map(|speed| speed.parts()[part]);
        let times = times.filter(|time| time.is_finite() && *time >= 0.0);
        times.sum::<f64>() / speeds.len().max(1) as f64
    })
}

fn recent(speeds: &[Speed]) -> &[Speed] {
    &speeds[speeds.len().saturating_sub(RECENT)..]
}

pub(crate) fn draw(pen: &mut Pen, run: &Run, body: Rect) {
    let (top, charts) = above(body, 9.min(body.height / 2));
    let [parts, machine]: [Rect; 2] = columns(top, 3);
    let seconds: f64 = means(recent(&run.history.speeds)).iter().sum();
    let notes = [
        (milliseconds(seconds), pen.theme.heading()),
        (" of the last steps".to_owned(), Style::new()),
    ];
    let inner = panel(pen, parts, "a step", &notes);
    draw_parts(pen, run, inner);
    let inner = panel(pen, machine, "machine", &[]);
    draw_machine(pen, run, inner);
    let (upper, lower) = above(charts, charts.height.div_ceil(2));
    match body.width >= 150 {
        true => {
            let thirds: [Rect; 3] = columns(charts, 3);
            draw_images(pen, run, thirds[0]);
            draw_busy(pen, run, thirds[1]);
            draw_memory(pen, run, thirds[2]);
        }
        false => {
            draw_images(pen, run, upper);
            let halves: [Rect; 2] = columns(lower, 3);
            draw_busy(pen, run, halves[0]);
            draw_memory(pen, run, halves[1]);
        }
    }
}

/// Draws a bar of the parts of a step, and the time of each.
pub(crate) fn draw_parts(pen: &mut Pen, run: &Run, area: Rect) {
    let means = means(recent(&run.history.speeds));
    let whole: f64 = means.iter().sum();
    if !(whole.is_finite() && whole > 0.0) {
        pen.print(area, 0, 0, "no step times yet", Style::new());
        return;
    }
    let width = f64::from(area.width);
    let mut end = 0.0;
    for (index, mean) in means.iter().enumerate() {
        let from = (end / whole * width).round() as u16;
        end += mean;
        let to = (end / whole * width).round() as u16;
        let (fill, style) = (pen.theme.fill(index), pen.theme.series(index));
        for column in from..to {
            pen.cell(area, column, 0, fill, style);
        }
    }
    let (_, table) = above(area, 1);
    match usize::from(table.height) >= PARTS.len() {
        true => {
            for (index, mean) in means.iter().enumerate() {
                let part = part_of_step(pen, index, *mean, whole);
                pen.spans(table, 0, index as u16, &part);
            }
        }
        false => {
            let halves: [Rect; 2] = columns(table, 1);
            let names = if halves[0].width >= 18 { 10 } else { 0 };
            let rows = usize::from(table.height).max(1);
            for (index, mean) in means.iter().enumerate().take(2 * rows) {
                let name = PARTS[index];
                let part = [
                    (pen.theme.fill(index).to_string(), pen.theme.series(index)),
                    (format!(" {name:<names$} "), Style::new()),
                    (percent(mean / whole, 0), pen.theme.heading()),
                ];
                pen.spans(halves[index / rows], 0, (index % rows) as u16, &part);
            }
        }
    }
}

fn part_of_step(pen: &Pen, index: usize, seconds: f64, whole: f64) -> [Span; 4] {
    let name = match PARTS[index] {
        "data" => "waiting for data",
        name => name,
    };
    [
        (pen.theme.fill(index).to_string(), pen.theme.series(index)),
        (format!(" {name:<17}"), Style::new()),
        (
            format!("{:>10}", milliseconds(seconds)),
            pen.theme.heading(),
        ),
        (format!("{:>6}", percent(seconds / whole, 0)), Style::new()),
    ]
}

/// Draws CPU, memory and GPU, one row each.
pub(crate) fn draw_machine(pen: &mut Pen, run: &Run, area: Rect) {
    let Some(system) = run.history.systems.last() else {
        pen.print(area, 0, 0, "no data on the machine yet", Style::new());
        return;
    };
    let share = |part: u64, whole: u64| match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    };
    let memory_total = system.memory_total;
    let mut rows = vec![
        (
            "CPU",
            system.cpu,
            percent(system.cpu, 0),
            format!("all {}", percent(system.cpu_machine, 0)),
        ),
        (
            "memory",
            share(system.memory, memory_total),
            bytes(system.memory),
            format!(
                "all {}",
                of(&bytes(system.memory_machine), &bytes(memory_total))
            ),
        ),
    ];
    if let Some(gpu) = system.gpu {
        let memory = system.gpu_memory.map(bytes).unwrap_or_default();
        rows.push(("GPU", gpu, percent(gpu, 0), memory));
    }
    let length = area.width.saturating_sub(40).clamp(4, 30);
    for (y, (name, share, own, all)) in rows.into_iter().enumerate() {
        let y = y as u16;
        pen.print(area, 0, y, name, Style::new());
        let style = pen.theme.accent();
        bar(pen, area, 7, y, length, share, style);
        let heading = pen.theme.heading();
        let x = pen.print(area, 8 + length, y, &format!("{own:>7}"), heading);
        if usize::from(x) + 2 + crate::text::width(&all) <= usize::from(area.width) {
            pen.print(area, x + 2, y, &all, Style::new());
        }
    }
}

/// Formats a part of a whole, with one unit if both share it.
fn of(part: &str, whole: &str) -> String {
    match (part.split_once(' '), whole.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}/{whole}"),
        _ => format!("{part}/{whole}"),
    }
}

/// Returns a chart over the run's time.
fn over_time(series: Vec<Series>, unit: Unit, includes: Option<f64>) -> Chart {
    let last = |series: &Series| series.points.last().map_or(0.0, |point| point[0]);
    let end = series.iter().map(last).fold(0.0, f64::max);
    Chart {
        series,
        axis: Axis::Time,
        x: [0.0, end],
        unit,
        log: false,
        includes,
        cursor: None,
        empty: "not measured yet",
    }
}

fn line(pen: &Pen, index: usize, name: &str, points: Vec<[f64; 2]>) -> Option<Series> {
    let series = Series {
        name: name.to_owned(),
        points,
        // Distinguishes lines without colors.
        mark: (index > 0).then(|| pen.theme.mark(index - 1)),
        style: pen.theme.series(index),
        ..Series::default()
    };
    (!series.points.is_empty()).then_some(series)
}

fn draw_titled(pen: &mut Pen, area: Rect, title: &str, chart: &Chart, notes: Vec<Span>) {
    let mut notes = notes;
    if chart.series.len() > 1 {
        for series in &chart.series {
            notes.extend(crate::pages::charts::legend(pen, series));
            notes.push(("  ".to_owned(), Style::new()));
        }
    }
    let inner = panel(pen, area, title, &notes);
    chart.draw(pen, inner);
}

fn dots(area: Rect) -> usize {
    2 * usize::from(chart::plot(area).width)
}

pub(crate) fn draw_images(pen: &mut Pen, run: &Run, area: Rect) {
    let speeds = &run.history.speeds;
    let points = speeds.iter().map(|speed| [speed.seconds, speed.images]);
    let series = line(pen, 0, "images/s", thinned(points, dots(area)));
    let chart = over_time(series.into_iter().collect(), Unit::Number, Some(0.0));
    let now = speeds.last().map(|speed| {
        let images = speed.images.clamp(0.0, 1e15).round() as u64;
        (count(images), pen.theme.heading())
    });
    draw_titled(
        pen,
        area,
        "images a second",
        &chart,
        now.into_iter().collect(),
    );
}

fn draw_busy(pen: &mut Pen, run: &Run, area: Rect) {
    let systems = &run.history.systems;
    let most = dots(area);
    let own = systems.iter().map(|system| [system.seconds, system.cpu]);
    let all = systems
        .iter()
        .map(|system| [system.seconds, system.cpu_machine]);
    let gpu = systems
        .iter()
        .map(|system| [system.seconds, system.gpu.unwrap_or(f64::NAN)]);
    let series = [
        line(pen, 0, "CPU", thinned(own, most)),
        line(pen, 1, "CPU, all", thinned(all, most)),
        line(pen, 2, "GPU", thinned(gpu, most)),
    ];
    let series = series.into_iter().flatten().collect();
    let chart = over_time(series, Unit::Percent, Some(0.0));
    draw_titled(pen, area, "busy", &chart, Vec::new());
}

fn draw_memory(pen: &mut Pen, run: &Run, area: Rect) {
    let systems = &run.history.systems;
    let most = dots(area);
    let own = systems
        .iter()
        .map(|system| [system.seconds, system.memory as f64]);
    let all = systems
        .iter()
        .map(|system| [system.seconds, system.memory_machine as f64]);
    let gpu = systems.iter().map(|system| {
        let memory = system.gpu_memory.map_or(f64::NAN, |memory| memory as f64);
        [system.seconds, memory]
    });
    let series = [
        line(pen, 0, "own", thinned(own, most)),
        line(pen, 1, "all", thinned(all, most)),
        line(pen, 2, "GPU", thinned(gpu, most)),
    ];
    let series = series.into_iter().flatten().collect();
    let chart = over_time(series, Unit::Bytes, Some(0.0));
    draw_titled(pen, area, "memory", &chart, Vec::new());
}
