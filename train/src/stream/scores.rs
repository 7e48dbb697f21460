//! Metrics of a network as events.

use data::ImageDataset;
use events::{CROSS_ENTROPY, Epoch, Event, Metrics, Mistake, Tested, Thumbnail, round};

use crate::checkpoint::EpochScores;
use crate::evaluation::{Evaluation, Missed, Score, Tally};

/// Longest side of the thumbnails of mistakes, in pixels.
const SIDE: u32 = 48;

/// Returns the metrics of a training step: loss, accuracy and learning rate, and the loss without label smoothing if
/// labels are smoothed.
pub(crate) fn step_metrics(
    [loss, accuracy, rate]: [f64; 3],
    cross_entropy: Option<f64>,
) -> Metrics {
    let mut metrics = Metrics::from_iter([
        ("accuracy", round(accuracy)),
        ("loss", round(loss)),
        ("rate", round(rate)),
    ]);
    if let Some(cross_entropy) = cross_entropy {
        metrics.set(CROSS_ENTROPY, round(cross_entropy));
    }
    metrics
}

/// Metrics of an epoch.
pub(crate) struct EpochFigures {
    /// Score over the training images, measured while the network was learning.
    pub train: Option<Score>,
    /// Training loss without label smoothing, if the loss in `train` includes it.
    pub train_cross_entropy: Option<f64>,
    pub validation: Scored,
    /// Metrics of the moving average, if one is kept.
    pub averaged: Option<Scored>,
    /// Duration of the epoch, in seconds.
    pub took: f64,
}

impl EpochFigures {
    /// Returns the scores that a checkpoint stores.
    pub(crate) fn scores(&self) -> EpochScores {
        let averaged = self.averaged.as_ref();
        EpochScores {
            train: self.train,
            validation: self.validation.evaluation.score(),
            averaged: averaged.map(|scored| scored.evaluation.score()),
        }
    }

    /// Returns the event of the epoch, without its position in the run; `images` are the validation images.
    pub(super) fn event(&self, images: &ImageDataset) -> Epoch {
        let kept = self.averaged.as_ref().unwrap_or(&self.validation);
        let mut train = self.train.map(score).unwrap_or_default();
        if let Some(cross_entropy) = self.train_cross_entropy {
            train.set(CROSS_ENTROPY, round(cross_entropy));
        }
        let averaged = self.averaged.as_ref();
        Epoch {
            took: round(self.took),
            train,
            validation: metrics(&self.validation.evaluation),
            average: averaged.map(|scored| metrics(&scored.evaluation)),
            confusion: confusion(&kept.evaluation),
            mistakes: mistakes(&kept.missed, images),
            ..Epoch::default()
        }
    }
}

/// Returns the event of a test of the kept network, which is from the given epoch, with the metrics of the weights
/// without averaging in `raw`.
pub(super) fn tested(
    seconds: f64,
    epoch: usize,
    scored: &Scored,
    raw: Option<&Evaluation>,
    images: &ImageDataset,
) -> Event {
    Event::Tested(Box::new(Tested {
        seconds,
        epoch,
        metrics: metrics(&scored.evaluation),
        raw: raw.map(metrics),
        confusion: confusion(&scored.evaluation),
        mistakes: mistakes(&scored.missed, images),
    }))
}

/// Metrics and mistakes of a pass over images.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub evaluation: Evaluation,
    /// Misclassified images, the most confident first.
    pub missed: Vec<Missed>,
}

impl Scored {
    /// Returns `None` if the tally has no images.
    pub(crate) fn new(tally: Tally, class_names: &[String]) -> Option<Self> {
        let missed = tally.missed().to_vec();
        let evaluation = tally.evaluation(class_names)?;
        Some(Self { evaluation, missed })
    }
}

fn score(score: Score) -> Metrics {
    Metrics::from_iter([
        ("loss", round(score.loss)),
        ("accuracy", round(score.accuracy)),
    ])
}

fn metrics(evaluation: &Evaluation) -> Metrics {
    Metrics::from_iter([
        ("loss", round(evaluation.loss)),
        ("accuracy", round(evaluation.accuracy)),
        ("top5", round(evaluation.top5)),
        ("calibration_error", round(evaluation.calibration_error)),
    ])
}

fn confusion(evaluation: &Evaluation) -> Vec<(usize, usize, u64)> {
    let rows = evaluation.confusion.iter().enumerate();
    let cells = rows.flat_map(|(class, row)| {
        let cells = row.iter().enumerate();
        cells.map(move |(likeliest, &images)| (class, likeliest, images))
    });
    cells.filter(|&(_, _, images)| images > 0).collect()
}

fn mistakes(missed: &[Missed], images: &ImageDataset) -> Vec<Mistake> {
    let mistakes = missed.iter().filter_map(|missed| {
        Some(Mistake {
            image: missed.image,
            path: path(images, missed.image),
            class: missed.class,
            likeliest: missed.likeliest,
            confidence: round(missed.confidence),
            thumbnail: thumbnail(images, missed.image)?,
        })
    });
    mistakes.collect()
}

/// Returns the path of an image, if the image has its own file.
fn path(images: &ImageDataset, image: usize) -> Option<String> {
    let index = *images.indices().get(image)?;
    images.store().path(index).map(files::path_text)
}

/// Returns the thumbnail of an image, or `None` if it cannot be read and another was scored instead.
fn thumbnail(images: &ImageDataset, image: usize) -> Option<Thumbnail> {
    let index = *images.indices().get(image)?;
    let image = images.store().image(index).ok()?;
    let image = match image.width().max(image.height()) > SIDE {
        true => image.thumbnail(SIDE, SIDE),
        false => image,
    };
    let [height, width] = [image.height() as usize, image.width() as usize];
    let (channels, pixels) = match image.color().has_color() {
        true => (3, image.into_rgb8().into_raw()),
        false => (1, image.into_luma8().into_raw()),
    };
    Thumbnail::new([height, width, channels], pixels).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::PackedImages;

    #[test]
    fn mistakes_include_thumbnails() {
        let gray = PackedImages::new([1, 2, 2], vec![0, 1, 2, 3, 4, 5, 6, 7], vec![0, 1]).unwrap();
        let dataset = ImageDataset::new(gray, vec![1, 0]).unwrap();
        let missed = |image| Missed {
            image,
            class: 0,
            likeliest: 1,
            confidence: 0.75,
        };
        let mistakes = mistakes(&[missed(0), missed(7)], &dataset);
        assert_eq!(mistakes.len(), 1, "there is no eighth image");
        assert_eq!(mistakes[0].thumbnail.pixels(), [4, 5, 6, 7]);
        assert_eq!(mistakes[0].path, None);

        let color = PackedImages::new([3, 96, 192], vec![9; 3 * 96 * 192], vec![0]).unwrap();
        let large = thumbnail(&ImageDataset::all(color), 0).unwrap();
        assert_eq!(
            (large.height(), large.width(), large.channels()),
            (24, 48, 3)
        );
        assert_eq!(large.color(3, 3), [9; 3]);
    }

    #[test]
    fn mistakes_show_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..2)
            .map(|number| folder.path().join(format!("{number}.png")))
            .collect();
        for path in &paths {
            image::RgbImage::new(2, 2).save(path).unwrap();
        }
        let files = data::ImageFiles::new(paths.clone(), vec![0, 0]).unwrap();
        let dataset = ImageDataset::new(files, vec![1, 0]).unwrap();
        let missed = Missed {
            image: 0,
            class: 0,
            likeliest: 1,
            confidence: 0.75,
        };
        let mistakes = mistakes(&[missed], &dataset);
        assert_eq!(mistakes[0].path.as_deref(), paths[1].to_str());
    }
}
