//! Predictions as text and as JSON.

use std::path::Path;

use files::printable;
use infer::voice::{self, OutputError};
use infer::{ClassProbability, Description, Prediction};
use serde::Serialize;

use super::arguments::Arguments;

/// One line on the model: what it is, how good, where it came from.
pub(crate) fn describe(description: &Description, source: &str) -> String {
    let accuracy = match (description.accuracy.test, description.accuracy.validation) {
        (Some(test), _) => format!(", {:.1} % of its test pictures right", 100.0 * test),
        (None, Some(validation)) => {
            format!(
                ", {:.1} % of its validation pictures right",
                100.0 * validation
            )
        }
        (None, None) => String::new(),
    };
    format!(
        "{} trained on {}{accuracy} ({source})",
        description.model, description.trained_on
    )
}

/// Writes predictions to standard output: text as they come, JSON at the end.
pub(crate) struct Output<'a> {
    top_k: usize,
    json: Option<Document<'a>>,
}

#[derive(Serialize)]
struct Document<'a> {
    model: &'a Description,
    predictions: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    image: String,
    classes: Vec<ClassProbability>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(arguments: &Arguments, description: &'a Description) -> Self {
        Self {
            top_k: arguments.top_k,
            json: arguments.json.then(|| Document {
                model: description,
                predictions: Vec::new(),
            }),
        }
    }

    pub(crate) fn write(
        &mut self,
        path: &Path,
        prediction: &Prediction,
    ) -> Result<(), OutputError> {
        let count = self.top_k.min(prediction.classes.len());
        let classes = &prediction.classes[..count];
        match &mut self.json {
            Some(document) => document.predictions.push(Entry {
                image: path.display().to_string(),
                classes: classes.to_vec(),
            }),
            None => {
                voice::print(&printable(&path.display().to_string()))?;
                for ClassProbability { name, probability } in classes {
                    let name = printable(name);
                    voice::print(&format!("{:>7.2} %  {name}", 100.0 * probability))?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.json {
            Some(document) => {
                let text = serde_json::to_string_pretty(&document)?;
                Ok(voice::print_json(&text)?)
            }
            None => Ok(()),
        }
    }
}
