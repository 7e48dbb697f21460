//! Description of this program in the events of a run.

use command_line::started;
use device::{DeviceKind, SelectedDevice};
use train::About;

/// Environment variable that selects and orders the GPUs that a program sees.
const VISIBLE_GPUS: &str = "CUDA_VISIBLE_DEVICES";

pub(super) fn about(device: &SelectedDevice) -> About {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|word| word.to_string_lossy().into_owned());
    let visible = std::env::var(VISIBLE_GPUS).unwrap_or_default();
    About {
        command: started::words().into_iter().chain(arguments).collect(),
        folder: std::env::current_dir()
            .ok()
            .and_then(|folder| folder.into_os_string().into_string().ok()),
        device: device.to_string(),
        gpu: match device.kind() {
            DeviceKind::Cuda => among_all(device.index(), &visible),
            _ => 0,
        },
    }
}

/// Returns the index among all GPUs of the `index`th GPU that this program sees. GPUs named by their UUIDs count as the
/// first ones.
fn among_all(index: usize, visible: &str) -> u32 {
    let named = visible.split(',').nth(index);
    let place = named.and_then(|name| name.trim().parse().ok());
    place.unwrap_or_else(|| u32::try_from(index).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpu_is_found_among_hidden_ones() {
        assert_eq!(among_all(1, ""), 1);
        assert_eq!(among_all(0, "3"), 3);
        assert_eq!(among_all(1, "5, 2"), 2);
        assert_eq!(among_all(1, "GPU-8932f937,GPU-1f2a"), 1);
    }
}
