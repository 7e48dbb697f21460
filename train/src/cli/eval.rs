//! `train eval`: what a model is worth.

use std::path::{Path, PathBuf};

use data::{LoadProgress, Source};
use device::Task;
use files::write_atomically;
use infer::foreign::{Import, ImportOptions, import};
use infer::{SavedModel, SavedModelError, terminal};
use model::ResidualBackend;
use report::table::table;
use serde::Serialize;
use train::{
    Evaluation, EvaluationPlan, EvaluationSettings, RunFolder, SetPart, TrainConfig, TrainError,
};

use super::eval_arguments::EvalArguments;
use super::grouped::grouped;
use super::lines::picture_bar;
use super::program::{WrongFlag, make_absolute, resolve};
use super::voice::{print_line, talk};

/// Classes up to which the whole confusion matrix is printed.
const MATRIX: usize = 12;
/// How many confusions are printed of more.
const CONFUSIONS: usize = 10;

pub(crate) fn run(arguments: &EvalArguments) -> anyhow::Result<()> {
    let computing = TrainConfig {
        device: arguments.device,
        threads: arguments.threads,
        ..TrainConfig::default()
    };
    computing.validate().map_err(WrongFlag::from)?;
    let Subject {
        saved,
        settings,
        path,
        default_output,
    } = subject(arguments)?;
    let device = resolve(&computing)?;
    let model = path.display().to_string();
    talk(&format!("device: {device}"));
    talk(&format!("model: {} ({model})", saved.description.model));
    terminal::fetch_data(&settings.data, settings.data_dir.as_deref())?;
    let bar = picture_bar(0);
    bar.set_message("loading");
    let progress = |LoadProgress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let split = settings.part;
    let plan = EvaluationPlan::new(saved, settings, &progress)?;
    bar.finish_and_clear();
    let report = Report {
        model,
        data: plan.data.name.clone(),
        split,
        evaluation: device.run(Evaluate { plan: &plan })?,
    };
    let output = arguments.output.clone().unwrap_or(default_output);
    let json = serde_json::to_string_pretty(&report)?;
    write_atomically(&output, json.as_bytes()).map_err(|source| TrainError::Io {
        action: "write",
        path: output.clone(),
        source,
    })?;
    match arguments.json {
        true => print_line(&json),
        false => print_line(report.text().trim_end()),
    }
    talk(&format!("saved: {}", output.display()));
    Ok(())
}

/// What is evaluated.
struct Subject {
    saved: SavedModel,
    settings: EvaluationSettings,
    /// The run's folder, or the file of weights.
    path: PathBuf,
    default_output: PathBuf,
}

fn subject(arguments: &EvalArguments) -> anyhow::Result<Subject> {
    if let Some(file) = &arguments.weights {
        let options = ImportOptions {
            model: arguments.model.clone(),
            resize: arguments.resize,
        };
        let Import { saved, .. } = import(file, &options)?;
        let settings = settings(arguments, TrainConfig::default())?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(Subject {
            default_output: PathBuf::from(format!("{stem}-{}", file_name(&settings))),
            saved,
            settings,
            path: file.clone(),
        });
    }
    let folder = match &arguments.run {
        Some(run) => infer::find_run(run, &arguments.runs_dir)?,
        None => infer::newest_run(&arguments.runs_dir)?.ok_or_else(|| SavedModelError::NoRun {
            path: arguments.runs_dir.clone(),
        })?,
    };
    let saved = SavedModel::open(&folder)?;
    let config = match RunFolder::open(folder.clone()) {
        Ok((_, config)) => config,
        // Weights that were converted have no config, and the weights beside an average have theirs
        // elsewhere: then the flags say all.
        Err(TrainError::NotARun { .. }) if arguments.data.is_some() => TrainConfig::default(),
        Err(error) => return Err(error.into()),
    };
    let settings = settings(arguments, config)?;
    Ok(Subject {
        default_output: folder.join(file_name(&settings)),
        saved,
        settings,
        path: folder,
    })
}

/// The settings of a run with what the flags say instead.
fn settings(
    arguments: &EvalArguments,
    mut config: TrainConfig,
) -> anyhow::Result<EvaluationSettings> {
    config.data = arguments.data.clone().unwrap_or(config.data);
    config.data_dir = arguments.data_dir.clone().or(config.data_dir);
    config.flip_test = arguments.flip_test.unwrap_or(config.flip_test);
    make_absolute(&mut config)?;
    Ok(EvaluationSettings {
        part: arguments.split,
        batch_size: arguments.batch_size,
        ..EvaluationSettings::of_run(&config)
    })
}

fn file_name(settings: &EvaluationSettings) -> String {
    let data = match &settings.data {
        Source::Folder(path) => folder_name(path),
        named => named.to_string(),
    };
    format!("eval-{data}-{}.json", settings.part.name())
}

fn folder_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(|| "folder".to_owned(), |name| name.into_owned())
}

struct Evaluate<'a> {
    plan: &'a EvaluationPlan,
}

impl Task for Evaluate<'_> {
    type Output = Result<Evaluation, TrainError>;

    fn run<B: ResidualBackend>(self, device: B::Device) -> Self::Output {
        let bar = picture_bar(self.plan.pictures());
        bar.set_message("evaluating");
        let evaluation = self
            .plan
            .run::<B>(&device, &mut |done| bar.set_position(done as u64));
        bar.finish_and_clear();
        evaluation
    }
}

/// Everything that is printed and saved.
#[derive(Serialize)]
struct Report {
    model: String,
    data: String,
    split: SetPart,
    #[serde(flatten)]
    evaluation: Evaluation,
}

impl Report {
    fn text(&self) -> String {
        let Evaluation {
            pictures,
            loss,
            accuracy,
            top5,
            calibration_error,
            classes,
            confusion,
        } = &self.evaluation;
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let mut text = format!(
            "{} {} pictures of {}: accuracy {}, top-5 {}, average loss {loss:.4}, calibration error {}\n\n",
            grouped(*pictures as u64),
            self.split.name(),
            self.data,
            percent(*accuracy),
            percent(*top5),
            percent(*calibration_error)
        );
        let head = ["class", "pictures", "precision", "recall", "F1"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(classes.iter().map(|class| {
            vec![
                class.name.clone(),
                grouped(class.pictures),
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
        text
    }
}

/// The whole matrix: a row for each class, a column for each class that pictures were taken for.
fn matrix(names: &[&str], confusion: &[Vec<u64>]) -> String {
    let head = ["class", "taken for"].map(str::to_owned).into_iter();
    let numbers = (1..=names.len()).map(|number| number.to_string());
    let mut rows: Vec<Vec<String>> = vec![head.chain(numbers).collect()];
    for (index, (name, row)) in names.iter().zip(confusion).enumerate() {
        let head = [(*name).to_owned(), (index + 1).to_string()].into_iter();
        let counts = row.iter().map(|&count| grouped(count));
        rows.push(head.chain(counts).collect());
    }
    table(&rows, &(1..names.len() + 2))
}

/// The most frequent confusions.
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
    let mut rows = vec![["pictures", "of", "taken for"].map(str::to_owned).to_vec()];
    rows.extend(
        found
            .iter()
            .take(CONFUSIONS)
            .map(|(count, truth, taken_for)| {
                vec![
                    grouped(*count),
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
    use train::ClassEvaluation;

    fn report(names: &[&str], confusion: Vec<Vec<u64>>) -> Report {
        let class = |name: &&str| ClassEvaluation {
            name: (*name).to_owned(),
            pictures: 3,
            precision: 0.5,
            recall: 1.0,
            f1: 2.0 / 3.0,
        };
        Report {
            model: "runs/mine".to_owned(),
            data: "sample".to_owned(),
            split: SetPart::Test,
            evaluation: Evaluation {
                pictures: 6,
                loss: 0.25,
                accuracy: 0.875,
                top5: 1.0,
                calibration_error: 0.031,
                classes: names.iter().map(class).collect(),
                confusion,
            },
        }
    }

    #[test]
    fn few_classes_have_a_whole_matrix() {
        let text = report(&["cat", "dog"], vec![vec![3, 0], vec![1, 2]]).text();
        assert_eq!(
            text,
            "6 test pictures of sample: accuracy 87.50 %, top-5 100.00 %, average loss 0.2500, calibration error 3.10 %

class  pictures  precision    recall       F1
cat           3    50.00 %  100.00 %  66.67 %
dog           3    50.00 %  100.00 %  66.67 %

class  taken for  1  2
cat            1  3  0
dog            2  1  2
"
        );
    }

    #[test]
    fn of_many_classes_the_most_frequent_confusions_are_told() {
        let names: Vec<String> = (0..13).map(|class| format!("class {class}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut confusion = vec![vec![0; 13]; 13];
        confusion[3][3] = 90;
        confusion[3][5] = 4;
        confusion[5][3] = 7;
        let text = report(&names, confusion).text();
        assert!(
            text.ends_with(
                "pictures  of       taken for\n       7  class 5  class 3\n       4  class 3  class 5\n"
            ),
            "{text}"
        );
    }
}
