//! Advice for runs on a folder of images: defaults and possible improvements.

use events::format;
use std::ffi::OsString;

use data::Source;
use saved_models::foreign::Published;
use train::{Plan, TrainConfig};

/// With fewer training images than this, in total or per class, pretrained weights give better results.
const FEW: usize = 2000;
const FEW_OF_A_CLASS: usize = 200;
/// Weights suggested if none are published for the requested network: the smallest file, and fast on a CPU.
const WEIGHTS: &str = "resnet18";
/// Flags with a value that conflict with trained weights; `--name` belongs to this run.
const WITHOUT: [&str; 5] = ["--model", "--stem", "--depths", "--widths", "--name"];
/// Like [`WITHOUT`], with an optional value.
const WITHOUT_SWITCH: &str = "--zero-init-last-norm";

/// Returns lines for standard error about a new run that is described by flags only; `program` are the words that
/// start this program, `arguments` the rest of its command line.
pub(crate) fn advice(
    plan: &Plan,
    program: Vec<String>,
    arguments: impl Iterator<Item = OsString>,
) -> Vec<String> {
    let Source::Folder(_) = plan.config.data else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let usual = TrainConfig::usual(&plan.config.data).map(|usual| usual.augmentation);
    if usual.is_ok_and(|usual| usual == plan.config.augmentation) {
        lines.push(augmentation(plan));
    }
    let images = plan.train.indices().len();
    let classes = plan.data.class_names.len();
    if plan.pretrained.is_none() && are_few(images, classes) {
        lines.extend(suggestion(&plan.model, images, classes, program, arguments));
    }
    lines
}

/// Returns a warning if the run is too short for its warm-up.
pub(crate) fn shortened_warmup(config: &TrainConfig) -> Option<String> {
    let half = config.epochs as f64 / 2.0;
    (config.warmup_epochs > half).then(|| {
        format!(
            "warm-up ends after {half} epochs instead of {}, because it takes at most half of a run; set \
             --warmup-epochs or --epochs to change that",
            config.warmup_epochs
        )
    })
}

fn augmentation(plan: &Plan) -> String {
    let [least, most] = plan
        .config
        .augmentation
        .resized_crop
        .as_ref()
        .map_or([1.0, 1.0], |crop| crop.scale);
    format!(
        "augmentation: flips and random crops of {:.0} to {:.0} % of the area, the default for folders; --flip false \
         and --pad-crop 0 turn them off",
        100.0 * least,
        100.0 * most
    )
}

fn are_few(images: usize, classes: usize) -> bool {
    images < FEW || images < FEW_OF_A_CLASS.saturating_mul(classes)
}

/// Returns `None` if the command line is not text.
fn suggestion(
    model: &str,
    images: usize,
    classes: usize,
    program: Vec<String>,
    arguments: impl Iterator<Item = OsString>,
) -> Option<String> {
    let arguments: Result<Vec<String>, _> = arguments.map(OsString::into_string).collect();
    let weights = weights_of(model);
    let command = with_weights(program, arguments.ok()?, &weights)?;
    Some(format!(
        "hint: {} training images of {} classes are few to train a network from random weights; start from ImageNet \
         weights: {command}",
        format::count(images as u64),
        format::count(classes as u64)
    ))
}

/// Returns the published weights of a network, or the general suggestion.
fn weights_of(model: &str) -> String {
    match model.parse::<Published>() {
        Ok(_) => model.to_owned(),
        Err(_) => WEIGHTS.to_owned(),
    }
}

/// Returns the command that trains on the same data from trained weights.
fn with_weights(program: Vec<String>, arguments: Vec<String>, weights: &str) -> Option<String> {
    let mut kept = program;
    let mut words = arguments.into_iter().peekable();
    while let Some(word) = words.next() {
        let (flag, has_value) = match word.split_once('=') {
            Some((flag, _)) => (flag, true),
            None => (word.as_str(), false),
        };
        if WITHOUT.contains(&flag) {
            if !has_value {
                words.next();
            }
        } else if flag == WITHOUT_SWITCH {
            words.next_if(|next| !has_value && matches!(next.as_str(), "true" | "false"));
        } else {
            kept.push(word);
        }
    }
    kept.extend(["--pretrained", weights, "--freeze"].map(str::to_owned));
    shlex::try_join(kept.iter().map(String::as_str)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_command_keeps_compatible_flags() {
        let command = |words: &str| {
            let words = shlex::split(words).unwrap();
            with_weights(vec!["train".to_owned()], words, WEIGHTS).unwrap()
        };
        for (words, suggested) in [
            (
                "--data 'folder:my photos' --epochs 5",
                "train --data 'folder:my photos' --epochs 5 --pretrained resnet18 --freeze",
            ),
            (
                "--model resnet20 --stem=deep --name mine --data folder:a",
                "train --data folder:a --pretrained resnet18 --freeze",
            ),
            (
                "--zero-init-last-norm --data folder:a --zero-init-last-norm false --flip",
                "train --data folder:a --flip --pretrained resnet18 --freeze",
            ),
        ] {
            assert_eq!(command(words), suggested);
        }
        assert_eq!(
            with_weights(Vec::new(), vec!["a\0b".to_owned()], WEIGHTS),
            None
        );
    }

    #[test]
    fn shortened_warmup_is_reported() {
        let warning = |warmup_epochs, epochs| {
            shortened_warmup(
                &TrainConfig::default()
                    .with_warmup_epochs(warmup_epochs)
                    .with_epochs(epochs),
            )
        };
        assert_eq!(warning(0.5, 1), None);
        let text = warning(5.0, 3).unwrap();
        assert!(text.starts_with("warm-up ends after 1.5 epochs instead of 5"));
    }

    #[test]
    fn suggested_weights_match_network() {
        for (model, weights) in [
            ("resnet50", "resnet50"),
            ("resnet8", "resnet18"),
            ("digit", "resnet18"),
        ] {
            assert_eq!(weights_of(model), weights);
        }
    }

    #[test]
    fn few_images_are_counted_in_total_and_per_class() {
        assert!(are_few(48, 2));
        assert!(are_few(1999, 2));
        assert!(!are_few(2000, 2));
        assert!(are_few(10_000, 100));
        assert!(!are_few(50_000, 100));
    }
}
