//! Counts trained parameters.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Returns the number of trained values in a module. Batch norm's running mean and variance are
/// state, not parameters, so they are left out, as in PyTorch's `parameters()`; Burn's own
/// `num_params` counts them.
pub fn parameter_count<B: Backend, M: Module<B>>(module: &M) -> usize {
    let mut counter = Counter::default();
    module.visit(&mut counter);
    counter.total
}

#[derive(Default)]
struct Counter {
    path: Vec<String>,
    total: usize,
}

impl<B: Backend> ModuleVisitor<B> for Counter {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let is_state = self
            .path
            .last()
            .is_some_and(|name| name == "running_mean" || name == "running_var");
        if !is_state {
            self.total += param.shape().num_elements();
        }
    }
}
