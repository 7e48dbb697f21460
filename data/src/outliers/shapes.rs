//! Outliers with edges: overlapping shapes, strokes, and cutouts on a plain background.

use super::fields::direction;
use super::{Color, Image, background, color, two_colors};
use crate::random::Generator;

/// Number of points per curve of a stroke.
const POINTS: usize = 20;

/// A rotated shape around a point.
struct Outline {
    center: [f32; 2],
    radii: [f32; 2],
    direction: [f32; 2],
    kind: OutlineKind,
}

enum OutlineKind {
    Ellipse,
    Rectangle,
    Triangle,
}

impl Outline {
    /// Draws a random outline with a larger radius of about `radius`.
    fn new(radius: f64, generator: &mut Generator) -> Self {
        let narrow = generator.between([0.3, 1.0]);
        Self {
            center: [generator.unit() as f32, generator.unit() as f32],
            radii: [radius as f32, (radius * narrow) as f32],
            direction: direction(generator),
            kind: match generator.below(3) {
                0 => OutlineKind::Ellipse,
                1 => OutlineKind::Rectangle,
                _ => OutlineKind::Triangle,
            },
        }
    }

    /// Converts a point to units of the radii, relative to the center.
    fn local(&self, [y, x]: [f32; 2]) -> [f32; 2] {
        let [y, x] = [y - self.center[0], x - self.center[1]];
        let [sine, cosine] = self.direction;
        [
            (y * cosine + x * sine) / self.radii[0],
            (x * cosine - y * sine) / self.radii[1],
        ]
    }

    fn contains(&self, point: [f32; 2]) -> bool {
        let [y, x] = self.local(point);
        match self.kind {
            OutlineKind::Ellipse => y * y + x * x < 1.0,
            OutlineKind::Rectangle => y.abs() < 1.0 && x.abs() < 1.0,
            OutlineKind::Triangle => y < 1.0 && y > 2.0 * x.abs() - 1.0,
        }
    }
}

/// Draws one to three shapes, or enough to fill the image: the "dead leaves" model, which has the
/// statistics of photos (Lee et al. 2001, "Occlusion models for natural images").
pub(super) fn shapes(image: &mut Image, generator: &mut Generator) {
    let channels = image.shape[0];
    let (count, sizes) = match generator.below(3) {
        0 => (1 + generator.below(3), [0.15, 0.5]),
        _ => (10 + generator.below(50), [0.05, 0.5]),
    };
    for _ in 0..count {
        // Radii follow a power law: large and small shapes cover the same area.
        let [low, high] = sizes.map(f64::ln);
        let radius = generator.between([low, high]).exp();
        let outline = Outline::new(radius, generator);
        let colors = match generator.coin() {
            true => [color(channels, generator), color(channels, generator)],
            false => {
                let color = color(channels, generator);
                [color.clone(), color]
            }
        };
        let mixed = shades(&colors);
        image.paint(|point| {
            let cover = f32::from(u8::from(outline.contains(point)));
            let along = 0.5 + 0.5 * outline.local(point)[0];
            let shade = (along.clamp(0.0, 1.0) * (mixed.len() - 1) as f32).round() as usize;
            (&mixed[shade], cover)
        });
    }
}

/// Returns the colors between two colors.
fn shades([from, to]: &[Color; 2]) -> Vec<Color> {
    const STEPS: usize = 16;
    (0..STEPS)
        .map(|step| {
            let share = step as f32 / (STEPS - 1) as f32;
            let between = |(from, to): (&f32, &f32)| from + (to - from) * share;
            from.iter().zip(to).map(between).collect()
        })
        .collect()
}

/// Draws one to five curves of the same width on a plain background, most of them connected, as in
/// letters, digits and drawings.
pub(super) fn strokes(image: &mut Image, generator: &mut Generator) {
    let channels = image.shape[0];
    let mut colors = two_colors(channels, generator);
    if generator.coin() {
        colors = [vec![0.0; channels], vec![1.0; channels]];
    }
    let [ground, ink] = colors;
    image.paint(|_| (&ground, 1.0));
    let half_width = generator.between([0.02, 0.08]) as f32;
    let soft = 1.0 / image.shape[1].max(image.shape[2]) as f32;
    let mut point = || [0, 1].map(|_| generator.between([0.15, 0.85]) as f32);
    let mut points = Vec::new();
    let mut start = point();
    let ends = [point(), point(), point(), point(), point()];
    let bends = [point(), point(), point(), point(), point()];
    let count = 1 + generator.below(ends.len());
    for (end, bend) in ends.into_iter().zip(bends).take(count) {
        points.extend((0..=POINTS).map(|step| bezier([start, bend, end], step)));
        start = match generator.below(4) {
            0 => bend,
            _ => end,
        };
    }
    image.paint(|[y, x]| {
        let distance = points
            .iter()
            .map(|[row, column]| (row - y).hypot(column - x))
            .fold(f32::INFINITY, f32::min);
        (&ink, (half_width - distance) / soft + 0.5)
    });
}

/// Returns a point of a quadratic Bézier curve.
fn bezier([start, bend, end]: [[f32; 2]; 3], step: usize) -> [f32; 2] {
    let share = step as f32 / POINTS as f32;
    let rest = 1.0 - share;
    [0, 1].map(|axis| {
        rest * rest * start[axis] + 2.0 * rest * share * bend[axis] + share * share * end[axis]
    })
}

/// Replaces everything outside a shape in the middle by a plain background.
pub(super) fn cut_out(image: &mut Image, generator: &mut Generator) {
    let ground = background(image.shape[0], generator);
    let radius = generator.between([0.25, 0.5]);
    let mut outline = Outline::new(radius, generator);
    outline.center =
        [generator.between([0.4, 0.6]), generator.between([0.4, 0.6])].map(|place| place as f32);
    image.paint(|point| (&ground, f32::from(u8::from(!outline.contains(point)))));
}
