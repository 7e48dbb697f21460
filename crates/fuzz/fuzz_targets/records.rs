//! What a run leaves for others to read: its checkpoint, and its model with the description.
//!
//! The first byte says which file the rest stands for. The others are those of a real run, which `seeds.py` made.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn_flex::Flex;
use libfuzzer_sys::{Corpus, fuzz_target};
use model::NetworkConfig;
use resnet_fuzz::Scratch;
use saved_models::SavedModel;
use train::{RunFolder, TrainConfig};

/// The files in the order of the first byte, with the step in the names of records left out.
const FILES: [&str; 7] = [
    "checkpoint/latest.json",
    "checkpoint/model",
    "checkpoint/optim",
    "checkpoint/scheduler",
    "checkpoint/average",
    "model.json",
    "model.safetensors",
];
/// Networks with more parameters are left out: they take long to make.
const MOST_PARAMETERS: u64 = 1 << 20;

struct Base {
    run: RunFolder,
    config: TrainConfig,
    /// The files' names and what is in them.
    files: Vec<(String, Vec<u8>)>,
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let base = base();
    let Some((&kind, content)) = input.split_first() else {
        return Corpus::Reject;
    };
    let Some((name, original)) = base.files.get(usize::from(kind)) else {
        return Corpus::Reject;
    };
    let folder = Scratch::folder();
    folder.write_in(name, content);
    let kept = if name.starts_with("checkpoint") {
        let latest = serde_json::from_slice::<Latest>(content);
        match latest.is_ok_and(|latest| is_large(&latest.network)) {
            true => Corpus::Reject,
            false => check_checkpoint(base),
        }
    } else {
        check_model(folder.path())
    };
    folder.write_in(name, original);
    kept
});

/// What `latest.json` says of the network.
#[derive(serde::Deserialize)]
struct Latest {
    network: NetworkConfig,
}

fn is_large(network: &NetworkConfig) -> bool {
    let summary = model::summary(network, [64, 64]);
    summary.is_ok_and(|summary| summary.parameters > MOST_PARAMETERS)
}

fn check_checkpoint(base: &Base) -> Corpus {
    let steps =
        |read: Result<Option<usize>, train::TrainError>| read.map_err(|error| error.to_string());
    let read = steps(
        base.run
            .read_checkpoint::<Flex>(&base.config, &Default::default()),
    );
    let again = steps(
        base.run
            .read_checkpoint::<Flex>(&base.config, &Default::default()),
    );
    assert_eq!(read, again);
    forget_leaves();
    Corpus::Keep
}

/// Burn keeps a note of each tensor that a gradient can be asked of until gradients are computed. A program that reads one
/// checkpoint does not mind; a million of them fill the memory.
fn forget_leaves() {
    let one: Tensor<Autodiff<Flex>, 1> = Tensor::ones([1], &Default::default());
    drop(one.require_grad().backward());
}

fn check_model(folder: &Path) -> Corpus {
    let Ok(saved) = SavedModel::open(folder) else {
        return Corpus::Keep;
    };
    if is_large(&saved.description.network) {
        return Corpus::Reject;
    }
    let _ = saved.network::<Flex>(&Default::default());
    Corpus::Keep
}

/// A file that says what the checksums of others are does not say so any more: no changed file would be looked at.
fn without_checksums(name: &str, content: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(".json") {
        return content;
    }
    let mut value: serde_json::Value = serde_json::from_slice(&content).expect("it is JSON");
    value
        .as_object_mut()
        .expect("it is an object")
        .remove("sha256");
    serde_json::to_vec(&value).expect("it can be written")
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("base");
        let folder = Scratch::folder().path();
        fs::create_dir_all(folder.join("checkpoint")).expect("the temporary folder can be written");
        let mut names: Vec<String> = FILES.map(str::to_owned).to_vec();
        let records = fs::read_dir(source.join("checkpoint")).expect("seeds.py has made base");
        for record in records.flatten() {
            let record = format!("checkpoint/{}", record.file_name().display());
            for name in &mut names {
                if record.ends_with(".mpk") && record.starts_with(&format!("{name}-")) {
                    name.clone_from(&record);
                }
            }
        }
        let files = names.into_iter().map(|name| {
            let content =
                fs::read(source.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let content = without_checksums(&name, content);
            Scratch::folder().write_in(&name, &content);
            (name, content)
        });
        let files = files.collect();
        fs::copy(source.join("config.toml"), folder.join("config.toml"))
            .expect("seeds.py has made base");
        let (run, config) =
            RunFolder::open(folder.to_owned()).expect("the run of seeds.py can be opened");
        let steps = run.read_checkpoint::<Flex>(&config, &Default::default());
        assert!(
            matches!(steps, Ok(Some(1..))),
            "the checkpoint of seeds.py is read: {steps:?}"
        );
        SavedModel::open(folder)
            .and_then(|saved| saved.network::<Flex>(&Default::default()))
            .expect("the model of seeds.py is read");
        Base { run, config, files }
    })
}
