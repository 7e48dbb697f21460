//! Output of `train eval`.

use events::format;
use std::path::Path;

use data::{PassedOver, Reading};
use report::table::table;
use serde::Serialize;
use train::{Evaluation, EvaluationSettings, MatchedBy, Misclassified, SetPart};

/// Maximum number of classes for which the whole confusion matrix is printed.
const MATRIX: usize = 12;
/// Number of confusions printed for more classes.
const CONFUSIONS: usize = 10;

/// Result of an evaluation, as printed and saved.
#[derive(Serialize)]
pub(crate) struct Report {
    /// The run's folder or the weights file.
    pub model: String,
    #[serde(flatten)]
    pub making: Making,
    pub classes_matched_by: MatchedBy,
    /// Problem of each unreadable image.
    pub unreadable: Vec<String>,
    /// Other content of class folders.
    pub passed_over: PassedOver,
    /// Interpretation of the folder of images.
    pub reading: Reading,
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// Settings of an evaluation.
#[derive(Debug, Serialize)]
pub(crate) struct Making {
    data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<String>,
    split: SetPart,
    seed: u64,
    validation: f64,
    flip_test: bool,
    shift_test: bool,
}

impl Making {
    pub(crate) fn of(settings: &EvaluationSettings) -> Self {
        Self {
            data: settings.data.to_string(),
            labels: settings
                .labels
                .as_ref()
                .map(|labels| labels.display().to_string()),
            split: settings.part,
            seed: settings.seed,
            validation: settings.validation,
            flip_test: settings.views.flip,
            shift_test: settings.views.shift,
        }
    }
}

impl Report {
    pub(crate) fn text(&self) -> String {
        let Evaluation {
            images,
            loss,
            accuracy,
            accuracy_interval,
            top5,
            calibration_error,
            classes,
            confusion,
            mistakes,
        } = &self.evaluation;
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let interval = accuracy_interval.map(|[low, high]| {
            format!(
                " (95 % interval {:.2} to {:.2} %)",
                100.0 * low,
                100.0 * high
            )
        });
        let mut text = format!(
            "{} {} images of {}: accuracy {}{}, top-5 {}, average loss {loss:.4}, calibration error {}\n\n",
            format::count(*images as u64),
            self.making.split.name(),
            self.making.data,
            percent(*accuracy),
            interval.unwrap_or_default(),
            percent(*top5),
            percent(*calibration_error)
        );
        let head = ["class", "images", "precision", "recall", "F1"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(classes.iter().map(|class| {
            vec![
                class.name.clone(),
                format::count(class.images),
                percent(class.precision),
                percent(class.recall),
                percent(class.f1),
            ]
        }));
        text += &table(&rows, &(1..5));
        text.push('\n');
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        text += &match names.len() <= MATRIX {
            true => matrix(&names, confusion),
            false => confusions(&names, confusion),
        };
        if !mistakes.is_empty() {
            text.push('\n');
            text += &mistake_table(&self.making.data, mistakes);
        }
        text
    }
}

/// Returns the most confident mistakes, with files relative to the data folder.
fn mistake_table(data: &str, mistakes: &[Misclassified]) -> String {
    let folder = data.strip_prefix("folder:").map(Path::new);
    let file = |mistake: &Misclassified| match (&mistake.path, folder) {
        (Some(path), Some(folder)) => {
            let inside = Path::new(path).strip_prefix(folder);
            inside.map_or_else(|_| path.clone(), |inside| inside.display().to_string())
        }
        (Some(path), None) => path.clone(),
        (None, _) => format!("image {}", mistake.image),
    };
    let head = ["worst mistakes", "class", "predicted", "probability"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(mistakes.iter().map(|mistake| {
        vec![
            file(mistake),
            mistake.class.clone(),
            mistake.predicted.clone(),
            format!("{:.2} %", 100.0 * mistake.probability),
        ]
    }));
    table(&rows, &(3..4))
}

/// Returns the whole matrix: rows are true classes, columns are predicted classes.
fn matrix(names: &[&str], confusion: &[Vec<u64>]) -> String {
    let head = ["class", "taken for"].map(str::to_owned).into_iter();
    let numbers = (1..=names.len()).map(|number| number.to_string());
    let mut rows: Vec<Vec<String>> = vec![head.chain(numbers).collect()];
    for (index, (name, row)) in names.iter().zip(confusion).enumerate() {
        let head = [(*name).to_owned(), (index + 1).to_string()].into_iter();
        let counts = row.iter().map(|&count| format::count(count));
        rows.push(head.chain(counts).collect());
    }
    table(&rows, &(1..names.len() + 2))
}

/// Returns the most frequent confusions.
fn confusions(names: &[&str], confusion: &[Vec<u64>]) -> String {
    let mut found: Vec<(u64, &str, &str)> = Vec::new();
    for (truth, row) in names.iter().zip(confusion) {
        for (taken_for, &count) in names.iter().zip(row) {
            if truth != taken_for && count > 0 {
                found.push((count, truth, taken_for));
            }
        }
    }
    found.sort_by_key(|&(count, ..)| std::cmp::Reverse(count));
    let mut rows = vec![["images", "of", "taken for"].map(str::to_owned).to_vec()];
    rows.extend(
        found
            .iter()
            .take(CONFUSIONS)
            .map(|(count, truth, taken_for)| {
                vec![
                    format::count(*count),
                    (*truth).to_owned(),
                    (*taken_for).to_owned(),
                ]
            }),
    );
    table(&rows, &(0..1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::{ClassEvaluation, TrainConfig};

    fn report(names: &[&str], confusion: Vec<Vec<u64>>) -> Report {
        let class = |name: &&str| ClassEvaluation {
            name: (*name).to_owned(),
            images: 3,
            precision: 0.5,
            recall: 1.0,
            f1: 2.0 / 3.0,
        };
        Report {
            model: "runs/mine".to_owned(),
            making: Making::of(&EvaluationSettings::of_run(&TrainConfig::default())),
            classes_matched_by: MatchedBy::Name,
            unreadable: Vec::new(),
            passed_over: PassedOver::default(),
            reading: Reading::default(),
            evaluation: Evaluation {
                images: 6,
                loss: 0.25,
                accuracy: 0.875,
                accuracy_interval: Some([0.5291, 0.97761]),
                top5: 1.0,
                calibration_error: 0.031,
                classes: names.iter().map(class).collect(),
                confusion,
                mistakes: vec![
                    Misclassified {
                        image: 4,
                        path: Some("/data/cat/1.png".to_owned()),
                        class: "dog".to_owned(),
                        predicted: "cat".to_owned(),
                        probability: 0.912,
                    },
                    Misclassified {
                        image: 5,
                        path: None,
                        class: "dog".to_owned(),
                        predicted: "cat".to_owned(),
                        probability: 0.5,
                    },
                ],
            },
        }
    }

    #[test]
    fn few_classes_show_full_matrix() {
        let text = report(&["cat", "dog"], vec![vec![3, 0], vec![1, 2]]).text();
        assert_eq!(
            text,
            "6 test images of sample: accuracy 87.50 % (95 % interval 52.91 to 97.76 %), top-5 100.00 %, average loss 0.2500, calibration error 3.10 %

class  images  precision    recall       F1
cat         3    50.00 %  100.00 %  66.67 %
dog         3    50.00 %  100.00 %  66.67 %

class  taken for  1  2
cat            1  3  0
dog            2  1  2

worst mistakes   class  predicted  probability
/data/cat/1.png  dog    cat            91.20 %
image 5          dog    cat            50.00 %
"
        );
    }

    #[test]
    fn many_classes_show_top_confusions() {
        let names: Vec<String> = (0..13).map(|class| format!("class {class}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut confusion = vec![vec![0; 13]; 13];
        confusion[3][3] = 90;
        confusion[3][5] = 4;
        confusion[5][3] = 7;
        let text = report(&names, confusion).text();
        assert!(
            text.contains(
                "images  of       taken for\n     7  class 5  class 3\n     4  class 3  class 5\n"
            ),
            "{text}"
        );
    }
}
