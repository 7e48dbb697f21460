//! A run as it starts, or as its last checkpoint left it.

use std::fs;
use std::path::PathBuf;

use burn::backend::Autodiff;
use burn::lr_scheduler::LrScheduler as _;
use burn::module::{AutodiffModule as _, Module as _};
use burn::optim::Optimizer as _;
use burn::tensor::backend::Backend as _;
use model::ResidualBackend;

use crate::average::Average;
use crate::checkpoint::{Checkpoint, Checkpoints, RunState};
use crate::classifier::Classifier;
use crate::error::{ConfigError, TrainError};
use crate::fingerprint::Fingerprint;
use crate::folder::{CHECKPOINT_FOLDER, RunFolder};
use crate::keep::{check_kept, keep};
use crate::optimizer::optimizer;
use crate::plan::Plan;
use crate::strategy::Learning;
use crate::trainee::Trainee;

/// Model, optimizer and schedule, and how far the run is.
pub(crate) struct Start<B: ResidualBackend> {
    pub(crate) learning: Learning<Autodiff<B>>,
    pub(crate) state: RunState,
}

impl<B: ResidualBackend> Start<B> {
    pub(crate) fn new(
        plan: &Plan,
        folder: &RunFolder,
        device: &B::Device,
    ) -> Result<Self, TrainError> {
        let config = &plan.config;
        folder.remove_unfinished()?;
        let checkpoints = Checkpoints::new(folder.path());
        let checkpoint = checkpoints.latest()?;
        Autodiff::<B>::seed(device, config.seed);
        let network = match (&plan.pretrained, &checkpoint) {
            (Some(pretrained), None) => pretrained.network::<Autodiff<B>>(&plan.network, device)?,
            _ => {
                let network = plan.network.init::<Autodiff<B>>(device);
                network.map_err(|error| ConfigError::Network {
                    model: plan.model.clone(),
                    reason: error.to_string(),
                })?
            }
        }
        .freeze(&config.freeze);
        let start = Self {
            learning: Learning {
                trainee: Trainee {
                    average: config.ema.map(|decay| Average::new(network.valid(), decay)),
                    model: Classifier::new(network, config),
                    optimizer: optimizer(config).into(),
                    clip: config.clip,
                    steps: 0,
                },
                schedule: plan.schedule(),
            },
            state: RunState {
                step: 0,
                epoch: 1,
                steps_in_epoch: 0,
                partial: None,
                best: None,
                best_raw: None,
                history: Vec::new(),
                seconds: 0.0,
                network: plan.network.clone(),
                data: Some(Fingerprint::of(plan)),
            },
        };
        match checkpoint {
            Some(checkpoint) => start.resume(plan, folder, &checkpoints, checkpoint, device),
            None => {
                let checkpoint_folder = folder.path().join(CHECKPOINT_FOLDER);
                fs::create_dir_all(&checkpoint_folder)
                    .map_err(TrainError::io("create", checkpoint_folder))?;
                Ok(start)
            }
        }
    }

    fn resume(
        self,
        plan: &Plan,
        folder: &RunFolder,
        checkpoints: &Checkpoints,
        checkpoint: Checkpoint,
        device: &B::Device,
    ) -> Result<Self, TrainError> {
        plan.check_data(folder)?;
        let state = &checkpoint.state;
        if state.network != self.state.network {
            return Err(TrainError::Checkpoint {
                path: PathBuf::from(folder.path()),
                reason: "its network is not the one that config.toml describes".to_owned(),
            });
        }
        let begun = state.epoch - usize::from(state.steps_in_epoch == 0);
        if plan.config.epochs < begun {
            return Err(TrainError::FewerEpochs {
                asked: plan.config.epochs,
                begun,
            });
        }
        let Learning {
            trainee,
            schedule: new,
        } = self.learning;
        let is_averaged = trainee.average.is_some();
        let records = checkpoints.load::<B>(&checkpoint, &trainee.model, is_averaged, device)?;
        let average = trainee.average.zip(records.average);
        let average = average.map(|(average, record)| average.load(record));
        let mut model = trainee.model.load_record(records.model);
        // A record brings gradients with it.
        model.network = model.network.freeze(&plan.config.freeze);
        // The run may have been killed before it kept the network and removed older records.
        let network = model.network.valid();
        let averaged = average.as_ref().map(Average::network);
        check_kept(plan, folder.path(), state)?;
        keep(plan, folder.path(), state, &network, averaged)?;
        checkpoints.remove_others(state)?;
        Ok(Self {
            learning: Learning {
                trainee: Trainee {
                    model,
                    optimizer: trainee.optimizer.load_record(records.optimizer),
                    average,
                    steps: checkpoint.state.step,
                    ..trainee
                },
                schedule: new.load_record::<Autodiff<B>>(records.schedule),
            },
            state: RunState {
                data: self.state.data,
                ..checkpoint.state
            },
        })
    }
}
