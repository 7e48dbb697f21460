//! What a careless user does: one clear sentence, the right exit code, nothing lost.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{SMALL, fails, image_folder, program, succeeds, train, trained};

/// A folder with the four files of MNIST, of ten images each.
fn idx_folder(root: &Path) -> std::path::PathBuf {
    let folder = root.join("idx");
    fs::create_dir(&folder).unwrap();
    for split in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3];
        for number in [10_u32, 28, 28] {
            images.extend(number.to_be_bytes());
        }
        images.extend((0..10 * 28 * 28).map(|value| (value % 251) as u8));
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 10];
        labels.extend([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        fs::write(folder.join(format!("{split}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{split}-labels-idx1-ubyte")), labels).unwrap();
    }
    folder
}

fn mnist(folder: &Path, words: &[&str]) {
    let runs = folder.parent().unwrap();
    let mut command = train(runs);
    command.args(["--data", "mnist", "--data-dir"]).arg(folder);
    fails(&mut command, 1, words);
    assert!(!runs.join("mine").exists());
}

#[test]
fn damaged_idx_files_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let folder = idx_folder(root.path());
    let images = folder.join("train-images-idx3-ubyte");
    let whole = fs::read(&images).unwrap();

    fs::write(&images, &whole[..whole.len() - 100]).unwrap();
    mnist(&folder, &["train-images-idx3-ubyte", "cut off"]);

    let mut wrong = whole.clone();
    wrong[3] = 1;
    fs::write(&images, wrong).unwrap();
    mnist(&folder, &["train-images-idx3-ubyte", "magic"]);
}

#[test]
fn offline_error_names_files_and_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = idx_folder(root.path());
    fs::remove_file(folder.join("train-images-idx3-ubyte")).unwrap();
    let place = folder.join("mnist");
    let words = [
        "the files of mnist are missing: cannot download train-images-idx3-ubyte.gz",
        "cannot be reached by the proxy 127.0.0.1:9",
        "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
        "hint: put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, ",
        &place.display().to_string(),
    ];
    mnist(&folder, &words);
}

#[cfg(target_os = "linux")]
#[test]
fn commands_download_images_to_user_cache() {
    let root = tempfile::tempdir().unwrap();
    let cache = root.path().join("home/resnet");
    let commands: [&[&str]; 3] = [
        &["--data", "cifar10"],
        &["study", "gradients"],
        &["study", "degradation"],
    ];
    for arguments in commands {
        let mut command = program(root.path(), arguments);
        let words = [
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "127.0.0.1:9",
            &format!("put cifar-10-binary.tar.gz into {}, from", cache.display()),
        ];
        fails(&mut command, 1, &words);
        assert!(cache.is_dir());
    }
}

#[test]
fn damaged_cifar_files_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let batches = (1..=5).map(|number| format!("data_batch_{number}"));
    for name in batches.chain(["test_batch".to_owned()]) {
        let records: Vec<u8> = (0..20)
            .flat_map(|label| [vec![label % 10], vec![label; 3072]].concat())
            .collect();
        fs::write(root.path().join(format!("{name}.bin")), records).unwrap();
    }
    let cifar = |words: &[&str]| {
        let mut command = train(&root.path().join("runs"));
        command
            .args(["--data", "cifar10", "--data-dir"])
            .arg(root.path());
        fails(&mut command, 1, words);
    };
    let file = root.path().join("data_batch_3.bin");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    cifar(&["data_batch_3.bin"]);

    let mut wrong = whole;
    wrong[0] = 77;
    fs::write(&file, wrong).unwrap();
    cifar(&["data_batch_3.bin", "77"]);
}

#[test]
fn damaged_image_folders_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let folder = image_folder(root.path(), 4);
    let expect = |folder: &str, words: &[&str]| {
        let mut command = train(&root.path().join("runs"));
        fails(
            command.args(["--data", &format!("folder:{folder}")]),
            1,
            words,
        );
    };
    let path = folder.to_str().unwrap();
    let text = folder.join("red/notes.png");
    fs::write(&text, "this is no image").unwrap();
    expect(path, &["notes.png"]);
    fs::remove_file(&text).unwrap();

    fs::create_dir(folder.join("empty")).unwrap();
    expect(path, &["empty"]);
    expect("/nonexistent", &["/nonexistent"]);
    expect("~/photos", &["~/photos does not exist", "$HOME"]);
}

#[test]
fn wrong_configs_name_key_and_range() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("config.toml");
    let expect = |text: &str, words: &[&str]| {
        fs::write(&file, text).unwrap();
        fails(train(root.path()).arg("--config").arg(&file), 1, words);
    };
    expect("learning_rate = 0.1", &["learning_rate", "line 1"]);
    expect("epochs = 0", &["`epochs` is 0", "1 to 100000"]);
    expect("epochs = \"ten\"", &["line 1"]);
    expect("epochs =", &["line 1"]);
    expect("[loader]\nthread = 2", &["thread", "line 2"]);
    let drop_last = "batch_size = 6000\nloader = { drop_last = true }";
    expect(
        drop_last,
        &["5400 training images", "step of 6000", "hint:"],
    );
    expect("model = \"resnet19\"", &["resnet19", "did you mean"]);
    let mut command = train(root.path());
    command.args(["--config", "/nonexistent.toml"]);
    fails(
        &mut command,
        1,
        &["/nonexistent.toml", "check the spelling"],
    );
}

#[test]
fn wrong_flags_are_wrong_usage() {
    let runs = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        ("--epochs 0", &["--epochs", "1 to 100000"][..]),
        ("--epochs many", &["many"]),
        ("--model resnet19", &["resnet19", "did you mean"]),
        ("--data imagenet", &["imagenet"]),
        ("--data mnst", &["mnst", "did you mean `mnist`?"]),
        ("--storage disk", &["disk", "known: memory, files"]),
        (
            "--storage files --data mnist",
            &["but must be memory for mnist", "folder:PATH"],
        ),
        ("--loader-threads 5000", &["--loader-threads", "0 to 1024"]),
        ("--device gpu", &["gpu"]),
        ("--device flex:7", &["flex"]),
        ("--frobnicate", &["--frobnicate"]),
        ("--optimizer adagrad", &["adagrad", "adamw"]),
        ("--optimizer adam --lr 0", &["--lr", "above 0"]),
        ("--resume mine --lr 0.1", &["--lr"]),
        ("--resume mine --optimizer adam", &["--optimizer"]),
    ] {
        fails(train(runs.path()).args(arguments.split(' ')), 2, words);
    }
    assert_eq!(
        fs::read_dir(runs.path()).unwrap().count(),
        0,
        "nothing was started"
    );
}

#[cfg(not(feature = "cuda"))]
#[test]
fn device_not_compiled_in_is_wrong_usage() {
    let runs = tempfile::tempdir().unwrap();
    let words = ["cuda", "--features cuda"];
    fails(train(runs.path()).args(["--device", "cuda"]), 2, &words);
}

#[test]
fn resume_rejects_other_folders() {
    let runs = tempfile::tempdir().unwrap();
    fails(train(runs.path()).args(["--resume", "none"]), 1, &["none"]);
    fs::create_dir(runs.path().join("empty")).unwrap();
    let words = ["config.toml"];
    fails(train(runs.path()).args(["--resume", "empty"]), 1, &words);
}

#[test]
fn resume_rejects_damaged_checkpoints() {
    let runs = tempfile::tempdir().unwrap();
    trained(runs.path(), "mine", &[]);
    let checkpoint = runs.path().join("mine/checkpoint");
    let arguments = ["--resume", "mine", "--epochs", "2"];
    let resume = |words: &[&str]| fails(train(runs.path()).args(arguments), 1, words);
    let model = checkpoint.join("model-85.mpk");
    let whole = fs::read(&model).unwrap();
    fs::write(&model, &whole[..whole.len() / 2]).unwrap();
    resume(&["model-85.mpk", "checksum", "hint:"]);
    fs::write(&model, &whole).unwrap();

    let latest = checkpoint.join("latest.json");
    let text = fs::read_to_string(&latest).unwrap();
    fs::write(&latest, &text[..text.len() / 2]).unwrap();
    resume(&["latest.json", "cut off"]);
    // As an older version wrote it, without checksums.
    let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
    state.as_object_mut().unwrap().remove("sha256").unwrap();
    let old = serde_json::to_string_pretty(&state).unwrap();
    fs::write(&latest, old.replace("16,", "17,")).unwrap();
    resume(&["network"]);
    fs::write(&latest, &old).unwrap();
    fs::write(&model, &whole[..whole.len() / 2]).unwrap();
    resume(&["model-85.mpk", "cut off", "its tensors cannot be read"]);
}

#[test]
fn any_changed_bit_is_detected() {
    let runs = tempfile::tempdir().unwrap();
    let run = trained(runs.path(), "mine", &["--ema", "0.9"]);
    let resume = || {
        let mut command = train(runs.path());
        command.args(["--resume", "mine", "--epochs", "2"]);
        command
    };
    let infer = |folder: &str| {
        let mut command = train(runs.path());
        command.args(["--data", "sample", "--name", "other", "--freeze"]);
        command.arg("--weights").arg(run.join(folder));
        command
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(run.join("checkpoint")).unwrap() {
        files.push((entry.unwrap().path(), None));
    }
    assert_eq!(files.len(), 5, "{files:?}");
    files.push((run.join("config.toml"), None));
    for folder in ["", "raw"] {
        for name in ["model.json", "model.safetensors"] {
            files.push((run.join(folder).join(name), Some(folder)));
        }
    }
    for (path, folder) in files {
        let whole = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for part in [10, 55, 95] {
            let place = whole.len() * part / 100;
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (part % 8);
            fs::write(&path, &damaged).unwrap();
            let mut command = match folder {
                Some(folder) => infer(folder),
                None => resume(),
            };
            fails(&mut command, 1, &[name]);
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(!runs.path().join("other").exists());
    succeeds(&mut resume());
}

/// No file may grow beyond 100 KiB, so that the optimizer's state cannot be written, as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_ends_run_and_keeps_saved_files() {
    let runs = tempfile::tempdir().unwrap();
    let limited = |arguments: &[&str]| {
        let program = train(runs.path());
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", r#"ulimit -f 100; exec "$0" "$@""#]);
        shell
            .arg(program.get_program())
            .args(program.get_args())
            .args(arguments);
        shell
    };
    let mut arguments = SMALL.to_vec();
    arguments.extend(["--name", "mine", "--epochs", "1"]);
    let words = ["cannot write", "mine/checkpoint", "hint:"];
    fails(&mut limited(&arguments), 1, &words);
    let run = runs.path().join("mine");
    assert!(!run.join("model.safetensors").exists());
    for entry in fs::read_dir(&run).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            !name.to_string_lossy().starts_with('.'),
            "{name:?} was left behind"
        );
    }

    // With space again, the same run goes on; and a second failure keeps the first model.
    succeeds(train(runs.path()).args(["--resume", "mine"]));
    let model = fs::read(run.join("model.safetensors")).unwrap();
    fails(
        &mut limited(&["--resume", "mine", "--epochs", "3"]),
        1,
        &["cannot write"],
    );
    assert_eq!(fs::read(run.join("model.safetensors")).unwrap(), model);
    succeeds(train(runs.path()).args(["--resume", "mine"]));
}

#[test]
fn closed_output_does_not_end_run() {
    let runs = tempfile::tempdir().unwrap();
    let mut child = train(runs.path())
        .args(SMALL)
        .args(["--name", "mine", "--epochs", "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn non_finite_loss_ends_run_and_names_step() {
    let runs = tempfile::tempdir().unwrap();
    // Without norms, nothing holds the weights back.
    let mut command = train(runs.path());
    command.args(["--model", "digit", "--lr", "100", "--name", "mine"]);
    let words = [
        "the loss of step ",
        "learning rate of",
        "no checkpoint yet",
        "--clip",
    ];
    let text = fails(&mut command, 1, &words);
    assert!(!text.contains("model-"), "{text}");

    // A run that was well so far keeps its last checkpoint.
    let runs = tempfile::tempdir().unwrap();
    let settings = ["--model", "digit", "--lr", "0.001", "--epochs", "1"];
    succeeds(train(runs.path()).args(settings).args(["--name", "mine"]));
    let config = runs.path().join("mine/config.toml");
    let hotter = fs::read_to_string(&config)
        .unwrap()
        .replace("lr = 0.001", "lr = 100.0");
    let (hotter, _) = hotter.split_once("# sha256").unwrap();
    fs::write(&config, hotter).unwrap();
    let mut resume = train(runs.path());
    resume.args(["--resume", "mine", "--epochs", "2"]);
    let kept = ["the last good checkpoint is", "checkpoint/model-169.mpk"];
    fails(&mut resume, 1, &["(epoch 2)", kept[0], kept[1]]);
    assert!(runs.path().join("mine/checkpoint/model-169.mpk").is_file());
}

/// Weights can break while losses are numbers: the variance of large values is infinite, and a norm with an infinite
/// variance returns its shift.
#[test]
fn kept_weights_are_finite() {
    let runs = tempfile::tempdir().unwrap();
    let short = [
        "--epochs",
        "1",
        "--validation",
        "0.5",
        "--batch-size",
        "300",
    ];
    succeeds(train(runs.path()).args(short).args(["--name", "good"]));
    let mut weights = fs::read(runs.path().join("good/model.safetensors")).unwrap();
    set_weight(&mut weights, "stages.0.blocks.0.branch.0.conv.weight", 1e30);
    let file = runs.path().join("broken.safetensors");
    fs::write(&file, weights).unwrap();
    for keep in ["best", "last"] {
        let mut train = train(runs.path());
        train.arg("--weights").arg(&file);
        train
            .args(short)
            .args(["--lr", "0.001", "--keep", keep, "--name", keep]);
        let words = ["a weight of step 10 (epoch 1) is not finite"];
        fails(&mut train, 1, &words);
        let run = runs.path().join(keep);
        assert!(!run.join("model.safetensors").exists(), "{keep}");
        assert!(!run.join("checkpoint/latest.json").exists(), "{keep}");
    }
}

/// Replaces the first value of a tensor in a file of weights.
fn set_weight(file: &mut [u8], name: &str, value: f32) {
    let (_, header) = safetensors::SafeTensors::read_metadata(file).unwrap();
    let (start, _) = header.info(name).unwrap().data_offsets;
    let data = file.len() - header.data_len();
    file[data + start..][..4].copy_from_slice(&value.to_le_bytes());
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_do_not_block() {
    let root = tempfile::tempdir().unwrap();
    let pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    };
    let config = root.path().join("pipe.toml");
    pipe(&config);
    let irregular = ["not a regular file"];
    for path in [config.as_path(), Path::new("/dev/zero")] {
        for flag in ["--config", "--weights"] {
            fails(train(root.path()).arg(flag).arg(path), 1, &irregular);
        }
    }
    let large = root.path().join("large.toml");
    fs::write(&large, format!("model = \"{}\"", "x".repeat(10_000_000))).unwrap();
    let words = ["more than 1048576 bytes"];
    fails(train(root.path()).arg("--config").arg(&large), 1, &words);
    let run = root.path().join("first");
    trained(root.path(), "first", &[]);
    for file in ["checkpoint/latest.json", "config.toml"] {
        let path = run.join(file);
        fs::remove_file(&path).unwrap();
        pipe(&path);
        let mut resume = train(root.path());
        resume.args(["--resume", "first", "--epochs", "2"]);
        fails(&mut resume, 1, &irregular);
    }
    let data = idx_folder(root.path());
    let images = data.join("train-images-idx3-ubyte");
    fs::remove_file(&images).unwrap();
    pipe(&images);
    // A file that is not a regular one counts as missing, and nobody answers here.
    mnist(&data, &["train-images-idx3-ubyte", "hint:"]);
}
