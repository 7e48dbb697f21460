//! Curves separate from the cells that show them, for images that can draw real lines.

use ratatui::layout::Rect;

use super::{Chart, band, dot_of, lines};
use crate::canvas::{ACROSS, Canvas, DOWN};
use crate::pen::{Pen, Traced};
use events::ticks::Scale;

impl Chart {
    /// Records the curves without drawing anything.
    pub(super) fn trace(&self, pen: &mut Pen, plot: Rect, x: Scale, y: Scale) {
        let canvas = Canvas::new(plot);
        let across = |dot: f64| f64::from(plot.x) + (dot + 0.5) / ACROSS as f64;
        let down = |dot: f64| f64::from(plot.y) + (dot + 0.5) / DOWN as f64;
        let theme = pen.theme;
        let traced = self.series.iter().map(|curve| {
            let mut connected: Vec<Vec<[f64; 2]>> = Vec::new();
            for line in lines(curve, &canvas, x, y) {
                let [from, to] = line
                    .map(|dot| canvas.clamp(dot))
                    .map(|[column, row]| [across(column), down(row)]);
                if connected.last().and_then(|line| line.last()) != Some(&from) {
                    connected.push(vec![from]);
                }
                if from != to {
                    connected
                        .last_mut()
                        .into_iter()
                        .for_each(|line| line.push(to));
                }
            }
            let band = band(curve, &canvas, x, y);
            let marks = self.marks(curve, theme, plot).into_iter();
            let marks = marks.filter_map(|(point, mark)| {
                let is_inside = |place: Option<f64>| (0.0..=1.0).contains(&place?).then_some(());
                is_inside(x.place(point[0])).and(is_inside(y.place(point[1])))?;
                let [column, row] = dot_of(&canvas, x, y, point)?;
                Some(([across(column), down(row)], mark))
            });
            Traced {
                marks: marks.collect(),
                style: curve.style,
                lines: connected,
                band: band
                    .into_iter()
                    .map(|[column, top, bottom]| [across(column), down(top), down(bottom)])
                    .collect(),
            }
        });
        pen.traced.get_or_insert_default().extend(traced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::chart;
    use crate::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn traces_match_drawn_cells() {
        let mut chart = chart(&[[0.0, 0.0], [20.0, 1.0], [40.0, 0.0]]);
        chart.series[0].band = vec![[10.0, 0.25, 0.75]];
        chart.series[0].best = Some([20.0, 1.0]);
        let area = Rect::new(10, 5, 40, 10);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 20));
        let mut pen = Pen::new(&mut buffer, Theme::default());
        pen.traced = Some(Vec::new());
        chart.draw(&mut pen, area);
        let traced = pen.traced.unwrap();
        let plot = crate::chart::plot(area);
        let [curve] = &traced[..] else {
            panic!("{traced:?}");
        };
        let [line] = &curve.lines[..] else {
            panic!("{curve:?}");
        };
        let [first, middle, last] = line[..] else {
            panic!("{line:?}");
        };
        let ends = [f64::from(plot.left()), f64::from(plot.right())];
        assert_eq!([first[0], last[0]], [ends[0] + 0.25, ends[1] - 0.25]);
        assert_eq!(middle[0], (ends[0] + ends[1]) / 2.0);
        assert!(middle[1] < first[1] && first[1] == last[1], "{line:?}");
        let [[across, top, bottom]] = curve.band[..] else {
            panic!("{curve:?}");
        };
        assert!(first[0] < across && across < middle[0]);
        assert!(middle[1] < top && top < bottom && bottom < first[1]);
        assert_eq!(curve.marks, [(last, '●'), (middle, '★')]);
        let is_dot =
            |cell: &ratatui::buffer::Cell| ("\u{2801}".."\u{2900}").contains(&cell.symbol());
        assert!(!buffer.content.iter().any(is_dot));
    }
}
