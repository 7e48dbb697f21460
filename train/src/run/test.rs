//! Test at the end of a run.

use std::path::Path;
use std::sync::{Arc, mpsc};

use data::ImageDataset;
use events::Work;
use model::ResidualBackend;
use saved_models::{Accuracy, SavedModel};

use crate::checkpoint::Best;
use crate::error::TrainError;
use crate::evaluation::{Evaluation, Tally};
use crate::folder::TEST_FILE;
use crate::plan::Plan;
use crate::scoring::score;
use crate::stop::Stop;
use crate::stream::{Scored, Stream};

/// Tests saved models on the test images.
pub(super) struct Test<'a, B: ResidualBackend> {
    pub plan: &'a Plan,
    pub device: &'a B::Device,
    pub stop: &'a Stop,
    pub stream: &'a Stream,
}

impl<B: ResidualBackend> Test<'_, B> {
    /// Tests the model in a folder. Returns `None` if told to stop.
    pub(super) fn run(&self, folder: &Path) -> Result<Option<Scored>, TrainError> {
        let Self {
            plan,
            device,
            stop,
            stream,
        } = self;
        let saved = SavedModel::open(folder)?;
        let network = saved.folded::<B>(device)?;
        let images = Arc::new(ImageDataset::all(plan.data.test.clone()).for_scoring());
        let (failed_load, load_failures) = mpsc::channel();
        let loader = plan
            .loader::<B>(&images, None, device)
            .with_failures(failed_load);
        let tally = score(
            &network,
            &loader,
            plan.config.views(),
            Tally::new(plan.network.classes()).of(&images),
            &mut |_, progress| {
                let (done, total) = (progress.items_processed, progress.items_total);
                stream.progress(Work::Test, done, total);
                stop.go_on()
            },
        );
        if let Ok(error) = load_failures.try_recv() {
            return Err(error.into());
        }
        let Some(tally) = tally else {
            return Ok(None);
        };
        let scored =
            Scored::new(tally, &plan.data.class_names).ok_or_else(|| TrainError::NoneReadable {
                data: plan.data.name.clone(),
                part: "test",
            })?;
        Ok(Some(scored))
    }

    /// Saves the test metrics of the model in a folder.
    pub(super) fn save(
        &self,
        folder: &Path,
        best: Best,
        evaluation: &Evaluation,
    ) -> Result<(), TrainError> {
        let accuracy = Accuracy {
            validation: self.plan.validated(best.score.accuracy),
            test: Some(evaluation.accuracy),
        };
        SavedModel::save_description(folder, &self.plan.description(best.epoch, accuracy))?;
        evaluation.write(&folder.join(TEST_FILE))
    }
}
