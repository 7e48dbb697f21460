//! Scoring the network of an epoch.

use std::sync::mpsc::Receiver;

use burn::data::dataloader::{DataLoader, Progress};
use data::{DataError, ImageBatch};
use model::{Network, ResidualBackend};

use crate::error::TrainError;
use crate::evaluation::Tally;
use crate::plan::Plan;
use crate::scoring::score;
use crate::step::Fetched;
use crate::stop::Stop;
use crate::stream::Scored;

/// Scores networks on a plan's validation images.
pub(super) struct Scorer<'a> {
    pub plan: &'a Plan,
    pub stop: &'a Stop,
    /// The error that ended the batches early, if any.
    pub load_failures: &'a Receiver<DataError>,
}

impl Scorer<'_> {
    /// Scores a network and calls `each` for every batch. Returns `None` if told to stop before the end.
    pub(super) fn score<B: ResidualBackend>(
        &self,
        network: &Network<B>,
        loader: &dyn DataLoader<B, ImageBatch<B>>,
        each: &mut dyn FnMut(Fetched<B>, Progress),
    ) -> Result<Option<Scored>, TrainError> {
        let plan = self.plan;
        let tally = Tally::new(plan.network.classes()).of(&plan.validation);
        let tally = score(
            &network.fold(),
            loader,
            plan.config.views(),
            tally,
            &mut |output, progress| {
                each(output, progress);
                self.stop.go_on()
            },
        );
        tally.map(|tally| self.scored(tally)).transpose()
    }

    /// Returns the scores, or an error if the images ended early: a score over part of them does not count.
    fn scored(&self, tally: Tally) -> Result<Scored, TrainError> {
        if let Ok(error) = self.load_failures.try_recv() {
            return Err(error.into());
        }
        let data = &self.plan.data;
        Scored::new(tally, &data.class_names).ok_or_else(|| TrainError::NoneReadable {
            data: data.name.clone(),
            part: match self.plan.config.scores_on_test() {
                true => "test",
                false => "validation",
            },
        })
    }
}
