//! What a network came to, as events.

use data::PictureDataset;
use events::{Epoch, Event, Metrics, Mistake, Tested, Thumbnail};

use super::step_log::round;
use crate::evaluation::{Evaluation, Missed, Tally};
use crate::totals::Score;

/// Longest side of the pictures of mistakes, in pixels.
const SIDE: u32 = 48;

/// An epoch and its place in the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub seconds: f64,
    pub took: f64,
    pub epoch: usize,
    pub step: usize,
    pub best: bool,
}

/// The event of an epoch: `validation` is of the weights, `average` of their moving average.
pub(crate) fn epoch(
    place: Place,
    train: Option<Score>,
    validation: &Scored,
    average: Option<&Scored>,
    pictures: &PictureDataset,
) -> Event {
    let kept = average.unwrap_or(validation);
    Event::Epoch(Box::new(Epoch {
        seconds: place.seconds,
        epoch: place.epoch,
        step: place.step,
        took: round(place.took),
        train: train.map(score).unwrap_or_default(),
        validation: metrics(&validation.evaluation),
        average: average.map(|average| metrics(&average.evaluation)),
        best: place.best,
        confusion: confusion(&kept.evaluation),
        mistakes: mistakes(&kept.missed, pictures),
    }))
}

/// The event of a test.
pub(crate) fn tested(
    seconds: f64,
    epoch: usize,
    scored: &Scored,
    pictures: &PictureDataset,
) -> Event {
    Event::Tested(Box::new(Tested {
        seconds,
        epoch,
        metrics: metrics(&scored.evaluation),
        confusion: confusion(&scored.evaluation),
        mistakes: mistakes(&scored.missed, pictures),
    }))
}

/// What a pass over pictures came to.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub evaluation: Evaluation,
    /// Pictures taken for another class, the most certain first.
    pub missed: Vec<Missed>,
}

impl Scored {
    /// None without a picture.
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
        cells.map(move |(likeliest, &pictures)| (class, likeliest, pictures))
    });
    cells.filter(|&(_, _, pictures)| pictures > 0).collect()
}

fn mistakes(missed: &[Missed], pictures: &PictureDataset) -> Vec<Mistake> {
    let mistakes = missed.iter().filter_map(|missed| {
        Some(Mistake {
            picture: missed.picture,
            class: missed.class,
            likeliest: missed.likeliest,
            confidence: round(missed.confidence),
            thumbnail: thumbnail(pictures, missed.picture)?,
        })
    });
    mistakes.collect()
}

/// None for a picture that cannot be read, in whose place another was scored.
fn thumbnail(pictures: &PictureDataset, picture: usize) -> Option<Thumbnail> {
    let index = *pictures.indices().get(picture)?;
    let image = pictures.store().image(index).ok()?;
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
    use data::Pictures;

    #[test]
    fn mistakes_show_their_pictures() {
        let grey = Pictures::new([1, 2, 2], vec![0, 1, 2, 3, 4, 5, 6, 7], vec![0, 1]).unwrap();
        let dataset = PictureDataset::new(grey, vec![1, 0]).unwrap();
        let missed = |picture| Missed {
            picture,
            class: 0,
            likeliest: 1,
            confidence: 0.75,
        };
        let mistakes = mistakes(&[missed(0), missed(7)], &dataset);
        assert_eq!(mistakes.len(), 1, "there is no eighth picture");
        assert_eq!(mistakes[0].thumbnail.pixels(), [4, 5, 6, 7]);

        let colour = Pictures::new([3, 96, 192], vec![9; 3 * 96 * 192], vec![0]).unwrap();
        let large = thumbnail(&PictureDataset::all(colour), 0).unwrap();
        assert_eq!(
            (large.height(), large.width(), large.channels()),
            (24, 48, 3)
        );
        assert_eq!(large.colour(3, 3), [9; 3]);
    }
}
