//! A task from outside the crate: generic, with gradients, on whatever device is there.

use burn::{
    backend::Autodiff,
    tensor::{Tensor, backend::AutodiffBackend},
};
use device::{DeviceError, DeviceKind, DeviceRequest, SelectedDevice, Task, resolve};
use ops::ResidualBackend;

/// Fits `y = 2x` with plain gradient descent and gives the slope found.
struct FitSlope;

impl Task for FitSlope {
    type Output = f32;

    fn run<B: ResidualBackend>(self, device: B::Device) -> f32 {
        fit::<Autodiff<B>>(&device)
    }
}

fn fit<A: AutodiffBackend>(device: &A::Device) -> f32 {
    let inputs = Tensor::<A, 1>::from_floats([1.0, 2.0, 3.0], device);
    let targets = Tensor::<A, 1>::from_floats([2.0, 4.0, 6.0], device);
    let mut slope = Tensor::<A, 1>::zeros([1], device);
    for _ in 0..20 {
        let trained = slope.clone().require_grad();
        let error = inputs.clone() * trained.clone() - targets.clone();
        let gradients = error.powf_scalar(2.0).mean().backward();
        let gradient = trained
            .grad(&gradients)
            .expect("the loss depends on the slope");
        slope = Tensor::from_inner(slope.inner() - gradient * 0.1);
    }
    slope.into_data().iter::<f32>().sum()
}

fn assert_trains(device: &SelectedDevice) {
    let slope = device.run(FitSlope);
    assert!((slope - 2.0).abs() < 1e-3, "{device}: {slope}");
}

#[test]
fn training_step_runs_on_auto_device() -> Result<(), DeviceError> {
    let resolution = resolve(&DeviceRequest::Auto)?;
    assert_trains(&resolution.device);
    let tried = resolution.skipped.iter().map(|skipped| skipped.kind);
    let tried = tried.chain([resolution.device.kind()]).collect::<Vec<_>>();
    let in_order = DeviceKind::compiled_in()
        .take(tried.len())
        .collect::<Vec<_>>();
    assert_eq!(tried, in_order);
    Ok(())
}

/// Every device by name: it trains, or the error says what to do.
#[test]
fn every_device_kind_works_or_gives_hint() {
    for kind in DeviceKind::ALL {
        match resolve(&DeviceRequest::Named { kind, index: 0 }) {
            Ok(resolution) => {
                assert_trains(&resolution.device);
                assert_eq!(resolution.device.kind(), kind);
                assert!(resolution.skipped.is_empty());
            }
            Err(DeviceError::NotCompiledIn { kind: missing }) => {
                assert_eq!(missing, kind);
                assert!(!kind.is_compiled_in());
            }
            Err(error) => {
                assert!(kind.is_compiled_in() && !kind.is_cpu(), "{error}");
                assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error}");
            }
        }
    }
}

#[test]
fn cpu_has_only_index_zero() {
    for kind in DeviceKind::compiled_in().filter(|kind| kind.is_cpu()) {
        let error = resolve(&DeviceRequest::Named { kind, index: 1 }).map(|_| ());
        let count = 1;
        let index = 1;
        assert_eq!(error, Err(DeviceError::IndexTooHigh { kind, index, count }));
    }
}

#[cfg(feature = "flex")]
#[test]
fn cpu_description_shows_threads() -> Result<(), DeviceError> {
    let device = resolve(&"flex".parse()?)?.device;
    let shown = device.to_string();
    assert!(
        shown.starts_with("flex (CPU, ") && shown.ends_with(')'),
        "{shown}"
    );
    assert_eq!(device.index(), 0);
    Ok(())
}
