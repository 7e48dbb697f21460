//! Pixelwise changes of brightness and color, as in Pillow's `ImageEnhance` and `ImageOps`, on
//! `[channels, height, width]` bytes of 1 (gray) or 3 (RGB) channels.

/// Lookup table of a channel: the new value for each value.
pub(crate) type Table = [u8; 256];

/// Returns the lookup table of a function.
pub(crate) fn table(mut value: impl FnMut(u8) -> u8) -> Table {
    std::array::from_fn(|index| value(index as u8))
}

/// Replaces every value by its entry in the table.
pub(crate) fn look_up(pixels: &mut [u8], table: &Table) {
    for value in pixels {
        *value = table[usize::from(*value)];
    }
}

/// Interpolates from `other` (`factor` 0) to `value` (`factor` 1), and extrapolates beyond.
pub(crate) fn blend(other: f32, value: u8, factor: f32) -> u8 {
    // The conversion clamps to 0 to 255 and truncates the fraction.
    (other + factor * (f32::from(value) - other) + 0.5) as u8
}

/// Multiplies brightness by `factor`, 0 (black) or more.
pub(crate) fn brightness(pixels: &mut [u8], factor: f32) {
    look_up(pixels, &table(|value| blend(0.0, value, factor)));
}

/// Scales the difference of every value from the image's mean brightness by `factor`, 0 (uniform)
/// or more.
pub(crate) fn contrast(pixels: &mut [u8], channels: usize, factor: f32) {
    let sum: u64 = match split(pixels, channels) {
        Some([red, green, blue]) => {
            let luma = |((&red, &green), &blue)| u64::from(luma(red, green, blue));
            red.iter()
                .zip(green.iter())
                .zip(blue.iter())
                .map(luma)
                .sum()
        }
        None => pixels.iter().map(|&value| u64::from(value)).sum(),
    };
    let count = (pixels.len() / channels).max(1);
    let mean = (sum as f64 / count as f64).round() as f32;
    look_up(pixels, &table(|value| blend(mean, value, factor)));
}

/// Scales the difference of every color from its gray by `factor`, 0 (gray) or more; gray images
/// are unchanged.
pub(crate) fn saturation(pixels: &mut [u8], channels: usize, factor: f32) {
    let Some([red, green, blue]) = split(pixels, channels) else {
        return;
    };
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let gray = f32::from(luma(*red, *green, *blue));
        for value in [red, green, blue] {
            *value = blend(gray, *value, factor);
        }
    }
}

/// Scales the difference of each value from the mean of its neighborhood by `factor`, 0 (smooth) or
/// more.
///
/// The neighborhood is 3x3 pixels, with weight 5 of 13 for the middle one; the border is unchanged.
pub(crate) fn sharpness(pixels: &mut [u8], [_, height, width]: [usize; 3], factor: f32) {
    for plane in pixels.chunks_exact_mut(height * width) {
        let original = plane.to_vec();
        for row in 1..height.saturating_sub(1) {
            for column in 1..width.saturating_sub(1) {
                let place = row * width + column;
                let above = &original[place - width - 1..][..3];
                let beside = &original[place - 1..][..3];
                let below = &original[place + width - 1..][..3];
                let all = above.iter().chain(beside).chain(below);
                let sum = all.map(|&value| u32::from(value)).sum::<u32>()
                    + 4 * u32::from(original[place]);
                let smooth = ((2 * sum + 13) / 26) as f32;
                plane[place] = blend(smooth, original[place], factor);
            }
        }
    }
}

/// Keeps the upper `bits` of each value, 0 to 8.
pub(crate) fn posterize(pixels: &mut [u8], bits: u32) {
    let mask = !(0xff_u16 >> bits) as u8;
    look_up(pixels, &table(|value| value & mask));
}

/// Inverts values of at least `threshold`.
pub(crate) fn solarize(pixels: &mut [u8], threshold: u16) {
    let inverted = |value: u8| {
        if u16::from(value) < threshold {
            value
        } else {
            !value
        }
    };
    look_up(pixels, &table(inverted));
}

/// Stretches each channel from its minimum and maximum to 0 and 255; uniform channels are
/// unchanged.
pub(crate) fn autocontrast(pixels: &mut [u8], channels: usize) {
    for plane in planes(pixels, channels) {
        let (mut least, mut most) = (u8::MAX, u8::MIN);
        for &value in plane.iter() {
            (least, most) = (least.min(value), most.max(value));
        }
        if least < most {
            let scale = 255.0 / f32::from(most - least);
            let stretched = |value: u8| f32::from(value.saturating_sub(least)) * scale;
            look_up(plane, &table(|value| (stretched(value) + 0.5) as u8));
        }
    }
}

/// Equalizes the histogram of each channel as far as possible.
pub(crate) fn equalize(pixels: &mut [u8], channels: usize) {
    for plane in planes(pixels, channels) {
        let mut counts = [0_usize; 256];
        for &value in plane.iter() {
            counts[usize::from(value)] += 1;
        }
        let last = counts.iter().rev().find(|&&count| count > 0);
        let step = (plane.len() - last.copied().unwrap_or(0)) / 255;
        if step == 0 {
            continue;
        }
        let mut before = step / 2;
        let spread = table(|value| {
            let spread = (before / step).min(255) as u8;
            before += counts[usize::from(value)];
            spread
        });
        look_up(plane, &spread);
    }
}

/// Returns 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), with Pillow's fixed-point weights.
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8
}

fn planes(pixels: &mut [u8], channels: usize) -> impl Iterator<Item = &mut [u8]> {
    let length = (pixels.len() / channels).max(1);
    pixels.chunks_exact_mut(length)
}

/// Returns the planes of an RGB image; `None` for a gray one.
fn split(pixels: &mut [u8], channels: usize) -> Option<[&mut [u8]; 3]> {
    let length = pixels.len() / channels;
    let (red, rest) = pixels.split_at_mut(length);
    let (green, blue) = rest.split_at_mut_checked(length)?;
    (channels == 3).then_some([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the image after a change.
    fn after<const N: usize>(mut pixels: [u8; N], change: impl Fn(&mut [u8])) -> [u8; N] {
        change(&mut pixels);
        pixels
    }

    #[test]
    fn brightness_is_a_factor() {
        assert_eq!(
            after([0, 100, 200], |it| brightness(it, 1.5)),
            [0, 150, 255]
        );
        assert_eq!(after([0, 100, 200], |it| brightness(it, 0.0)), [0; 3]);
    }

    #[test]
    fn contrast_pivots_on_mean_gray() {
        assert_eq!(
            after([50, 100, 150], |it| contrast(it, 1, 2.0)),
            [0, 100, 200]
        );
        assert_eq!(after([50, 100, 150], |it| contrast(it, 1, 0.0)), [100; 3]);
        // 124 is the gray of this color.
        assert_eq!(after([200, 100, 50], |it| contrast(it, 3, 0.0)), [124; 3]);
    }

    #[test]
    fn saturation_pivots_on_pixel_gray() {
        assert_eq!(after([200, 100, 50], |it| saturation(it, 3, 0.0)), [124; 3]);
        assert_eq!(
            after([200, 100, 50], |it| saturation(it, 3, 0.5)),
            [162, 112, 87]
        );
        assert_eq!(
            after([200, 100, 50], |it| saturation(it, 1, 0.0)),
            [200, 100, 50]
        );
    }

    #[test]
    fn sharpness_smooths_the_inside() {
        let dot = [0, 0, 0, 0, 130, 0, 0, 0, 0];
        let smooth = after(dot, |it| sharpness(it, [1, 3, 3], 0.0));
        assert_eq!(smooth, [0, 0, 0, 0, 50, 0, 0, 0, 0]);
        assert_eq!(after(dot, |it| sharpness(it, [1, 3, 3], 1.0)), dot);
        let sharp = after(dot, |it| sharpness(it, [1, 3, 3], 2.0));
        assert_eq!(sharp, [0, 0, 0, 0, 210, 0, 0, 0, 0]);
    }

    #[test]
    fn posterize_and_solarize_act_per_value() {
        assert_eq!(after([255, 130, 63], |it| posterize(it, 2)), [192, 128, 0]);
        assert_eq!(after([255, 130, 63], |it| posterize(it, 8)), [255, 130, 63]);
        assert_eq!(after([255, 130, 63], |it| solarize(it, 130)), [0, 125, 63]);
        assert_eq!(
            after([255, 130, 63], |it| solarize(it, 256)),
            [255, 130, 63]
        );
    }

    #[test]
    fn autocontrast_and_equalize_act_per_channel() {
        let pixels = [50, 100, 7, 7, 0, 255];
        assert_eq!(
            after(pixels, |it| autocontrast(it, 3)),
            [0, 255, 7, 7, 0, 255]
        );
        let mut pixels = [[10; 400], [20; 400], [30; 400]].concat();
        equalize(&mut pixels, 1);
        // Steps of (1200 - 400) / 255 = 3 pixels, from half a step on.
        assert_eq!((pixels[0], pixels[400], pixels[800]), (0, 133, 255));
        assert_eq!(after([9; 6], |it| equalize(it, 3)), [9; 6]);
    }
}
