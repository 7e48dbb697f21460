//! Outliers made from training images.

use crate::order::shuffle;
use crate::random::Generator;

/// Number of blocks along each side of a shuffled image; at most a few blocks stay in place.
const CUTS: [usize; 4] = [2, 3, 4, 7];
/// Number of superimposed images.
const STACK: usize = 3;

fn any<'a>(images: &[&'a [u8]], generator: &mut Generator) -> &'a [u8] {
    images[generator.below(images.len())]
}

/// Shuffles the blocks of an image. A strip too narrow for a block is unchanged.
pub(super) fn shuffled(
    [channels, height, width]: [usize; 3],
    images: &[&[u8]],
    generator: &mut Generator,
) -> Vec<u8> {
    let image = any(images, generator);
    let cuts = CUTS[generator.below(CUTS.len())];
    let [rows, columns] = [height, width].map(|side| side / cuts);
    let mut order: Vec<usize> = (0..cuts * cuts).collect();
    shuffle(&mut order, generator);
    let mut changed = image.to_vec();
    for (to, from) in order.into_iter().enumerate() {
        for channel in 0..channels {
            for row in 0..rows {
                let [to, from] = [to, from].map(|block| {
                    let row = channel * height + block / cuts * rows + row;
                    row * width + block % cuts * columns
                });
                changed[to..to + columns].copy_from_slice(&image[from..from + columns]);
            }
        }
    }
    changed
}

/// Returns the mean of three images, or their maximum at each pixel.
pub(super) fn stacked(images: &[&[u8]], generator: &mut Generator) -> Vec<u8> {
    let stack = [(); STACK].map(|()| any(images, generator));
    let brightest = generator.coin();
    let pixel = |index: usize| {
        let pixels = stack.map(|image| image[index]);
        match brightest {
            true => pixels.into_iter().max().unwrap_or_default(),
            false => (pixels.into_iter().map(usize::from).sum::<usize>() / STACK) as u8,
        }
    };
    (0..stack[0].len()).map(pixel).collect()
}

/// Inverts an image.
pub(super) fn negative(images: &[&[u8]], generator: &mut Generator) -> Vec<u8> {
    any(images, generator).iter().map(|pixel| !pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn shuffled_blocks_keep_their_pixels() {
        let image: Vec<u8> = (0..=251).collect(); // [1, 14, 18]
        let mut moved = 0;
        for number in 0..20 {
            let mut generator = Generator::new(1, Purpose::Outlier, [0, number]);
            let mut changed = shuffled([1, 14, 18], &[&image], &mut generator);
            moved += usize::from(changed != image);
            changed.sort_unstable();
            assert_eq!(changed, image);
        }
        // Four blocks keep their order once in 24 times.
        assert!(moved > 15, "{moved}");
    }

    #[test]
    fn negative_inverts_pixels() {
        let mut generator = Generator::new(1, Purpose::Outlier, [0, 0]);
        assert_eq!(negative(&[&[0, 1, 255]], &mut generator), [255, 254, 0]);
    }
}
