//! Load of the machine.

use std::time::Duration;

use events::{Event, System as Load, Writer, round};
use nvml_wrapper::Nvml;
use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::clock::Clock;
use super::ticker::Ticker;

const EVERY: Duration = Duration::from_secs(1);

/// Records the load once a second, or not at all if the system cannot start a thread.
pub(super) fn watch(writer: Writer, clock: Clock, gpu: u32) -> Option<Ticker> {
    let begin = move || {
        let mut look = Look::new(gpu);
        move || writer.send(Event::System(look.load(clock.seconds())))
    };
    Ticker::start("machine", EVERY, begin).ok()
}

struct Look {
    system: System,
    process: Option<Pid>,
    /// The NVIDIA driver library, if it can be loaded.
    nvml: Option<Nvml>,
    /// Index of the observed GPU.
    gpu: u32,
}

impl Look {
    fn new(gpu: u32) -> Self {
        let mut look = Self {
            system: System::new(),
            process: sysinfo::get_current_pid().ok(),
            nvml: Nvml::init().ok(),
            gpu,
        };
        look.refresh(); // CPU usage is measured since the last refresh
        look
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        let memory = MemoryRefreshKind::nothing().with_ram();
        self.system.refresh_memory_specifics(memory);
        if let Some(process) = self.process {
            let kind = ProcessRefreshKind::nothing()
                .with_cpu()
                .with_memory()
                .without_tasks();
            let this = ProcessesToUpdate::Some(&[process]);
            self.system.refresh_processes_specifics(this, false, kind);
        }
    }

    fn load(&mut self, seconds: f64) -> Load {
        self.refresh();
        let cores = self.system.cpus().len().max(1) as f64;
        let process = self
            .process
            .and_then(|process| self.system.process(process));
        let share = |percent: f32| round(f64::from(percent) / 100.0);
        let device = self
            .nvml
            .as_ref()
            .and_then(|nvml| nvml.device_by_index(self.gpu).ok());
        let utilization = device
            .as_ref()
            .and_then(|device| device.utilization_rates().ok());
        let memory = device.as_ref().and_then(|device| device.memory_info().ok());
        Load {
            seconds,
            cpu: process.map_or(0.0, |process| share(process.cpu_usage()) / cores),
            cpu_machine: share(self.system.global_cpu_usage()),
            memory: process.map_or(0, sysinfo::Process::memory),
            memory_machine: self.system.used_memory(),
            memory_total: self.system.total_memory(),
            gpu: utilization.map(|rates| f64::from(rates.gpu) / 100.0),
            gpu_memory: memory.map(|memory| memory.used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_memory_is_below_machine_memory() {
        let load = Look::new(0).load(3.0);
        assert_eq!(load.seconds, 3.0);
        assert!(
            load.memory > 0 && load.memory <= load.memory_total,
            "{load:?}"
        );
        assert!((0.0..=1.0).contains(&load.cpu_machine), "{load:?}");
    }
}
