//! `train summary`: layers and cost of a network.

use command_line::voice;
use events::format;
use model::{Layer, LayerKind, Summary, TrainingMemory};
use report::table::table;
use saved_models::InputShape;
use saved_models::NamedNetwork;
use serde::Serialize;
use train::{ConfigError, TrainConfig};

use crate::cli::arguments::SummaryArguments;
use crate::cli::prepare::WrongFlag;

pub(crate) fn run(arguments: &SummaryArguments) -> anyhow::Result<()> {
    let table = Table::new(arguments)?;
    if arguments.json {
        voice::print_json(&serde_json::to_string(&table)?)?;
    } else {
        voice::print(table.to_text().trim_end())?;
    }
    Ok(())
}

/// Printed content.
#[derive(Serialize)]
struct Table {
    model: String,
    batch_size: usize,
    optimizer: &'static str,
    #[serde(flatten)]
    summary: Summary,
    training_memory: TrainingMemory,
    training_memory_total: u64,
}

impl Table {
    fn new(arguments: &SummaryArguments) -> Result<Self, WrongFlag> {
        let NamedNetwork { name, config } = &arguments.model;
        let input = arguments.input.unwrap_or_else(|| InputShape::usual(config));
        let classes = arguments.classes.unwrap_or(config.classes());
        let network = config
            .clone()
            .with_input_channels(input.channels)
            .with_classes(classes);
        let summary = model::summary(&network, [input.height, input.width]).map_err(|error| {
            ConfigError::Network {
                model: name.clone(),
                reason: error.to_string(),
            }
        })?;
        let settings = TrainConfig::default()
            .with_optimizer(arguments.optimizer)
            .with_batch_size(arguments.batch_size);
        let training_memory =
            summary.training_memory(settings.batch_size.get(), &settings.new_optimizer());
        Ok(Self {
            model: name.clone(),
            batch_size: settings.batch_size.get(),
            optimizer: settings.optimizer.name(),
            summary,
            training_memory_total: training_memory.total(),
            training_memory,
        })
    }

    fn to_text(&self) -> String {
        let summary = &self.summary;
        let head = [
            "layer",
            "",
            "output",
            "parameters",
            "multiply-adds",
            "share",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(summary.layers.iter().map(|layer| self.row(layer)));
        rows.push(vec![
            "total".to_owned(),
            String::new(),
            String::new(),
            format::count(summary.parameters),
            format::count(summary.multiply_adds),
        ]);
        let mut text = format!("{}, input {}\n\n", self.model, shape(&summary.input));
        text += &table(&rows, &(3..6));
        text + &self.memory()
    }

    fn row(&self, layer: &Layer) -> Vec<String> {
        let share = match (layer.multiply_adds, self.summary.multiply_adds) {
            (0, _) | (_, 0) => String::new(),
            (part, whole) => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
        };
        let counted = |count| match count {
            0 => String::new(),
            count => format::count(count),
        };
        vec![
            layer.name.clone(),
            kind(layer.kind),
            shape(&layer.output),
            counted(layer.parameters),
            counted(layer.multiply_adds),
            share,
        ]
    }

    fn memory(&self) -> String {
        let TrainingMemory {
            parameters,
            gradients,
            optimizer_state,
            activations,
        } = self.training_memory;
        format!(
            "\ntraining with {} on batches of {} takes about {}: parameters {}, gradients {}, \
             optimizer {}, activations {}\n",
            self.optimizer,
            self.batch_size,
            bytes(self.training_memory_total),
            bytes(parameters),
            bytes(gradients),
            bytes(optimizer_state),
            bytes(activations),
        )
    }
}

fn kind(kind: LayerKind) -> String {
    let and = |text: &str, condition: bool, more: &str| match condition {
        true => format!("{text}, {more}"),
        false => text.to_owned(),
    };
    match kind {
        LayerKind::Convolution {
            kernel,
            stride,
            groups,
        } => {
            let text = and(
                &format!("convolution {kernel}x{kernel}"),
                stride > 1,
                &format!("stride {stride}"),
            );
            and(&text, groups > 1, &format!("{groups} groups"))
        }
        LayerKind::BatchNorm { adds, relu } => and(&and("batch norm", adds, "add"), relu, "ReLU"),
        LayerKind::Addition { relu } => and("add", relu, "ReLU"),
        LayerKind::Relu => "ReLU".to_owned(),
        LayerKind::MaxPool { kernel, stride } => {
            format!("max pool {kernel}x{kernel}, stride {stride}")
        }
        LayerKind::AveragePool { kernel } => format!("average pool {kernel}x{kernel}"),
        LayerKind::ZeroPad { stride } => {
            and("zero-pad channels", stride > 1, &format!("stride {stride}"))
        }
        LayerKind::GlobalAveragePool => "global average pool".to_owned(),
        LayerKind::Linear => "linear".to_owned(),
    }
}

fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("x")
}

fn bytes(count: u64) -> String {
    let mebibytes = count as f64 / f64::from(1 << 20);
    match mebibytes {
        ..1024.0 => format!("{mebibytes:.1} MiB"),
        _ => format!("{:.2} GiB", mebibytes / 1024.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_printed_in_fitting_unit() {
        assert_eq!(bytes(1 << 19), "0.5 MiB");
        assert_eq!(bytes(3 << 30), "3.00 GiB");
    }
}
