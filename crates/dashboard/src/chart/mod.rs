//! Charts: curves with axes.

mod axes;
mod series;
mod trace;

use events::Axis;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::canvas::{ACROSS, Canvas, DOWN};
use crate::pen::Pen;
use crate::theme::Theme;
use events::ticks::{Scale, Unit};

pub(crate) use series::Series;

/// Columns for the labels of the vertical axis.
const GUTTER: u16 = 8;
/// Minimum number of rows that leaves room for a line below the plot.
const TALL: u16 = 7;

/// Curves that share axes.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub series: Vec<Series>,
    pub axis: Axis,
    /// Range of the horizontal axis.
    pub x: [f64; 2],
    pub unit: Unit,
    pub log: bool,
    /// A value that the vertical axis must include.
    pub includes: Option<f64>,
    pub cursor: Option<f64>,
    /// Text shown if there are no curves.
    pub empty: &'static str,
}

/// Returns the area of the plot within a chart's area.
pub(crate) fn plot(area: Rect) -> Rect {
    let below = if area.height >= TALL { 2 } else { 1 };
    Rect {
        x: area.x + GUTTER.min(area.width),
        width: area.width.saturating_sub(GUTTER),
        height: area.height.saturating_sub(below),
        ..area
    }
}

/// Returns the axis position of a column, given the positions of both ends.
pub(crate) fn place_of_column(plot: Rect, column: u16, [from, to]: [f64; 2]) -> f64 {
    let column = column.saturating_sub(plot.x).min(plot.width);
    let share = (f64::from(column) + 0.5) / f64::from(plot.width.max(1));
    from + (to - from) * share.min(1.0)
}

impl Chart {
    pub(crate) fn draw(&self, pen: &mut Pen, area: Rect) {
        let plot = plot(area);
        if plot.is_empty() {
            return;
        }
        let Some(y) = self.upright() else {
            let empty = match self.log && self.series.iter().any(|curve| !curve.points.is_empty()) {
                true => "nothing above zero to show on a log axis",
                false => self.empty,
            };
            pen.center(area, plot.height / 2, empty, Style::new());
            return;
        };
        let x = Scale {
            low: self.x[0],
            high: self.x[1],
            log: false,
        };
        self.draw_axes(pen, area, plot, x, y);
        if pen.traced.is_some() {
            self.trace(pen, plot, x, y);
        } else {
            self.draw_bands(pen, plot, x, y);
            self.draw_lines(pen, plot, x, y);
            self.draw_marks(pen, plot, x, y);
        }
        self.draw_cursor(pen, plot, x, y);
    }

    /// Returns the vertical axis, fitted to what is visible.
    fn upright(&self) -> Option<Scale> {
        let values = self.series.iter().flat_map(|curve| {
            let points = &curve.points;
            let firsts = points.first().into_iter().chain(points);
            let lines = firsts.zip(points);
            lines.filter_map(|(from, to)| clip(*from, *to, self.x))
        });
        // Lines that cross the edges count as far as they are visible.
        let values: Vec<f64> = values.flatten().map(|point| point[1]).collect();
        let includes = self.includes.filter(|_| !values.is_empty());
        let bands = self.series.iter().flat_map(|curve| self.usual_band(curve));
        Scale::around(values.into_iter().chain(includes).chain(bands), self.log)
    }

    /// Returns the mean ends of a curve's band, so that a flat line with noise does not have its
    /// noise fill the whole plot.
    fn usual_band(&self, curve: &Series) -> Vec<f64> {
        let [from, to] = self.x;
        let band = curve.band.iter();
        let shown = band.filter(|[place, ..]| (from..=to).contains(place));
        let (mut sums, mut count) = ([0.0, 0.0], 0.0);
        for [_, least, greatest] in shown {
            sums = [sums[0] + least, sums[1] + greatest];
            count += 1.0;
        }
        // Without any, the means are NaN, which the axis ignores.
        sums.map(|sum| sum / count).to_vec()
    }

    fn draw_bands(&self, pen: &mut Pen, plot: Rect, x: Scale, y: Scale) {
        let mut canvas = Canvas::new(plot);
        for (index, curve) in self.series.iter().enumerate() {
            for place in band(curve, &canvas, x, y) {
                let [column, first, last] = place.map(|dot| dot.round() as usize);
                // Every other dot, so that the band looks fainter than a line even without colors.
                for row in (first..=last).filter(|row| (row + column).is_multiple_of(2)) {
                    canvas.dot(column, row, index + 1);
                }
            }
        }
        let faint = pen.theme.faint();
        canvas.draw(pen, plot, |layer| self.series[layer - 1].style.patch(faint));
    }

    fn draw_lines(&self, pen: &mut Pen, plot: Rect, x: Scale, y: Scale) {
        let mut canvas = Canvas::new(plot);
        for (index, curve) in self.series.iter().enumerate() {
            for [from, to] in lines(curve, &canvas, x, y) {
                canvas.line(from, to, index + 1);
            }
        }
        canvas.draw(pen, plot, |layer| self.series[layer - 1].style);
    }

    fn draw_marks(&self, pen: &mut Pen, plot: Rect, x: Scale, y: Scale) {
        for curve in &self.series {
            for (point, mark) in self.marks(curve, pen.theme, plot) {
                let style = match curve.best == Some(point) {
                    true => curve.style.patch(pen.theme.heading()),
                    false => curve.style,
                };
                if let Some((column, row)) = cell_of(plot, x, y, point) {
                    pen.cell(plot, column, row, mark, style);
                }
            }
        }
    }

    /// Returns the marked points of a curve; the best one comes last.
    fn marks(&self, curve: &Series, theme: Theme, plot: Rect) -> Vec<([f64; 2], char)> {
        let [from, to] = self.x;
        let shown = || {
            let points = curve.points.iter();
            points.filter(move |point| (from..=to).contains(&point[0]))
        };
        let mut marks = Vec::new();
        if let Some(mark) = curve.mark {
            let has_space = shown().count() <= usize::from(plot.width / 2);
            let all = shown().filter(|_| curve.is_every_point_marked && has_space);
            marks.extend(all.chain(shown().next_back()).map(|&point| (point, mark)));
        }
        if let Some(best) = curve.best {
            marks.retain(|(point, _)| *point != best);
            marks.push((best, theme.either('★', '*')));
        }
        marks
    }

    fn draw_cursor(&self, pen: &mut Pen, plot: Rect, x: Scale, y: Scale) {
        let Some(place) = self.cursor.and_then(|cursor| x.place(cursor)) else {
            return;
        };
        if !(0.0..=1.0).contains(&place) {
            return;
        }
        let column = column_of(plot, place);
        let line = pen.theme.either('┊', '|');
        for row in 0..plot.height {
            pen.cell(plot, column, row, line, pen.theme.accent());
        }
        for curve in &self.series {
            let point = self.cursor.and_then(|cursor| curve.nearest(cursor));
            if let Some((column, row)) = point.and_then(|point| cell_of(plot, x, y, point)) {
                let mark = curve.mark.unwrap_or(pen.theme.either('◉', 'O'));
                pen.cell(
                    plot,
                    column,
                    row,
                    mark,
                    curve.style.patch(pen.theme.heading()),
                );
            }
        }
    }
}

fn row_of(plot: Rect, place: f64) -> u16 {
    let rows = f64::from(plot.height - 1);
    ((1.0 - place) * rows).round().clamp(0.0, rows) as u16
}

fn column_of(plot: Rect, place: f64) -> u16 {
    let columns = f64::from(plot.width - 1);
    (place * columns).round().clamp(0.0, columns) as u16
}

/// Returns a point's dot, which may lie outside; `None` if the point is not on the axes.
fn dot_of(canvas: &Canvas, x: Scale, y: Scale, [own_x, own_y]: [f64; 2]) -> Option<[f64; 2]> {
    let (columns, rows) = (canvas.columns() - 1, canvas.rows() - 1);
    let column = x.place(own_x)? * columns as f64;
    let row = (1.0 - y.place(own_y)?) * rows as f64;
    Some([column, row])
}

/// Returns a curve's band on a canvas: `[column, top row, bottom row]` in dots, from left to right.
fn band(curve: &Series, canvas: &Canvas, x: Scale, y: Scale) -> Vec<[f64; 3]> {
    let dots = |&[place, least, greatest]: &[f64; 3]| {
        let least = if y.log { least.max(y.low) } else { least };
        let [column, top] = dot_of(canvas, x, y, [place, greatest])?;
        let [_, bottom] = dot_of(canvas, x, y, [place, least])?;
        let is_inside = (0.0..=(canvas.columns() - 1) as f64).contains(&column);
        let rows = (canvas.rows() - 1) as f64;
        is_inside.then(|| [column, top.clamp(0.0, rows), bottom.clamp(0.0, rows)])
    };
    curve.band.iter().filter_map(dots).collect()
}

/// Returns the lines of a curve on a canvas, each from one dot to another. For an unconnected
/// point, both are the same dot.
fn lines(curve: &Series, canvas: &Canvas, x: Scale, y: Scale) -> Vec<[[f64; 2]; 2]> {
    let range = [x.low, x.high];
    let inside = |point: &[f64; 2]| (x.low..=x.high).contains(&point[0]);
    let firsts = curve.points.first().into_iter().chain(&curve.points);
    let line = |(from, point): (&[f64; 2], &[f64; 2])| {
        let dots = clip(*from, *point, range)?.map(|place| dot_of(canvas, x, y, place));
        match dots {
            [Some(from), Some(to)] => Some([from, to]),
            [None, Some(to)] if inside(point) => Some([to, to]),
            _ => None,
        }
    };
    firsts.zip(&curve.points).filter_map(line).collect()
}

/// Returns the cell of a point's dot, or `None` if it is outside.
fn cell_of(plot: Rect, x: Scale, y: Scale, point: [f64; 2]) -> Option<(u16, u16)> {
    let places = [x.place(point[0])?, y.place(point[1])?];
    if !places.iter().all(|place| (0.0..=1.0).contains(place)) {
        return None;
    }
    let dots = |cells: u16, dots: usize| (usize::from(cells) * dots - 1) as f64;
    let column = (places[0] * dots(plot.width, ACROSS)).round() as usize / ACROSS;
    let row = ((1.0 - places[1]) * dots(plot.height, DOWN)).round() as usize / DOWN;
    Some((column as u16, row as u16))
}

/// Returns the part of a line between two positions, or `None` if there is none.
fn clip(from: [f64; 2], to: [f64; 2], [left, right]: [f64; 2]) -> Option<[[f64; 2]; 2]> {
    let is_forward = from[0] <= to[0];
    if to[0] < left || from[0] > right || !is_forward {
        return None;
    }
    let at = |x: f64| {
        let share = (x - from[0]) / (to[0] - from[0]);
        [x, from[1] + (to[1] - from[1]) * share]
    };
    let first = if from[0] < left { at(left) } else { from };
    let last = if to[0] > right { at(right) } else { to };
    Some([first, last])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;

    fn drawn(chart: &Chart, [width, height]: [u16; 2]) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        chart.draw(&mut Pen::new(&mut buffer, Theme::default()), area);
        let row = |y| -> String { (0..width).map(|x| buffer[(x, y)].symbol()).collect() };
        let rows: Vec<String> = (0..height).map(|y| row(y).trim_end().to_owned()).collect();
        rows.join("\n")
    }

    pub(super) fn chart(points: &[[f64; 2]]) -> Chart {
        Chart {
            series: vec![Series {
                points: points.to_vec(),
                mark: Some('●'),
                ..Series::default()
            }],
            axis: Axis::Step,
            x: [0.0, 40.0],
            unit: Unit::Number,
            log: false,
            includes: None,
            cursor: None,
            empty: "nothing yet",
        }
    }

    #[test]
    fn curves_have_axes() {
        let points: Vec<[f64; 2]> = (0..=40)
            .map(f64::from)
            .map(|x| [x, (40.0 - x) / 10.0])
            .collect();
        insta::assert_snapshot!("line", drawn(&chart(&points), [40, 10]));
        let mut log = chart(&points);
        log.log = true;
        log.cursor = Some(20.0);
        insta::assert_snapshot!("log_with_cursor", drawn(&log, [40, 10]));
    }

    #[test]
    fn lines_without_points_inside_are_drawn() {
        let shown = drawn(&chart(&[[-10.0, 0.0], [50.0, 6.0]]), [30, 6]);
        assert!(shown.contains('⠤') || shown.contains('⠊'), "{shown}");
    }

    #[test]
    fn noise_around_constant_curve_is_visible() {
        let mut level = chart(&[[0.0, 1.0], [40.0, 1.0]]);
        level.series[0].band = vec![[10.0, 0.5, 1.5], [20.0, 0.4, 1.6], [99.0, -50.0, 50.0]];
        let scale = level.upright().unwrap();
        assert!((0.3..0.5).contains(&scale.low), "{scale:?}");
        assert!((1.5..1.7).contains(&scale.high), "{scale:?}");
    }

    #[test]
    fn empty_charts_and_tiny_areas_do_not_panic() {
        assert!(drawn(&chart(&[]), [40, 6]).contains("nothing yet"));
        let mut negative = chart(&[[1.0, -1.0]]);
        negative.log = true;
        assert!(drawn(&negative, [60, 6]).contains("above zero"));
        for size in [[0, 0], [1, 1], [9, 2], [8, 9], [3, 40]] {
            drawn(&chart(&[[1.0, 2.0], [3.0, f64::MAX]]), size);
        }
    }
}
