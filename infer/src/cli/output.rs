//! Predictions as text and as JSON.

use std::path::Path;

use command_line::voice::{self, OutputError};
use data::{Conversion, Fitted, Mismatch};
use files::{printable, shown_path};
use infer::{ClassProbability, Prediction};
use saved_models::{Description, SavedModel, Stored, Views};
use serde::Serialize;

use super::arguments::Arguments;
use super::model::Source;

/// Describes the model in one line: what it is, its accuracy and how it was measured, its origin
/// and why it was selected.
pub(crate) fn describe(saved: &SavedModel, source: &Source) -> String {
    let description = &saved.description;
    format!(
        "{} trained on {}{} ({})",
        description.model,
        description.trained_on,
        accuracy(saved),
        origin(source)
    )
}

fn accuracy(saved: &SavedModel) -> String {
    let Description {
        accuracy, scoring, ..
    } = &saved.description;
    let (share, part) = match (accuracy.test, accuracy.validation) {
        (Some(test), _) => (test, "test"),
        (None, Some(validation)) => (validation, "validation"),
        (None, None) => return String::new(),
    };
    let scored = scoring.as_ref().map_or(String::new(), |scoring| {
        let views = scoring.views.flags();
        let views = views.map_or(String::new(), |flags| format!(" with {flags}"));
        match (scoring.precision, saved.stored()) {
            (Stored::Single, Some(Stored::Half)) => {
                format!("{views}, before its weights were rounded to half precision")
            }
            (Stored::Single | Stored::Half, Some(Stored::Int8)) => {
                format!("{views}, before it was rounded to 8-bit integers")
            }
            _ => views,
        }
    });
    format!(
        ", {:.1} % of its {part} images right{scored}",
        100.0 * share
    )
}

fn origin(source: &Source) -> String {
    let place = match (&source.path, source.layout) {
        (Some(path), Some(layout)) => format!("{path}, {layout}"),
        (Some(path), None) => path.clone(),
        (None, _) => "shipped with this program".to_owned(),
    };
    match &source.why {
        Some(why) => format!("{place}: {why}"),
        None => place,
    }
}

/// Describes the conversions of an image in one line; `None` if it is unchanged.
pub(crate) fn converted(path: &Path, fitted: &Fitted) -> Option<String> {
    let conversions: Vec<_> = fitted.conversions.iter().map(ToString::to_string).collect();
    (!conversions.is_empty()).then(|| {
        format!(
            "converted {}: {} (--as-is turns this off)",
            shown_path(path),
            conversions.join(", ")
        )
    })
}

/// Explains in one line why an image does not fit the model; `None` if it may fit.
pub(crate) fn mismatch(path: &Path, fitted: &Fitted) -> Option<String> {
    let reasons: Vec<_> = fitted.mismatches.iter().map(ToString::to_string).collect();
    (!reasons.is_empty()).then(|| {
        format!(
            "warning: {} does not look like the images the model was trained on: {}",
            shown_path(path),
            reasons.join(" and ")
        )
    })
}

/// Writes predictions to standard output: text immediately, JSON at the end.
pub(crate) struct Output<'a> {
    top_k: usize,
    json: Option<Document<'a>>,
}

#[derive(Serialize)]
struct Document<'a> {
    model: &'a Description,
    source: &'a Source,
    /// Views of each image that the network averages over.
    views: Views,
    predictions: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    image: String,
    classes: Vec<ClassProbability>,
    /// Conversions applied to the image.
    conversions: Vec<Conversion>,
    /// Reasons why the image does not resemble the training images.
    warnings: Vec<Mismatch>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(
        arguments: &Arguments,
        description: &'a Description,
        source: &'a Source,
        views: Views,
    ) -> Self {
        Self {
            top_k: arguments.top_k,
            json: arguments.json.then(|| Document {
                model: description,
                source,
                views,
                predictions: Vec::new(),
            }),
        }
    }

    pub(crate) fn write(
        &mut self,
        path: &Path,
        prediction: &Prediction,
        fitted: &Fitted,
    ) -> Result<(), OutputError> {
        let count = self.top_k.min(prediction.classes.len());
        let classes = &prediction.classes[..count];
        match &mut self.json {
            Some(document) => document.predictions.push(Entry {
                image: shown_path(path).into_owned(),
                classes: classes.to_vec(),
                conversions: fitted.conversions.clone(),
                warnings: fitted.mismatches.clone(),
            }),
            None => {
                voice::print(&printable(&shown_path(path)))?;
                for ClassProbability { name, probability } in classes {
                    let name = printable(name);
                    voice::print_line(&format!("{:>7.2} %  {name}", 100.0 * probability))?;
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
