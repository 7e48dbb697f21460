//! Initial state of a run, new or from its last checkpoint.

use std::fs;
use std::path::PathBuf;

use burn::backend::Autodiff;
use burn::lr_scheduler::LrScheduler as _;
use burn::module::{AutodiffModule as _, Module as _};
use burn::optim::Optimizer as _;
use burn::tensor::backend::Backend as _;
use model::{Network, ResidualBackend};

use crate::checkpoint::{Checkpoint, Checkpoints, RunState, check_kept, keep};
use crate::error::{ConfigError, TrainError};
use crate::folder::{CHECKPOINT_FOLDER, RunFolder};
use crate::plan::{Fingerprint, Plan};
use crate::settings::Rates;
use crate::step::{Average, Classifier, Trainee};

/// Model and progress of a run.
pub(super) struct Start<B: ResidualBackend> {
    pub model: Classifier<Autodiff<B>>,
    pub state: RunState,
}

/// A network in training, with its schedule.
pub(super) struct Learning<B: ResidualBackend> {
    pub trainee: Trainee<Autodiff<B>>,
    pub schedule: Rates,
}

impl<B: ResidualBackend> Start<B> {
    /// Creates a new model, or loads the one of the last checkpoint.
    pub(super) fn new(
        plan: &Plan,
        folder: &RunFolder,
        device: &B::Device,
    ) -> Result<Self, TrainError> {
        folder.remove_unfinished()?;
        let checkpoints = Checkpoints::new(folder.path());
        let checkpoint = checkpoints.latest()?;
        Autodiff::<B>::seed(device, plan.config.seed);
        let network = match (&plan.pretrained, &checkpoint) {
            (Some(pretrained), None) => pretrained.network::<Autodiff<B>>(&plan.network, device)?,
            _ => {
                let network = plan.network.init::<Autodiff<B>>(device);
                network.map_err(|error| ConfigError::Network {
                    model: plan.model.clone(),
                    reason: error.to_string(),
                })?
            }
        };
        let model = Classifier::new(network.freeze(&plan.config.freeze), &plan.config);
        match checkpoint {
            Some(checkpoint) => Self::resume(plan, folder, checkpoint, model, device),
            None => {
                let checkpoint_folder = folder.path().join(CHECKPOINT_FOLDER);
                fs::create_dir_all(&checkpoint_folder)
                    .map_err(TrainError::io("create", checkpoint_folder))?;
                Ok(Self {
                    model,
                    state: RunState::new(plan),
                })
            }
        }
    }

    fn resume(
        plan: &Plan,
        folder: &RunFolder,
        checkpoint: Checkpoint,
        model: Classifier<Autodiff<B>>,
        device: &B::Device,
    ) -> Result<Self, TrainError> {
        plan.check_data(folder)?;
        let state = &checkpoint.state;
        if state.network != plan.network {
            return Err(TrainError::Checkpoint {
                path: PathBuf::from(folder.path()),
                reason: "its network differs from the one in config.toml".to_owned(),
            });
        }
        let begun = state.epoch - usize::from(state.steps_in_epoch == 0);
        if plan.config.epochs < begun {
            return Err(TrainError::FewerEpochs {
                asked: plan.config.epochs,
                begun,
            });
        }
        let checkpoints = Checkpoints::new(folder.path());
        let records = checkpoints.records::<B>(&checkpoint, &model, plan.config.ema.is_some())?;
        let mut model = model.load_record(records.model.load::<Autodiff<B>, _>(device)?);
        // Loading a record enables gradients again.
        model.network = model.network.freeze(&plan.config.freeze);
        // The run may have been killed before it kept the network and removed older records.
        let network = model.network.valid();
        // Clones share the running statistics of norms, and loading a record overwrites them.
        let averaged: Option<Network<B>> = match records.average {
            Some(record) => {
                let own = model.network.valid();
                Some(own.load_record(record.load::<B, _>(device)?))
            }
            None => None,
        };
        check_kept(plan, folder.path(), state)?;
        keep(plan, folder.path(), state, &network, averaged.as_ref())?;
        checkpoints.remove_others(state)?;
        Ok(Self {
            model,
            state: RunState {
                data: Some(Fingerprint::of(plan)),
                ..checkpoint.state
            },
        })
    }

    /// Returns the model with its optimizer, schedule and average, loaded from the last checkpoint if there is one.
    pub(super) fn learning(
        plan: &Plan,
        folder: &RunFolder,
        model: Classifier<Autodiff<B>>,
        device: &B::Device,
    ) -> Result<Learning<B>, TrainError> {
        let config = &plan.config;
        let average = config.ema;
        let average = average.map(|decay| Average::new(model.network.valid(), decay));
        let start = Learning {
            trainee: Trainee {
                optimizer: config.new_optimizer().into(),
                clip: config.clip,
                steps: 0,
                average,
                model,
            },
            schedule: plan.schedule(),
        };
        let checkpoints = Checkpoints::new(folder.path());
        let Some(checkpoint) = checkpoints.latest()? else {
            return Ok(start);
        };
        let Learning { trainee, schedule } = start;
        let is_averaged = trainee.average.is_some();
        let records = checkpoints.records::<B>(&checkpoint, &trainee.model, is_averaged)?;
        let average = match trainee.average.zip(records.average) {
            Some((average, record)) => Some(average.load(record.load::<B, _>(device)?)),
            None => None,
        };
        let optimizer = records.optimizer.load::<Autodiff<B>, _>(device)?;
        let rates = records.schedule.load::<Autodiff<B>, _>(device)?;
        Ok(Learning {
            trainee: Trainee {
                optimizer: trainee.optimizer.load_record(optimizer),
                average,
                steps: checkpoint.state.step,
                ..trainee
            },
            schedule: schedule.load_record::<Autodiff<B>>(rates),
        })
    }
}
