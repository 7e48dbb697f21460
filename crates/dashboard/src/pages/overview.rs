//! Overview of a run.

use events::{Epoch, History, Split, is_share, title};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::curves::metrics;
use crate::pages::charts::draw_small;
use crate::pages::log::draw_news;
use crate::pages::rate::draw_rate;
use crate::pages::speed::{draw_images, draw_machine, draw_parts};
use crate::panel::{above, columns, figures, left, panel};
use crate::pen::{Pen, Span};
use crate::progress;
use crate::runs::Run;
use crate::scores::{ScoreDetail, chosen};
use crate::state::{Choice, State};
use crate::text::wrap;
use events::format::{count, duration, figure, percent};

/// Minimum width for a column on the right.
const WIDE: u16 = 150;
/// Below this width, there is only one chart.
const NARROW: u16 = 56;
/// Below this height, there are only charts.
const SHORT: u16 = 14;
/// Maximum rows of the command that resumes a run.
const RESUME: usize = 3;
/// From this height on, parts are separated by an empty row.
const TALL: u16 = 30;

pub(crate) fn draw(pen: &mut Pen, state: &State, runs: &[Run], run: &Run, body: Rect) {
    let gap = u16::from(body.height >= TALL);
    let (_, body) = above(body, gap);
    let (bars, rest) = above(body, progress::ROWS);
    progress::draw(pen, run, bars);
    let rest = draw_resume(pen, run, rest);
    let (_, rest) = above(rest, gap);
    let most = if body.height < SHORT { 1 } else { 2 };
    let rows = figures(pen, above(rest, most).0, &key_figures(pen, run));
    let (_, rest) = above(rest, rows.min(most) + gap);
    match rest.width >= WIDE {
        true => draw_wide(pen, state, runs, run, rest, gap),
        false => draw_narrow(pen, state, runs, run, rest, gap),
    }
}

/// Draws how to resume a run that ended early; returns the rest of the area.
fn draw_resume(pen: &mut Pen, run: &Run, area: Rect) -> Rect {
    let line = progress::resume_line(run).unwrap_or_default();
    let lines = wrap(&line, usize::from(area.width), RESUME);
    let lines: Vec<&String> = lines.iter().filter(|line| !line.is_empty()).collect();
    let style = pen.theme.warning();
    for (y, line) in (0..).zip(&lines) {
        pen.print(area, 0, y, line, style);
    }
    above(area, lines.len() as u16).1
}

fn draw_narrow(pen: &mut Pen, state: &State, runs: &[Run], run: &Run, area: Rect, gap: u16) {
    if area.height < SHORT {
        let (charts, said) = above(area, area.height.saturating_sub(1));
        draw_charts(pen, state, runs, charts);
        draw_news(pen, run, said);
        return;
    }
    let below = if gap == 0 { 7 } else { 9 + area.height / 6 };
    let (charts, rest) = above(area, area.height.saturating_sub(below));
    draw_charts(pen, state, runs, charts);
    let (_, rest) = above(rest, gap);
    let news = rest.width >= 110;
    if news {
        let [rate, speed, said]: [Rect; 3] = columns(rest, 2);
        draw_rate(pen, run, rate);
        draw_speed(pen, run, speed);
        let inner = panel(pen, said, "news", &[]);
        draw_news(pen, run, inner);
    } else {
        let (rest, said) = above(rest, rest.height.saturating_sub(1));
        let [rate, speed]: [Rect; 2] = columns(rest, 2);
        draw_rate(pen, run, rate);
        draw_speed(pen, run, speed);
        draw_news(pen, run, said);
    }
}

fn draw_wide(pen: &mut Pen, state: &State, runs: &[Run], run: &Run, area: Rect, gap: u16) {
    let (charts, side) = left(area, area.width * 2 / 3, 3);
    let (metrics, rate) = above(charts, charts.height * 2 / 3);
    draw_charts(pen, state, runs, metrics);
    let (_, rate) = above(rate, gap);
    let [rate, confused]: [Rect; 2] = columns(rate, 2);
    draw_rate(pen, run, rate);
    draw_confused(pen, run, confused);
    let (speed, said) = above(side, (side.height / 2).min(13));
    draw_speed(pen, run, speed);
    let (_, rest) = above(said, gap);
    let (images, said) = above(rest, rest.height / 3);
    draw_images(pen, run, images);
    let (_, said) = above(said, gap);
    let inner = panel(pen, said, "news", &[]);
    draw_news(pen, run, inner);
}

/// Draws loss and accuracy, or the charts that exist instead.
fn draw_charts(pen: &mut Pen, state: &State, runs: &[Run], area: Rect) {
    let names = metrics(runs);
    let mut shown: Vec<&str> = ["loss", "accuracy"]
        .into_iter()
        .filter(|metric| names.iter().any(|name| name == metric))
        .collect();
    for name in names.iter().filter(|name| *name != "rate") {
        if shown.len() < 2 && !shown.contains(&name.as_str()) {
            shown.push(name);
        }
    }
    let halves: [Rect; 2] = match area.width {
        NARROW.. => columns(area, 2),
        _ => [area, Rect::ZERO],
    };
    let metrics = shown.into_iter().chain(["loss", "accuracy"]);
    for (metric, half) in metrics.zip(halves) {
        draw_small(pen, state, runs, metric, half);
    }
}

fn draw_speed(pen: &mut Pen, run: &Run, area: Rect) {
    let notes = match run.history.speeds.last() {
        Some(speed) => {
            let images = speed.images.clamp(0.0, 1e15).round() as u64;
            vec![
                (count(images), pen.theme.heading()),
                (" images/s".to_owned(), Style::new()),
            ]
        }
        None => Vec::new(),
    };
    let inner = panel(pen, area, "speed", &notes);
    let (machine, parts) = above(inner, 3.min(inner.height / 2));
    draw_machine(pen, run, machine);
    draw_parts(pen, run, parts);
}

/// Returns the figures that summarize a run.
fn key_figures(pen: &Pen, run: &Run) -> Vec<(String, Span)> {
    let history = run.history;
    let plain = |name: &str, figure: String| (name.to_owned(), (figure, Style::new()));
    let mut pairs = Vec::new();
    let good = pen.theme.good();
    if let Some(tested) = &history.tested {
        let known = ["accuracy", "loss", "top5", "calibration_error"];
        for (metric, value) in known.iter().filter_map(|&metric| {
            let value = tested.metrics.get(metric)?;
            Some((metric, value))
        }) {
            let name = format!("test {}", short_title(metric));
            pairs.push((name, (figure(metric, value), good)));
        }
    }
    if let Some(kept) = history.kept()
        && let Some(accuracy) = kept.scores().1.get("accuracy")
    {
        let name = format!(
            "kept: epoch {}, {}",
            kept.epoch,
            of_epoch(history, kept, "accuracy")
        );
        pairs.push(plain(&name, percent(accuracy, 2)));
    }
    // Once there are test metrics, those of the last epoch could be mistaken for them.
    let last = history.epochs.last().filter(|_| history.tested.is_none());
    if let Some(last) = last {
        let is_kept = history.kept().is_some_and(|kept| kept.epoch == last.epoch);
        let shares = last
            .scores()
            .1
            .iter()
            .filter(|(metric, _)| is_share(metric));
        for (metric, value) in shares.filter(|(metric, _)| !is_kept || *metric != "accuracy") {
            let name = format!("epoch {}, {}", last.epoch, of_epoch(history, last, metric));
            pairs.push(plain(&name, figure(metric, value)));
        }
    }
    if let Some(checkpoint) = history.checkpoints.last() {
        let since = duration(progress::elapsed(run) - checkpoint.seconds);
        let shown = match run.is_running {
            true => format!("{since} ago"),
            false => format!("step {}", count(checkpoint.step as u64)),
        };
        pairs.push(plain("checkpoint", shown));
    }
    if let Some(started) = &history.started {
        pairs.push(plain("parameters", count(started.parameters as u64)));
        pairs.push(plain("batch", count(started.batch_size as u64)));
        pairs.push(plain("device", started.device.clone()));
    }
    pairs
}

/// Formats a figure of an epoch, with the images and weights it was measured on.
fn of_epoch(history: &History, epoch: &Epoch, metric: &str) -> String {
    let weights = match epoch.average {
        Some(_) => " (averaged weights)",
        None => "",
    };
    let scored = history.name_of(Split::Validation);
    format!("{scored} {}{weights}", short_title(metric))
}

/// Returns a short display name of a figure.
fn short_title(metric: &str) -> String {
    match metric {
        "top5" => "top-5".to_owned(),
        other => title(other),
    }
}

/// Draws the pairs of classes that are confused most.
fn draw_confused(pen: &mut Pen, run: &Run, area: Rect) {
    let inner = panel(pen, area, "most confused", &[]);
    let Some(scores) = chosen(run.history, ScoreDetail::Confusion, Choice::Newest) else {
        pen.center(inner, inner.height / 2, "no validation yet", Style::new());
        return;
    };
    let confusion = run.history.confusion(scores.confusion);
    let name = |place: usize| run.history.class_name(confusion.classes[place]);
    for (y, (row, column, images)) in confusion
        .worst(usize::from(inner.height))
        .into_iter()
        .enumerate()
    {
        let y = y as u16;
        let heading = pen.theme.heading();
        let x = pen.print(inner, 0, y, &format!("{:>7}", count(images)), heading);
        let said = format!("{} taken for {}", name(row), name(column));
        pen.print(inner, x + 2, y, &said, Style::new());
    }
}
