//! Predictions as text and as JSON.

use std::io::{self, Write};
use std::path::Path;

use files::{printable, printable_json};
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
    printable(&format!(
        "{} trained on {}{accuracy} ({source})",
        description.model, description.trained_on
    ))
    .into_owned()
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

    pub(crate) fn write(&mut self, path: &Path, prediction: &Prediction) -> io::Result<()> {
        let count = self.top_k.min(prediction.classes.len());
        let classes = &prediction.classes[..count];
        match &mut self.json {
            Some(document) => document.predictions.push(Entry {
                image: path.display().to_string(),
                classes: classes.to_vec(),
            }),
            None => {
                let mut stdout = io::stdout().lock();
                writeln!(stdout, "{}", printable(&path.display().to_string()))?;
                for ClassProbability { name, probability } in classes {
                    writeln!(
                        stdout,
                        "{:>7.2} %  {}",
                        100.0 * probability,
                        printable(name)
                    )?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self.json {
            Some(document) => {
                let text = serde_json::to_string_pretty(&document)?;
                writeln!(io::stdout(), "{}", printable_json(&text))
            }
            None => Ok(()),
        }
    }
}
