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

/// One line on the model: what it is, how good and how that was measured, where it came from and why.
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
        let is_rounded =
            scoring.precision == Stored::Single && saved.stored() == Some(Stored::Half);
        match is_rounded {
            true => format!("{views}, before its weights were rounded to half precision"),
            false => views,
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

/// What was done to an image, in one line; none if it is as it was.
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

/// Why an image does not fit the model, in one line; none if it can.
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

/// Writes predictions to standard output: text as they come, JSON at the end.
pub(crate) struct Output<'a> {
    top_k: usize,
    json: Option<Document<'a>>,
}

#[derive(Serialize)]
struct Document<'a> {
    model: &'a Description,
    source: &'a Source,
    /// How the network sees each image.
    views: Views,
    predictions: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    image: String,
    classes: Vec<ClassProbability>,
    /// What was done to the image before.
    conversions: Vec<Conversion>,
    /// Why the image does not look like those that the model was trained on.
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
