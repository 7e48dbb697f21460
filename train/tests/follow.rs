//! What looks at runs: `runs`, `report`, `export`, `watch`, and what a run says itself.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{
    SMALL, fails, history, offline, says, stderr, stdout, succeeds, test_accuracy, train,
};
use events::{Event, FILE, Lock};

/// A subcommand with its runs in a folder of the test's.
fn look(command: &str, runs: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_train"));
    program.arg(command).arg("--runs-dir").arg(runs);
    offline(&mut program, runs);
    program
}

fn short_run(runs: &Path, name: &str) -> String {
    let settings = ["--epochs", "1", "--name", name];
    succeeds(train(runs).args(SMALL).args(settings))
}

/// As Markdown and on standard output, and not in what is neither HTML nor Markdown.
fn reports_are_written_in_other_ways(folder: &Path, runs: &Path, accuracy: &str) {
    let both = ["mine", "crashed"];
    let page = fs::read_to_string(folder.join("both.html")).unwrap();
    assert!(page.contains("<title>mine and crashed</title>"));
    let file = folder.join("mine.md");
    succeeds(look("report", runs).args(["mine", "-o"]).arg(&file));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# mine (finished)\n"), "{text}");
    let words = [
        "| Ankle boot",
        "95 % interval",
        "lr = 0.",
        "```toml",
        accuracy,
    ];
    says(&text, &words);
    let said = succeeds(look("report", runs).args(["mine", "-o", "-", "--format", "markdown"]));
    assert_eq!(said, text);
    assert!(!Path::new("-").exists());
    let page = succeeds(look("report", runs).args(both).args(["-o", "-"]));
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("mine and crashed"));
    // Nothing says where on this machine the run is.
    for text in [&text, &page] {
        for leak in [folder.to_str().unwrap(), env!("CARGO_MANIFEST_DIR")] {
            assert!(!text.contains(leak), "{leak} in {text}");
        }
    }
    let pdf = folder.join("mine.pdf");
    let mut report = look("report", runs);
    report.args(["mine", "-o"]).arg(&pdf);
    let words = ["must end in .html or .md", ".pdf", "hint: ", ".md"];
    fails(&mut report, 2, &words);
    assert!(!pdf.exists());
    succeeds(report.args(["--format", "html"]));
    assert!(pdf.exists());

    let table = succeeds(look("export", runs).args(["mine", "--csv", "-"]));
    assert!(table.starts_with("epoch,step,seconds"), "{table}");
    assert_eq!(table.lines().count(), 2, "{table}");
    let classes = succeeds(look("export", runs).args(["mine", "--csv", "-", "--table", "classes"]));
    assert!(classes.contains("Ankle boot"), "{classes}");
    let mut export = look("export", runs);
    export.args(["mine", "--csv", "-", "--table", "weights"]);
    fails(&mut export, 2, &["steps", "classes"]);
}

#[test]
fn runs_are_listed_reported_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let output = short_run(&runs, "mine");
    let accuracy = format!("{:.2} %", test_accuracy(&output));

    // The same run as a crash leaves it, and as it is while it trains.
    for copy in ["crashed", "running"] {
        let copy = runs.join(copy);
        fs::create_dir(&copy).unwrap();
        let text = fs::read_to_string(runs.join("mine").join(FILE)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        fs::write(copy.join(FILE), lines[..lines.len() / 2].join("\n")).unwrap();
    }
    let _lock = Lock::take(&runs.join("running")).unwrap();

    let table = succeeds(&mut look("runs", &runs));
    let line = |name: &str| {
        let found = table.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    assert_eq!(table.lines().count(), 4, "{table}");
    for word in ["finished", "sample", "resnet8", "flex", "1/1", &accuracy] {
        assert!(line("mine").contains(word), "{word}: {table}");
    }
    assert!(line("crashed ").contains(" crashed "), "{table}");
    assert!(line("running ").contains(" running "), "{table}");

    let json = succeeds(look("runs", &runs).args(["--json", "--filter", "state=finished"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["name"], "mine");
    let sorted = succeeds(look("runs", &runs).args(["--sort", "name", "--reverse"]));
    let names: Vec<&str> = sorted
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["running", "mine", "crashed"]);
    let none = look("runs", &runs)
        .args(["--filter", "data=mnist"])
        .output()
        .unwrap();
    assert!(none.status.success() && stdout(&none).is_empty());
    says(&stderr(&none), &["none of 3 runs"]);
    let words = ["cannot sort runs by `color`", "accuracy"];
    fails(look("runs", &runs).args(["--sort", "color"]), 2, &words);
    fails(
        look("runs", &runs).args(["--filter", "color=red"]),
        2,
        &["`color`", "state"],
    );

    let said = succeeds(look("report", &runs).arg("mine"));
    let page = runs.join("mine/report.html");
    assert_eq!(Path::new(said.trim()), page);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(&accuracy) && page.contains("Ankle boot"));
    let both = folder.path().join("both.html");
    succeeds(
        look("report", &runs)
            .args(["mine", "crashed", "--output"])
            .arg(&both),
    );
    let page = fs::read_to_string(both).unwrap();
    assert!(page.contains(">mine<") && page.contains(">crashed<"));

    reports_are_written_in_other_ways(folder.path(), &runs, &accuracy);

    let [logs, tables] = ["logs", "tables"].map(|name| folder.path().join(name));
    let mut export = look("export", &runs);
    export.arg("mine").arg("--tensorboard").arg(&logs);
    succeeds(export.arg("--csv").arg(&tables));
    assert!(logs.join("mine/validation").is_dir());
    let mut export = look("export", &runs);
    export.arg(".").current_dir(runs.join("crashed"));
    succeeds(export.arg("--csv").arg(&tables));
    let rows = |run: &str| {
        let steps = fs::read_to_string(tables.join(run).join("steps.csv")).unwrap();
        steps.lines().count() - 1
    };
    assert_eq!(rows("mine"), 85);
    let tested = fs::read_to_string(tables.join("mine/test.csv")).unwrap();
    let lines: Vec<&str> = tested.lines().collect();
    assert!(
        lines[0].contains(",accuracy,") && lines.len() == 2,
        "{tested}"
    );
    let classes = fs::read_to_string(tables.join("mine/classes.csv")).unwrap();
    assert_eq!(classes.lines().count(), 11);
    assert!(classes.contains("\n9,Ankle boot,"), "{classes}");
    assert!(rows("crashed") < 85);
}

/// The command line under some words of a page.
#[cfg(unix)]
fn command_on(page: &str, words: &str) -> String {
    let begin = format!("{words}</p><pre><code>");
    let command = page.split_once(&begin).map(|(_, rest)| rest);
    let command = command.and_then(|rest| rest.split_once("</code>"));
    let (command, _) = command.unwrap_or_else(|| panic!("no `{words}`"));
    command.replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(unix)]
#[test]
fn report_commands_work_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    // Named for a shell to trip over, and all paths lead from there.
    let place = folder.path().join("it's mine");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("short.toml"), "epochs = 1\n").unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_train"));
    program.args(SMALL).args(["--runs-dir", "runs"]);
    program.args(["--config", "short.toml", "--name", "mine"]);
    offline(program.current_dir(&place), &place);
    succeeds(&mut program);

    let runs = place.join("runs");
    let said = succeeds(&mut look("report", &runs)); // of the newest run, which is the only one
    let page = runs.join("mine/report.html");
    assert_eq!(Path::new(said.trim()), page);
    let page = fs::read_to_string(page).unwrap();
    let shell = |command: &str| {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).current_dir(&place);
        offline(&mut shell, &place);
        // A program outside the folder is called by its name.
        let program = Path::new(env!("CARGO_BIN_EXE_train")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", program.display()));
        shell
    };
    succeeds(&mut shell(&command_on(&page, "Train again:")));
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 2);
    let more = command_on(&page, "Continue with more epochs:");
    assert!(more.ends_with(" --epochs 2"), "{more}");
    succeeds(&mut shell(&more));
    let history = history(&runs.join("mine"));
    assert_eq!(history.epochs.len(), 2);
    let folders = history.sittings.iter().map(|sitting| &sitting.folder);
    let expected = fs::canonicalize(&place).unwrap().display().to_string();
    assert!(folders.flatten().eq([&expected, &expected]));
}

#[test]
fn unreadable_runs_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    fs::create_dir_all(runs.join("old")).unwrap();
    fs::write(runs.join("old/config.toml"), "").unwrap();
    for command in ["report", "watch"] {
        fails(look(command, &runs).arg("nothing"), 1, &["nothing"]);
        let words = ["old has no events.jsonl", "--resume"];
        fails(look(command, &runs).arg("old"), 1, &words);
    }
    let none = folder.path().join("none");
    let tables = folder.path().join("tables");
    for (command, place) in [("watch", &runs), ("report", &runs), ("export", &none)] {
        let mut newest = look(command, place);
        if command == "export" {
            newest.arg("--csv").arg(&tables);
        }
        fails(&mut newest, 1, &["there is no run in", "--runs-dir"]);
    }
    let either = ["--tensorboard <DIR>|--csv <DIR>"];
    fails(look("export", &runs).arg("old"), 2, &either);
    let help = succeeds(look("runs", &runs).arg("--help"));
    says(&help, &["name, state, data, model, device, seed"]);

    fs::write(runs.join("old").join(FILE), "").unwrap();
    let output = runs.join("old/none/report.html");
    fails(
        look("report", &runs).arg("old").arg("--output").arg(output),
        1,
        &["cannot write"],
    );
}

/// Off a terminal, `watch` prints what the run itself would have printed.
#[test]
fn watch_prints_lines_without_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let printed = short_run(&runs, "mine");
    let watched = look("watch", &runs).arg("mine").output().unwrap();
    assert!(watched.status.success(), "{}", stderr(&watched));
    let figures = |text: &str| -> Vec<String> {
        // The time of an epoch, and of the run, is that of the events.
        let lines = text.lines().map(|line| line.split("  lr ").next().unwrap());
        lines
            .map(|line| line.split(", wall time").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(figures(&stdout(&watched)), figures(&printed));
    assert!(stderr(&watched).contains("resnet8 on sample, 1 epochs"));

    // As a crash leaves it: the command works as it stands.
    let text = fs::read_to_string(runs.join("mine").join(FILE)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let half = lines[..lines.len() / 2].join("\n") + "\n";
    fs::write(runs.join("mine").join(FILE), half).unwrap();
    let watched = look("watch", &runs).output().unwrap();
    let said = stderr(&watched);
    let (_, command) = said
        .split_once("the run crashed; resume it with: ")
        .unwrap_or_else(|| panic!("{said}"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command.trim());
    offline(&mut shell, folder.path());
    let resumed = succeeds(&mut shell);
    assert!(resumed.contains("test accuracy"), "{resumed}");

    let several = look("watch", &runs)
        .args(["--compare", "mine", "mine"])
        .output();
    assert!(several.unwrap().status.success());
}

/// The training loss has the definition of the validation loss beside that which is minimized.
#[test]
fn unsmoothed_losses_are_recorded() {
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    for (name, smoothing, is_recorded) in [("smoothed", "0.2", true), ("plain", "0", false)] {
        let mut command = train(runs);
        command.args(SMALL).args(["--epochs", "1", "--name", name]);
        let printed = succeeds(command.args(["--label-smoothing", smoothing]));
        let history = history(&runs.join(name));
        let steps = history.steps.figures("cross_entropy");
        assert_eq!(steps.is_some(), is_recorded, "{name}");
        let epoch = &history.epochs[0];
        let shown = epoch.train.get("cross_entropy");
        assert_eq!(shown.is_some(), is_recorded, "{name}");
        let shown = shown.or(epoch.train.get("loss")).unwrap();
        let line = format!("  train {shown:.4} ");
        assert!(printed.contains(&line), "{line}: {printed}");
        if let Some(steps) = steps {
            let mean = steps.iter().map(|&loss| f64::from(loss)).sum::<f64>() / steps.len() as f64;
            assert!((mean - shown).abs() < 0.02, "{mean} {shown}");
            assert!(shown < epoch.train.get("loss").unwrap());
        }
    }
}

/// Two classes with the same images: half of them are taken for the other class.
#[test]
fn mistakes_name_image_files() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    for part in ["train", "test"] {
        for class in ["one", "other"] {
            let place = images.join(part).join(class);
            fs::create_dir_all(&place).unwrap();
            for number in 0..20_u8 {
                let image = image::RgbImage::from_pixel(8, 8, image::Rgb([12 * number; 3]));
                image.save(place.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let runs = folder.path().join("runs");
    for storage in ["memory", "files"] {
        let mut command = train(&runs);
        command.args(["--data", &format!("folder:{}", images.display())]);
        command.args(["--name", storage, "--storage", storage]);
        let settings = "--epochs 1 --model resnet8 --image-size 16";
        succeeds(command.args(settings.split(' ')));
        let history = history(&runs.join(storage));
        let tested = history.tested.unwrap();
        assert!(!tested.mistakes.is_empty());
        for mistake in tested.mistakes.iter().chain(&history.epochs[0].mistakes) {
            let path = Path::new(mistake.path.as_ref().unwrap());
            assert!(path.is_file(), "{}", path.display());
            let class = path.parent().unwrap().file_name().unwrap();
            assert_eq!(class, ["one", "other"][mistake.class]);
        }
        let of_test = images.join("test");
        let mut paths = tested
            .mistakes
            .iter()
            .filter_map(|mistake| mistake.path.as_ref());
        assert!(paths.all(|path| Path::new(path).starts_with(&of_test)));
    }
}

#[test]
fn verbosity_controls_output() {
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    let run = |name: &str, flag: &[&str]| {
        let settings = ["--epochs", "1", "--name", name];
        let output = train(runs)
            .args(SMALL)
            .args(settings)
            .args(flag)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    };

    let (said, beside) = run("json", &["--json"]);
    assert_eq!(
        said,
        fs::read_to_string(runs.join("json").join(FILE)).unwrap()
    );
    let events: Vec<Event> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(matches!(events.first(), Some(Event::Started(_))));
    assert!(matches!(events.last(), Some(Event::Ended(_))));
    assert!(beside.contains("device: flex"), "{beside}");

    let (said, beside) = run("quiet", &["--quiet"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(test_accuracy(&said) > 30.0, "{said}");
    assert_eq!(beside, "");

    // Without a terminal, there is no dashboard.
    for ui in ["lines", "dashboard", "burn"] {
        let (said, _) = run(ui, &["--ui", ui]);
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(said.starts_with("epoch 1/1  train "), "{said}");
        let line = said.lines().next().unwrap();
        assert!(line.contains("  val ") && line.len() <= 80, "{line}");
    }
    fails(train(runs).args(["--ui", "browser"]), 2, &["browser"]);
    let words = ["--json"];
    fails(train(runs).args(["--ui", "lines", "--json"]), 2, &words);
}
