//! Curves of runs in a chart.

use events::{Axis, Curve, History, Split, is_share};
use ratatui::style::Style;

use crate::canvas::ACROSS;
use crate::chart::{Chart, Series};
use crate::runs::Run;
use crate::state::{SMOOTHING, Shown, View};
use crate::theme::Theme;
use events::ticks::Unit;

/// Returns the end of the axis over all runs.
pub(crate) fn extent(runs: &[Run], axis: Axis) -> f64 {
    let ends = runs.iter().map(|run| run.history.extent(axis));
    ends.filter(|end| end.is_finite()).fold(0.0, f64::max)
}

/// Returns the names of all charts in which any run has a curve.
pub(crate) fn metrics(runs: &[Run]) -> Vec<String> {
    let names = runs.iter().flat_map(|run| run.history.charts());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the unit of a metric's axis.
pub(crate) fn unit(metric: &str) -> Unit {
    match is_share(metric) {
        true => Unit::Percent,
        false => Unit::Number,
    }
}

/// Returns a chart of figures with the same definition, for a plot with the given number of
/// columns.
pub(crate) fn chart(theme: Theme, view: &View, metric: &str, runs: &[Run], columns: u16) -> Chart {
    let extent = extent(runs, view.axis);
    let range = view.window.range(extent);
    let curves = Curves {
        theme,
        view,
        chart: metric,
        range,
        extent,
        count: usize::from(columns) * ACROSS,
        is_comparison: runs.len() > 1,
    };
    let all = runs.iter().enumerate();
    let splits = all.flat_map(|(index, run)| Split::ALL.map(|split| (index, run, split)));
    let series = splits.filter_map(|(index, run, split)| curves.series(index, run, split));
    Chart {
        series: series.collect(),
        axis: view.axis,
        x: range,
        unit: unit(metric),
        log: view.log,
        includes: None,
        cursor: None,
        empty: "no values yet",
    }
}

struct Curves<'a> {
    theme: Theme,
    view: &'a View,
    chart: &'a str,
    range: [f64; 2],
    extent: f64,
    count: usize,
    is_comparison: bool,
}

impl Curves<'_> {
    fn series(&self, index: usize, run: &Run, split: Split) -> Option<Series> {
        let is_shown = match self.view.shown {
            Shown::All => true,
            Shown::Train => split == Split::Train,
            Shown::Validation => split != Split::Train,
        };
        if !is_shown {
            return None;
        }
        let metric = run.history.figure_in(split, self.chart)?;
        let is_step_wise = split == Split::Train && run.history.steps.figures(metric).is_some();
        let curve = match is_step_wise {
            true => self.smooth(run.history, split, metric),
            // There are few points per epoch; points outside determine where lines leave the plot.
            false => self.curve(run.history, split, metric, [0.0, self.extent], self.count),
        };
        if curve.buckets.is_empty() {
            return None;
        }
        let has_band = is_step_wise && !self.is_comparison;
        let behind = curve.buckets.iter().filter(|_| has_band);
        let band = behind.map(|bucket| [bucket.x, bucket.least, bucket.greatest]);
        let band = band.collect();
        let (style, mark, name) = self.look(index, run, split);
        let points = curve.buckets.iter();
        let mut series = Series {
            name,
            points: points.map(|bucket| [bucket.x, bucket.mean]).collect(),
            band,
            mark,
            is_every_point_marked: split != Split::Train,
            style,
            best: best(run.history, split, metric, self.view.axis),
            told: self.told(run.history, split, metric),
            smooth: None,
        };
        if is_step_wise && self.smoothing() > 0.0 {
            let [from, to] = self.range;
            let told = series.told.map(|[place, _]| place);
            // Outside this range, no curve is drawn.
            let shown = told.filter(|place| (from..=to).contains(place));
            series.smooth = shown.and_then(|place| Some(series.nearest(place)?[1]));
        }
        Some(series)
    }

    fn curve(
        &self,
        history: &History,
        split: Split,
        metric: &str,
        range: [f64; 2],
        count: usize,
    ) -> Curve {
        history.curve(split, metric, self.view.axis, range, count)
    }

    /// Returns the point at the cursor, or the last point.
    fn told(&self, history: &History, split: Split, metric: &str) -> Option<[f64; 2]> {
        let place = self.view.cursor.unwrap_or(f64::INFINITY);
        history.nearest(split, metric, self.view.axis, place)
    }

    fn smoothing(&self) -> f64 {
        SMOOTHING[self.view.smoothing.min(SMOOTHING.len() - 1)]
    }

    /// Returns a smoothed curve that takes into account the points before its left end.
    fn smooth(&self, history: &History, split: Split, metric: &str) -> Curve {
        let [from, to] = self.range;
        let before = (to - from).min(from).max(0.0);
        let count = self.count as f64 * (1.0 + before / (to - from));
        // An empty range has no count.
        let count = if count.is_finite() { count } else { 1.0 };
        let curve = self.curve(history, split, metric, [from - before, to], count as usize);
        let mut curve = curve.smoothed(self.smoothing());
        curve.buckets.retain(|bucket| bucket.x >= from);
        curve
    }

    /// Returns the look of a curve. A single run has one color per split, several runs have one
    /// color each; markers follow.
    fn look(&self, index: usize, run: &Run, split: Split) -> (Style, Option<char>, String) {
        let split_name = run.history.name_of(split);
        let part = Split::ALL
            .iter()
            .position(|other| *other == split)
            .unwrap_or(0);
        if !self.is_comparison {
            let mark = (part > 0).then(|| self.theme.mark(part - 1));
            return (self.theme.series(part), mark, split_name.to_owned());
        }
        let mark = match split {
            Split::Average => self.theme.second_mark(index),
            Split::Train | Split::Validation => self.theme.mark(index),
        };
        let name = format!("{} {split_name}", run.name);
        (self.theme.series(index), Some(mark), name)
    }
}

/// Returns the best point of a split.
fn best(history: &History, split: Split, metric: &str, axis: Axis) -> Option<[f64; 2]> {
    if split == Split::Train || metric == "rate" {
        return None;
    }
    let (epoch, figure) = history.best_of(split, metric)?;
    let place = match axis {
        Axis::Step => epoch.step as f64,
        Axis::Epoch => epoch.epoch as f64,
        Axis::Time => epoch.seconds,
    };
    Some([place, figure])
}

/// Downsamples points to about the given number, each the mean of its neighbors. NaN values are
/// skipped.
pub(crate) fn thinned(
    points: impl ExactSizeIterator<Item = [f64; 2]>,
    most: usize,
) -> Vec<[f64; 2]> {
    let size = points.len().div_ceil(most.max(1)).max(1);
    let mut thinned = Vec::with_capacity(most.min(points.len()) + 1);
    let (mut last, mut sum, mut count) = (0.0, 0.0, 0_u32);
    let total = points.len();
    for (index, [x, y]) in points.enumerate() {
        if x.is_finite() && y.is_finite() {
            (last, sum, count) = (x, sum + y, count + 1);
        }
        if ((index + 1) % size == 0 || index + 1 == total) && count > 0 {
            thinned.push([last, sum / f64::from(count)]);
            (sum, count) = (0.0, 0);
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use events::{Event, Metrics, Step};

    use super::*;
    use crate::mode::Options;
    use crate::state::State;

    #[test]
    fn smoothing_uses_points_before_window() {
        let mut history = History::default();
        for step in 1..=100 {
            history.push(Event::Step(Step {
                seconds: step as f64,
                epoch: 1,
                step,
                metrics: Metrics::from_iter([("loss", (step % 2) as f64)]),
            }));
        }
        let view = State::new(Options::default()).view;
        let curves = |range| Curves {
            theme: Theme::plain(),
            view: &view,
            chart: "loss",
            range,
            extent: 100.0,
            count: 1000,
            is_comparison: false,
        };
        let whole = curves([0.0, 100.0]).smooth(&history, Split::Train, "loss");
        let part = curves([60.0, 100.0]).smooth(&history, Split::Train, "loss");
        assert_eq!(part.buckets.len(), 41);
        let first = part.buckets[0];
        let same = whole.buckets[59];
        assert_eq!(first.x, same.x);
        assert!((first.mean - same.mean).abs() < 1e-6, "{first:?} {same:?}");
    }

    #[test]
    fn many_points_are_averaged() {
        let points = (0..10).map(|x| [f64::from(x), f64::from(x % 2)]);
        let few = thinned(points.clone(), 5);
        assert_eq!(
            few,
            [[1.0, 0.5], [3.0, 0.5], [5.0, 0.5], [7.0, 0.5], [9.0, 0.5]]
        );
        assert_eq!(thinned(points, 100).len(), 10);
        let odd = [[0.0, f64::NAN], [1.0, 2.0], [2.0, f64::INFINITY]];
        assert_eq!(thinned(odd.into_iter(), 1), [[1.0, 2.0]]);
        assert_eq!(thinned([].into_iter(), 0), [[0.0; 2]; 0]);
    }
}
