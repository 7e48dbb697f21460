//! Command lines for users to paste, which start the programs the way the user started this one.
//!
//! ```text
//! cargo run -p train -- watch runs/mine     after cargo run -p train
//! target/debug/train watch runs/mine        after target/debug/train
//! train watch runs/mine                     after train, found on PATH
//! ```

use std::borrow::Cow;
use std::env;
use std::path::{Path, PathBuf};

use device::DeviceKind;

/// The programs. Library messages name them in backticks: `` `train runs` ``.
const PROGRAMS: [&str; 2] = ["train", "infer"];

/// Returns the words that start this program the way the user started it.
pub fn words() -> Vec<String> {
    let start = Start::here();
    let name = start.name().to_owned();
    start.words(&name)
}

/// Returns a command line that calls this program and ends with a run's folder.
///
/// It is quoted for shells; bytes of the path that are not text are replaced.
pub fn command_line(arguments: &[&str], folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let words = words();
    let words = words.iter().map(String::as_str);
    quoted(words.chain(arguments.iter().copied()).chain([&*folder]))
}

/// Replaces the programs' names in commands in backticks by the words that start them.
pub fn with_commands(text: &str) -> Cow<'_, str> {
    Start::here().with_commands(text)
}

/// Returns a sentence about the program's name in examples if the user started it another way.
pub(crate) fn note_on_examples() -> Option<String> {
    let start = Start::here();
    let name = start.name();
    start.is_cargo().then(|| {
        format!(
            "`{name}` stands for `{}`.",
            quoted(start.words(name).iter().map(String::as_str))
        )
    })
}

/// How the user started this program.
#[derive(Debug, Default)]
struct Start {
    /// First word of the command line.
    program: String,
    /// Package that `cargo run` builds and starts, and its folder.
    package: Option<(String, PathBuf)>,
    current_dir: PathBuf,
    /// Cargo features of the program.
    devices: Vec<DeviceKind>,
}

impl Start {
    fn here() -> Self {
        let package = env::var("CARGO_PKG_NAME").ok();
        let folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        Self {
            program: env::args_os()
                .next()
                .map_or_else(String::new, |word| word.to_string_lossy().into_owned()),
            package: package.zip(folder),
            current_dir: env::current_dir().unwrap_or_default(),
            devices: DeviceKind::compiled_in().collect(),
        }
    }

    fn path(&self) -> &Path {
        Path::new(&self.program)
    }

    fn name(&self) -> &str {
        let name = self.path().file_stem().and_then(|name| name.to_str());
        name.unwrap_or(PROGRAMS[0])
    }

    /// Returns whether `cargo run` started this program in its workspace. Cargo then sets variables
    /// about the package that has the program's name, and calls the program by its path.
    fn is_cargo(&self) -> bool {
        self.package.as_ref().is_some_and(|(package, folder)| {
            package == self.name()
                && self.path().components().count() > 1
                && folder
                    .parent()
                    .is_some_and(|workspace| self.current_dir.starts_with(workspace))
        })
    }

    /// Returns the words that start one of [`PROGRAMS`].
    fn words(&self, program: &str) -> Vec<String> {
        if self.is_cargo() {
            return self.cargo_words(program);
        }
        let path = match self.path().extension() {
            Some(extension) => Path::new(program).with_extension(extension),
            None => program.into(),
        };
        let path = self.path().with_file_name(path);
        vec![path.to_string_lossy().into_owned()]
    }

    fn cargo_words(&self, program: &str) -> Vec<String> {
        let mut words = vec!["cargo", "run"];
        // Cargo names the folder after the profile, except that of `dev`.
        let profile = self.path().parent().and_then(Path::file_name);
        match profile.and_then(|profile| profile.to_str()) {
            Some("release") => words.push("--release"),
            Some("debug") | None => {}
            Some(profile) => words.extend(["--profile", profile]),
        }
        words.extend(["-p", program]);
        let is_default = |device: &DeviceKind| *device == DeviceKind::Flex;
        if !self.devices.iter().any(is_default) {
            words.push("--no-default-features");
        }
        let more = self.devices.iter().filter(|device| !is_default(device));
        let features: Vec<_> = more.map(|device| device.name()).collect();
        let features = features.join(",");
        if !features.is_empty() {
            words.extend(["--features", &features]);
        }
        words.push("--");
        words.into_iter().map(str::to_owned).collect()
    }

    fn with_commands<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for program in PROGRAMS {
            let words = self.words(program);
            for (end, words) in [(" ", &words[..]), ("`", without_separator(&words))] {
                let found = format!("`{program}{end}");
                if text.contains(&found) {
                    let start = quoted(words.iter().map(String::as_str));
                    text = text.replace(&found, &format!("`{start}{end}")).into();
                }
            }
        }
        text
    }
}

/// Returns the words without the `--` before a program's arguments.
fn without_separator(words: &[String]) -> &[String] {
    match words {
        [words @ .., last] if last == "--" => words,
        words => words,
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a str> + Clone) -> String {
    // Only null bytes cannot be quoted, and no argument has one.
    shlex::try_join(words.clone()).unwrap_or_else(|_| words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(program: &str) -> Start {
        Start {
            program: program.to_owned(),
            devices: vec![DeviceKind::Flex],
            ..Start::default()
        }
    }

    fn cargo(program: &str) -> Start {
        Start {
            package: Some(("train".to_owned(), "/home/me/resnet/train".into())),
            current_dir: "/home/me/resnet/docs".into(),
            ..start(program)
        }
    }

    fn words(start: &Start, program: &str) -> String {
        start.words(program).join(" ")
    }

    #[test]
    fn programs_start_like_this_one() {
        for (program, train, infer) in [
            ("train", "train", "infer"),
            (
                "target/debug/infer",
                "target/debug/train",
                "target/debug/infer",
            ),
            ("./train.exe", "./train.exe", "./infer.exe"),
        ] {
            assert_eq!(words(&start(program), "train"), train);
            assert_eq!(words(&start(program), "infer"), infer);
        }
    }

    #[test]
    fn cargo_starts_programs_with_profile_and_features() {
        let mut start = cargo("target/debug/train");
        assert_eq!(words(&start, "infer"), "cargo run -p infer --");
        start.devices = vec![DeviceKind::Cuda, DeviceKind::Wgpu, DeviceKind::Flex];
        start.program = "/tmp/target/release/train".to_owned();
        assert_eq!(
            words(&start, "train"),
            "cargo run --release -p train --features cuda,wgpu --"
        );
        start.devices = vec![DeviceKind::Ndarray];
        start.program = "target/profiling/train".to_owned();
        assert_eq!(
            words(&start, "train"),
            "cargo run --profile profiling -p train --no-default-features --features ndarray --"
        );
    }

    #[test]
    fn variables_of_cargo_alone_are_not_cargo_run() {
        // An installed program, a program elsewhere, and another package's variables.
        let elsewhere = Start {
            current_dir: "/home/me".into(),
            ..cargo("resnet/target/debug/train")
        };
        for start in [cargo("train"), elsewhere, cargo("target/debug/tool")] {
            assert!(!start.is_cargo(), "{start:?}");
        }
    }

    #[test]
    fn commands_in_messages_are_replaced() {
        let text =
            "start one with `train`, or see `train watch mine`; `infer` predicts; `trains`, train";
        assert_eq!(
            cargo("target/debug/train").with_commands(text),
            "start one with `cargo run -p train`, or see `cargo run -p train -- watch mine`; \
             `cargo run -p infer` predicts; `trains`, train"
        );
        assert_eq!(
            start("my programs/train").with_commands("`train data` names them"),
            "`'my programs/train' data` names them"
        );
        assert_eq!(start("train").with_commands(text), text);
    }
}
