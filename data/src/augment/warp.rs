//! Affine transformation of an image.

/// Number of fractional bits of a coordinate.
const BITS: u32 = 16;
const ONE: f64 = (1_u32 << BITS) as f64;

/// A linear map of the plane and a translation, about the center of an image. It maps each pixel of
/// the result to its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Warp {
    /// `[[x from x, x from y], [y from x, y from y]]`.
    matrix: [[f64; 2]; 2],
    /// Translation of the result, subtracted first: pixels right and down.
    shift: [f64; 2],
}

impl Warp {
    /// Returns a clockwise rotation by `degrees`.
    pub(crate) fn rotation(degrees: f64) -> Self {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Self::linear([[cosine, sine], [-sine, cosine]])
    }

    /// Returns a shear: rows move right by `along_x` pixels for each row below the center, and
    /// columns down by `along_y` for each column right of it.
    pub(crate) fn shear([along_x, along_y]: [f64; 2]) -> Self {
        // The inverse of [[1, along_x], [along_y, 1]], one of which is 0.
        Self::linear([[1.0, -along_x], [-along_y, 1.0]])
    }

    /// Returns an enlargement by `factor`, above 0.
    pub(crate) fn scaling(factor: f64) -> Self {
        Self::linear([[1.0 / factor, 0.0], [0.0, 1.0 / factor]])
    }

    /// Returns a translation to the right and down.
    pub(crate) fn translation(shift: [f64; 2]) -> Self {
        Self {
            matrix: [[1.0, 0.0], [0.0, 1.0]],
            shift,
        }
    }

    /// Composes this with `earlier`, which is applied first and must not translate.
    pub(crate) fn after(self, earlier: Self) -> Self {
        let [[a, b], [c, d]] = earlier.matrix;
        let [[e, f], [g, h]] = self.matrix;
        Self {
            matrix: [
                [a * e + b * g, a * f + b * h],
                [c * e + d * g, c * f + d * h],
            ],
            shift: self.shift,
        }
    }

    fn linear(matrix: [[f64; 2]; 2]) -> Self {
        Self {
            matrix,
            shift: [0.0; 2],
        }
    }

    /// Applies the transformation to an image, `[channels, height, width]`: bilinear, with the
    /// channel's value in `filling` around the image. The result is the same on every machine,
    /// since it is computed with integers.
    pub(crate) fn apply(
        &self,
        image: &[u8],
        [channels, height, width]: [usize; 3],
        filling: &[u8],
    ) -> Vec<u8> {
        let fixed = |value: f64| (value * ONE).round() as i64;
        let matrix = self.matrix.map(|row| row.map(fixed));
        let center = [width, height].map(|side| (side as f64 - 1.0) / 2.0);
        let [x, y] = [center[0] + self.shift[0], center[1] + self.shift[1]];
        // Source of the first pixel.
        let start = [0, 1].map(|axis| {
            let [across, down] = self.matrix[axis];
            fixed(center[axis] - across * x - down * y)
        });
        let mut result = vec![0; channels * height * width];
        for row in 0..height {
            let [mut x, mut y] = [0, 1].map(|axis| start[axis] + matrix[axis][1] * row as i64);
            for column in 0..width {
                let tap = Tap::new([x, y], [height, width]);
                for (channel, &filling) in filling.iter().enumerate().take(channels) {
                    let plane = &image[channel * height * width..][..height * width];
                    result[(channel * height + row) * width + column] = tap.value(plane, filling);
                }
                x += matrix[0][0];
                y += matrix[1][0];
            }
        }
        result
    }
}

/// The four pixels around a point, as far as they are in the image, and their weights.
struct Tap {
    places: [Option<usize>; 4],
    /// The weights add up to 65536.
    weights: [u32; 4],
}

impl Tap {
    fn new([x, y]: [i64; 2], [height, width]: [usize; 2]) -> Self {
        let ([left, top], [right, below]) = ([x, y].map(whole), [x, y].map(part));
        let place = |row: i64, column: i64| {
            let row = usize::try_from(row).ok().filter(|&row| row < height)?;
            let column = usize::try_from(column)
                .ok()
                .filter(|&column| column < width)?;
            Some(row * width + column)
        };
        Self {
            places: [
                place(top, left),
                place(top, left + 1),
                place(top + 1, left),
                place(top + 1, left + 1),
            ],
            weights: [
                (256 - below) * (256 - right),
                (256 - below) * right,
                below * (256 - right),
                below * right,
            ],
        }
    }

    fn value(&self, plane: &[u8], filling: u8) -> u8 {
        let sum: u32 = self
            .places
            .iter()
            .zip(self.weights)
            .map(|(place, weight)| weight * u32::from(place.map_or(filling, |at| plane[at])))
            .sum();
        ((sum + (1 << 15)) >> 16) as u8
    }
}

/// Returns the integer part of a coordinate after rounding to the 8 fractional bits of the weights.
fn whole(coordinate: i64) -> i64 {
    (coordinate + (1 << (BITS - 9))) >> BITS
}

/// Returns the fractional part of a coordinate, 0 to 255.
fn part(coordinate: i64) -> u32 {
    (((coordinate + (1 << (BITS - 9))) >> (BITS - 8)) & 255) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [u8; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

    fn warped(warp: Warp) -> Vec<u8> {
        warp.apply(&IMAGE, [1, 3, 3], &[0])
    }

    #[test]
    fn integer_shifts_are_exact() {
        assert_eq!(warped(Warp::rotation(0.0)), IMAGE);
        assert_eq!(warped(Warp::scaling(1.0)), IMAGE);
        assert_eq!(
            warped(Warp::rotation(90.0)),
            [70, 40, 10, 80, 50, 20, 90, 60, 30]
        );
        assert_eq!(
            warped(Warp::rotation(-180.0)),
            [90, 80, 70, 60, 50, 40, 30, 20, 10]
        );
        assert_eq!(
            warped(Warp::translation([1.0, 0.0])),
            [0, 10, 20, 0, 40, 50, 0, 70, 80]
        );
        assert_eq!(
            warped(Warp::translation([0.0, -2.0])),
            [70, 80, 90, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            warped(Warp::shear([1.0, 0.0])),
            [20, 30, 0, 40, 50, 60, 0, 70, 80]
        );
        assert_eq!(
            warped(Warp::shear([0.0, 1.0])),
            [40, 20, 0, 70, 50, 30, 0, 80, 60]
        );
    }

    #[test]
    fn half_shifts_interpolate() {
        assert_eq!(
            warped(Warp::translation([0.5, 0.0])),
            [5, 15, 25, 20, 45, 55, 35, 75, 85]
        );
        // The outer pixels come from half a pixel off the center.
        assert_eq!(
            warped(Warp::scaling(2.0)),
            [30, 35, 40, 45, 50, 55, 60, 65, 70]
        );
    }

    #[test]
    fn maps_are_combined_in_order() {
        let shift = Warp::translation([1.0, 0.0]);
        let turned = Warp::rotation(90.0);
        assert_eq!(
            warped(shift.after(turned)),
            [0, 70, 40, 0, 80, 50, 0, 90, 60]
        );
        let (turn, shear) = (Warp::rotation(90.0), Warp::shear([1.0, 0.0]));
        let steps = turn.apply(&shear.apply(&IMAGE, [1, 3, 3], &[0]), [1, 3, 3], &[0]);
        assert_eq!(warped(turn.after(shear)), steps);
    }

    #[test]
    fn filling_is_per_channel() {
        let image = [1, 2, 3];
        let moved = Warp::translation([5.0, 5.0]).apply(&image, [3, 1, 1], &[7, 8, 9]);
        assert_eq!(moved, [7, 8, 9]);
    }
}
