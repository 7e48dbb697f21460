//! The learning rate, planned and so far.

use events::{Axis, Split};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::chart::{Chart, Series};
use crate::panel::panel;
use crate::pen::Pen;
use crate::progress;
use crate::runs::Run;
use events::format::number;
use events::ticks::Unit;

/// Maximum number of points of a plan that are drawn.
const MOST_RATES: usize = 1 << 14;

/// Draws the planned learning rate over the whole run, and the current position.
pub(crate) fn draw_rate(pen: &mut Pen, run: &Run, area: Rect) {
    let history = run.history;
    let started = history.started.as_ref();
    let epochs = history.planned_epochs().max(1) as f64;
    let here = progress::share_of_run(history) * epochs;
    let planned = started.map_or(&[][..], |started| &started.rates);
    let planned = planned
        .iter()
        .filter(|(place, _)| (0.0..=1.0).contains(place));
    let points: Vec<[f64; 2]> = planned
        .filter(|(_, rate)| rate.is_finite())
        .map(|(place, rate)| [place * epochs, *rate])
        .take(MOST_RATES)
        .collect();
    let taken = history.curve(Split::Train, "rate", Axis::Epoch, [0.0, epochs], 200);
    let now = taken.buckets.last().map(|bucket| bucket.mean);
    let style = pen.theme.series(2);
    let mut notes = Vec::new();
    if let Some(now) = now {
        notes.push(("now ".to_owned(), Style::new()));
        notes.push((number(now), pen.theme.heading()));
    }
    let (points, name) = match points.is_empty() {
        true => {
            let points = taken.buckets.iter().map(|bucket| [bucket.x, bucket.mean]);
            (points.collect(), "taken")
        }
        false => (points, "planned"),
    };
    let inner = panel(pen, area, "learning rate", &notes);
    let chart = Chart {
        series: vec![Series {
            name: name.to_owned(),
            points,
            style,
            ..Series::default()
        }],
        axis: Axis::Epoch,
        x: [0.0, epochs],
        unit: Unit::Number,
        log: false,
        includes: Some(0.0),
        cursor: Some(here),
        empty: "no learning rate yet",
    };
    chart.draw(pen, inner);
}
