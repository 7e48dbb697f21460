//! The results of a run: on the test images, or else on the validation images of its best epoch.

use events::{History, Mistake, Split};

/// Metrics of a set of images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'a> {
    pub is_test: bool,
    /// Name of the set of images.
    pub scored: &'static str,
    /// Epoch of the network.
    pub epoch: usize,
    pub confusion: &'a [(usize, usize, u64)],
    pub mistakes: &'a [Mistake],
}

impl<'a> Outcome<'a> {
    pub(super) fn of(history: &'a History) -> Option<Self> {
        if let Some(tested) = &history.tested {
            return Some(Self {
                is_test: true,
                scored: "test",
                epoch: tested.epoch,
                confusion: &tested.confusion,
                mistakes: &tested.mistakes,
            });
        }
        let epoch = history.kept().or(history.epochs.last())?;
        Some(Self {
            is_test: false,
            scored: history.name_of(Split::Validation),
            epoch: epoch.epoch,
            confusion: &epoch.confusion,
            mistakes: &epoch.mistakes,
        })
    }

    /// Describes the images and the network, such as "test images, model of epoch 5".
    pub(super) fn images(&self) -> String {
        match self.is_test {
            true => format!("test images, model of epoch {}", self.epoch),
            false => format!("{} images after epoch {}", self.scored, self.epoch),
        }
    }
}
