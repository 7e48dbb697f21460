//! Events at the start of a run: started and resumed.

use events::{Event, ImageCounts, Resumed, Started};
use jiff::Zoned;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::About;
use crate::checkpoint::RunState;
use crate::plan::Plan;

/// Maximum number of intervals between the recorded points of the planned learning rate.
const RATES: usize = 200;

pub(super) fn started(plan: &Plan, about: &About) -> Event {
    let config = &plan.config;
    let shape = plan.data.preprocessing.shape();
    let [_, height, width] = shape;
    let summary = model::summary(&plan.network, [height, width]);
    Event::Started(Box::new(Started {
        at: now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: about.command.clone(),
        folder: about.folder.clone(),
        machine: machine(),
        processor: processor(),
        device: about.device.clone(),
        threads: device::threads(),
        data: plan.data.name.clone(),
        classes: plan.data.class_names.clone(),
        images: ImageCounts {
            train: plan.train.len(),
            validation: match config.scores_on_test() {
                true => 0,
                false => plan.validation.len(),
            },
            test: plan.data.test.len(),
        },
        shape,
        model: plan.model.clone(),
        parameters: summary.map_or(0, |summary| {
            usize::try_from(summary.parameters).unwrap_or(usize::MAX)
        }),
        epochs: config.epochs,
        steps_per_epoch: plan.steps_per_epoch,
        batch_size: config.batch_size.saturating_mul(config.accumulate).get(),
        rates: rates(plan),
        config: settings(plan),
        keeps_last: config.keeps_last_epoch(),
        scores_on_test: config.scores_on_test(),
    }))
}

pub(super) fn resumed(plan: &Plan, state: &RunState, about: &About) -> Event {
    Event::Resumed(Resumed {
        at: now(),
        seconds: state.seconds,
        step: state.step,
        epochs_done: state.epoch - 1,
        ended_early: state.last_better(&plan.config),
        command: about.command.clone(),
        folder: about.folder.clone(),
        device: about.device.clone(),
        epochs: Some(plan.config.epochs),
        rates: rates(plan),
        config: settings(plan),
    })
}

fn settings(plan: &Plan) -> serde_json::Value {
    serde_json::to_value(&plan.config).unwrap_or_default()
}

fn now() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn rates(plan: &Plan) -> Vec<(f64, f64)> {
    let schedule = plan.schedule();
    let steps = plan.config.epochs * plan.steps_per_epoch;
    let count = RATES.min(steps.max(1));
    let places = (0..=count).map(|place| place * steps.saturating_sub(1) / count);
    let rate = |step: usize| events::round(schedule.rate(step));
    let share = |step: usize| events::round(step as f64 / steps.max(1) as f64);
    places.map(|step| (share(step), rate(step))).collect()
}

fn machine() -> String {
    let known = [System::host_name(), System::long_os_version()];
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn processor() -> String {
    let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(kind);
    let brand = system
        .cpus()
        .first()
        .map(|cpu| cpu.brand().trim().to_owned());
    brand.unwrap_or_default()
}
