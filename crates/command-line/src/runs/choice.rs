//! Chooses the model for predictions if none is named.

use std::fmt;
use std::path::{Path, PathBuf};

use super::runs_with;
use saved_models::Description;
use saved_models::SavedModel;
use saved_models::{DESCRIPTION_FILE, SavedModelError};

/// A data set and the larger one that contains it.
const PART_OF: (&str, &str) = ("sample", "fashion-mnist");

/// The runs of a folder that have a model.
#[derive(Clone, Debug)]
pub struct Candidates {
    runs_dir: PathBuf,
    /// Runs, newest first.
    runs: Vec<Candidate>,
    skipped: Vec<Skipped>,
}

#[derive(Clone, Debug)]
struct Candidate {
    folder: PathBuf,
    description: Description,
}

/// A run that cannot be used because its model is damaged or incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The run's folder.
    pub folder: PathBuf,
    /// What is wrong with its model.
    pub reason: String,
}

/// The chosen model.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The model.
    pub saved: SavedModel,
    /// The run's folder; `None` for the shipped model.
    pub folder: Option<PathBuf>,
    /// Why it was chosen.
    pub why: Why,
    /// Runs that could not be compared.
    pub skipped: Vec<Skipped>,
}

/// Why a model was chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// No run has a model.
    NoRun {
        /// The folder that was searched for runs.
        runs_dir: PathBuf,
    },
    /// It is the newest run.
    Newest,
    /// It is the newest run, and has no validation accuracy.
    NotCompared,
    /// It is the only run on its data.
    Only {
        /// The data set.
        data: String,
    },
    /// It has the highest validation accuracy.
    Best {
        /// Its validation accuracy, 0 to 1.
        accuracy: f64,
        /// Number of runs on the same data.
        runs: usize,
        /// The data set.
        data: String,
    },
    /// The shipped model has a higher validation accuracy than all runs on the same data.
    ShippedIsBetter {
        /// Validation accuracy of the shipped model, 0 to 1.
        accuracy: f64,
        /// The folder of the best run.
        run: PathBuf,
        /// Validation accuracy of the best run, 0 to 1.
        than: f64,
    },
}

impl Why {
    /// Returns the reason as one word, for other programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoRun { .. } => "no-run",
            Self::Newest => "newest",
            Self::NotCompared => "not-compared",
            Self::Only { .. } => "only-run",
            Self::Best { .. } => "best",
            Self::ShippedIsBetter { .. } => "shipped-is-better",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRun { runs_dir } => write!(
                formatter,
                "no run in {} has a model; train one with `train`",
                runs_dir.display()
            ),
            Self::Newest => formatter.write_str("the newest run"),
            Self::NotCompared => {
                formatter.write_str("the newest run, which has no validation accuracy to compare")
            }
            Self::Only { data } => write!(formatter, "the only run on {data}"),
            Self::Best {
                accuracy,
                runs,
                data,
            } => write!(
                formatter,
                "the highest validation accuracy of {runs} runs on {data}, {:.1} %",
                100.0 * accuracy
            ),
            Self::ShippedIsBetter {
                accuracy,
                run,
                than,
            } => {
                let [accuracy, than] = percents(*accuracy, *than);
                write!(
                    formatter,
                    "its validation accuracy, {accuracy} %, is higher than {than} % of {}, the best \
                     run on such data; `--run newest` takes the newest run",
                    run.display()
                )
            }
        }
    }
}

/// Formats two fractions in percent, with enough digits to distinguish them.
fn percents(one: f64, other: f64) -> [String; 2] {
    const MOST_DIGITS: usize = 6;
    let with = |digits: usize| [one, other].map(|share| format!("{:.digits$}", 100.0 * share));
    let digits = (1..MOST_DIGITS).find(|&digits| {
        let [one, other] = with(digits);
        one != other
    });
    with(digits.unwrap_or(MOST_DIGITS))
}

impl Candidates {
    /// Reads the descriptions of all runs in a folder. Runs without a model are not candidates.
    ///
    /// # Errors
    ///
    /// If the folder exists but cannot be read.
    pub fn in_folder(runs_dir: &Path) -> Result<Self, SavedModelError> {
        let mut candidates = Self {
            runs_dir: runs_dir.to_owned(),
            runs: Vec::new(),
            skipped: Vec::new(),
        };
        for folder in runs_with(runs_dir, DESCRIPTION_FILE)? {
            match SavedModel::describe(&folder) {
                Ok(description) => candidates.runs.push(Candidate {
                    folder,
                    description,
                }),
                Err(error) => candidates.skip(folder, &error),
            }
        }
        Ok(candidates)
    }

    /// Returns the newest run with a complete model.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn newest(mut self) -> Result<Choice, SavedModelError> {
        match self.take_newest() {
            Some((newest, saved)) => Ok(self.choice(saved, Some(newest.folder), Why::Newest)),
            None => Err(SavedModelError::NoRuns {
                folder: self.runs_dir,
            }),
        }
    }

    /// Returns the model with the highest validation accuracy among all runs on the newest run's
    /// data and the shipped model, if that was trained on the same data. Returns the shipped model
    /// if there is no run, and the newest run if it has no validation accuracy.
    ///
    /// # Errors
    ///
    /// If this version cannot read the shipped model, which a test rules out.
    pub fn best(mut self) -> Result<Choice, SavedModelError> {
        let Some((newest, saved)) = self.take_newest() else {
            let why = Why::NoRun {
                runs_dir: self.runs_dir.clone(),
            };
            return Ok(self.choice(SavedModel::shipped()?, None, why));
        };
        let Some(accuracy) = newest.accuracy() else {
            return Ok(self.choice(saved, Some(newest.folder), Why::NotCompared));
        };
        let data = newest.description.trained_on.clone();
        let shipped = SavedModel::shipped()?;
        let rivals_shipped = is_like(&newest.description, &shipped.description);
        let (mut best, mut accuracy, mut runs) = ((newest.folder.clone(), saved), accuracy, 1);
        for run in std::mem::take(&mut self.runs) {
            let Some(other) = run.accuracy() else {
                continue;
            };
            if !is_like(&run.description, &newest.description) {
                continue;
            }
            if other <= accuracy {
                runs += 1;
                continue;
            }
            match open(&run.folder) {
                Ok(saved) => {
                    runs += 1;
                    (best, accuracy) = ((run.folder, saved), other);
                }
                Err(error) => self.skip(run.folder, &error),
            }
        }
        let (folder, saved) = best;
        match shipped.description.accuracy.validation {
            Some(of_shipped) if rivals_shipped && of_shipped > accuracy => {
                let why = Why::ShippedIsBetter {
                    accuracy: of_shipped,
                    run: folder,
                    than: accuracy,
                };
                Ok(self.choice(shipped, None, why))
            }
            _ => {
                let why = match runs {
                    1 => Why::Only { data },
                    _ => Why::Best {
                        accuracy,
                        runs,
                        data,
                    },
                };
                Ok(self.choice(saved, Some(folder), why))
            }
        }
    }

    /// Removes the newest run with a complete model from the candidates and returns it.
    fn take_newest(&mut self) -> Option<(Candidate, SavedModel)> {
        while !self.runs.is_empty() {
            let newest = self.runs.remove(0);
            match open(&newest.folder) {
                Ok(saved) => return Some((newest, saved)),
                Err(error) => self.skip(newest.folder, &error),
            }
        }
        None
    }

    fn skip(&mut self, folder: PathBuf, error: &SavedModelError) {
        self.skipped.push(Skipped {
            folder,
            reason: error.to_string(),
        });
    }

    fn choice(self, saved: SavedModel, folder: Option<PathBuf>, why: Why) -> Choice {
        Choice {
            saved,
            folder,
            why,
            skipped: self.skipped,
        }
    }
}

impl Candidate {
    fn accuracy(&self) -> Option<f64> {
        let accuracy = self.description.accuracy.validation;
        accuracy.filter(|accuracy| accuracy.is_finite())
    }
}

/// Returns a run's model, if its weights are complete.
fn open(folder: &Path) -> Result<SavedModel, SavedModelError> {
    let saved = SavedModel::open(folder)?;
    saved.check_weights()?;
    Ok(saved)
}

/// Returns whether two models predict the same classes of the same data, or of data sets of which
/// one contains the other.
fn is_like(one: &Description, other: &Description) -> bool {
    let data = (one.trained_on.as_str(), other.trained_on.as_str());
    let is_part = data == PART_OF || (data.1, data.0) == PART_OF;
    (data.0 == data.1 || is_part) && one.class_names == other.class_names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    /// Creates runs with the shipped model's weights from names, data sets and validation
    /// accuracies, oldest first.
    fn runs(runs: &[(&str, &str, Option<f64>)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (age, (name, data, validation)) in runs.iter().rev().enumerate() {
            let mut saved = SavedModel::shipped().unwrap();
            saved.description.trained_on = (*data).to_owned();
            saved.description.accuracy.validation = *validation;
            let run = folder.path().join(name);
            fs::create_dir(&run).unwrap();
            saved.write(&run).unwrap();
            set_age(&run, age);
        }
        folder
    }

    fn set_age(run: &Path, age: usize) {
        let path = run.join(DESCRIPTION_FILE);
        let file = fs::File::options().append(true).open(path).unwrap();
        let age = Duration::from_secs(10 * age as u64);
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn best(folder: &tempfile::TempDir) -> (Option<String>, Why, usize) {
        let choice = Candidates::in_folder(folder.path())
            .unwrap()
            .best()
            .unwrap();
        let name = choice.folder.map(|folder| {
            let name = folder.file_name().unwrap();
            name.to_str().unwrap().to_owned()
        });
        (name, choice.why, choice.skipped.len())
    }

    #[test]
    fn best_validation_accuracy_on_newest_data_wins() {
        let folder = runs(&[
            ("other", "cifar10", Some(0.99)),
            ("good", "folder:a", Some(0.8)),
            ("better", "folder:a", Some(0.9)),
            ("smoke", "folder:a", Some(0.2)),
        ]);
        let (name, why, _) = best(&folder);
        assert_eq!(name.as_deref(), Some("better"));
        assert!(matches!(&why, Why::Best { runs: 3, data, .. } if data == "folder:a"));
        assert!(why.to_string().contains("90.0 %"), "{why}");
        let newest = Candidates::in_folder(folder.path()).unwrap().newest();
        assert!(newest.unwrap().folder.unwrap().ends_with("smoke"));
    }

    #[test]
    fn percentages_have_distinguishing_digits() {
        assert_eq!(percents(0.942, 0.9), ["94.2", "90.0"]);
        assert_eq!(percents(0.9424, 0.94238), ["94.240", "94.238"]);
        assert_eq!(percents(0.5, 0.5), ["50.000000"; 2]);
    }

    #[test]
    fn newest_run_wins_ties() {
        let folder = runs(&[("a", "folder:a", Some(0.8)), ("b", "folder:a", Some(0.8))]);
        assert_eq!(best(&folder).0.as_deref(), Some("b"));
    }

    #[test]
    fn shipped_model_beats_worse_runs_on_same_data_only() {
        for (data, accuracy, wins) in [
            ("sample", 0.3, true),
            ("fashion-mnist", 0.9, true),
            ("sample", 0.999, false),
            ("mnist", 0.3, false),
        ] {
            let folder = runs(&[("smoke", data, Some(accuracy))]);
            let (name, why, _) = best(&folder);
            assert_eq!(name.is_none(), wins, "{data}, {accuracy}: {why}");
            assert_eq!(matches!(why, Why::ShippedIsBetter { .. }), wins);
        }
    }

    #[test]
    fn run_on_full_data_counts_for_its_sample() {
        let folder = runs(&[
            ("whole", "fashion-mnist", Some(0.998)),
            ("smoke", "sample", Some(0.3)),
        ]);
        assert_eq!(best(&folder).0.as_deref(), Some("whole"));
    }

    #[test]
    fn newest_run_without_validation_is_chosen() {
        let folder = runs(&[("old", "mnist", Some(0.9)), ("new", "mnist", None)]);
        let (name, why, _) = best(&folder);
        assert_eq!((name.as_deref(), why), (Some("new"), Why::NotCompared));
    }

    #[test]
    fn damaged_runs_are_skipped() {
        let folder = runs(&[
            ("whole", "mnist", Some(0.5)),
            ("cut", "mnist", Some(0.9)),
            ("empty", "mnist", Some(0.9)),
            ("text", "mnist", Some(0.9)),
            ("gone", "mnist", Some(0.9)),
        ]);
        let path = |run: &str, file: &str| folder.path().join(run).join(file);
        let weights = fs::read(path("cut", "model.safetensors")).unwrap();
        fs::write(
            path("cut", "model.safetensors"),
            &weights[..weights.len() - 9],
        )
        .unwrap();
        fs::write(path("empty", "model.safetensors"), b"").unwrap();
        fs::write(path("text", DESCRIPTION_FILE), b"{\"version\"").unwrap();
        fs::remove_file(path("gone", "model.safetensors")).unwrap();
        fs::create_dir(folder.path().join("without a model")).unwrap();
        let (name, why, skipped) = best(&folder);
        assert_eq!(name.as_deref(), Some("whole"), "{why}");
        assert_eq!(skipped, 4);
    }

    #[test]
    fn shipped_model_is_used_without_runs() {
        let folder = runs(&[]);
        let (name, why, _) = best(&folder);
        assert!(name.is_none() && matches!(why, Why::NoRun { .. }));
        let newest = Candidates::in_folder(folder.path()).unwrap().newest();
        assert!(matches!(newest, Err(SavedModelError::NoRuns { .. })));
        // A missing folder counts as one without runs.
        let missing = Candidates::in_folder(&folder.path().join("missing")).unwrap();
        assert!(missing.best().unwrap().folder.is_none());
    }
}
