//! The dashboard of the real program in a real terminal: every key, every way out.

#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::{history, succeeds, train};
use events::{Event, FILE, Started, State};

const WAIT: Duration = Duration::from_secs(120);
/// Long enough for every key, with a small network and few images in a step.
const LONG: &str = "--epochs 500 --stem imagenet --batch-size 64 --name mine";
const TABS: [&str; 6] = ["Overview", "Charts", "Classes", "Mistakes", "Speed", "Log"];

/// A terminal of its own, that ends with the test.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn new(folder: &Path, name: &str) -> Self {
        let terminal = Self {
            socket: format!("resnet-test-{}-{name}", std::process::id()),
        };
        let folder = folder.display().to_string();
        let session = ["new-session", "-d", "-x", "120", "-y", "40", "-c", &folder];
        let shell = ["env", "PS1=$ ", "ALL_PROXY=http://127.0.0.1:9", "sh"];
        terminal.tmux(&[&session[..], &shell].concat());
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", &self.socket, "-f", "/dev/null"]);
        let output = tmux.args(arguments).output().expect("tmux is installed");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// A command in the shell.
    fn run(&self, command: &str) {
        self.tmux(&["send-keys", "-l", command]);
        self.keys(&["Enter"]);
    }

    fn resize(&self, width: u16, height: u16) {
        let [width, height] = [width, height].map(|side| side.to_string());
        self.tmux(&["resize-window", "-x", &width, "-y", &height]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen has these words, and hands it on.
    fn sees(&self, words: &[&str]) -> String {
        self.waits(&format!("{words:?}"), |screen| {
            words.iter().all(|word| screen.contains(word))
        })
    }

    fn waits(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(started.elapsed() < WAIT, "no {what} in:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn shell(&self) -> String {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        shell.trim().to_owned()
    }

    fn child_of_shell(&self) -> String {
        child(&self.shell())
    }

    /// The terminal is as a shell wants it, and on its usual screen.
    fn is_restored(&self) {
        self.run("clear; stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo | tr '\\n' ' '; echo modes");
        self.waits("usual modes", |screen| {
            screen.contains("icanon") && screen.contains("echo") && screen.contains("modes\n")
        });
        let flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}";
        assert_eq!(self.tmux(&["display-message", "-p", flags]).trim(), "0 0 1");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The test may have failed because of it.
        let _ = Command::new("tmux")
            .args(["-L", &self.socket, "kill-server"])
            .output();
    }
}

fn program(arguments: &str) -> String {
    format!("{} {arguments}; echo code $?", env!("CARGO_BIN_EXE_train"))
}

fn begin(folder: &Path, name: &str) -> (Terminal, PathBuf) {
    begin_with(folder, name, LONG)
}

fn begin_with(folder: &Path, name: &str, arguments: &str) -> (Terminal, PathBuf) {
    let terminal = Terminal::new(folder, name);
    terminal.run(&program(arguments));
    terminal.sees(&["Overview", "epoch", "images/s"]);
    (terminal, folder.join("runs/mine"))
}

/// Every key of the keyboard that neither ends the program nor asks whether to.
fn harmless_keys() -> Vec<String> {
    let letters = ('!'..='~')
        .filter(|key| !"qnedc;".contains(*key))
        .map(String::from);
    let named = "Up Down Left Right Home End PPage NPage Tab BTab Enter Space Escape BSpace DC IC C-l C-a M-x";
    let functions = (1..=12).map(|number| format!("F{number}"));
    letters
        .chain(named.split(' ').map(str::to_owned))
        .chain(functions)
        .collect()
}

#[test]
#[ignore = "needs tmux"]
fn every_key_works_during_training() {
    let folder = tempfile::tempdir().unwrap();
    let (terminal, run) = begin(folder.path(), "live");
    for tab in 1..=6 {
        terminal.keys(&[&tab.to_string()]);
        for key in harmless_keys() {
            // A key may open help or go to another page: back to this one.
            terminal.keys(&[&key]);
            terminal.keys(&["Escape", &tab.to_string()]);
        }
        let screen = terminal.sees(&TABS);
        assert!(!screen.contains("panicked"), "{screen}");
        let log = std::fs::read_to_string(run.join("experiment.log")).unwrap();
        assert_eq!(log, "", "on page {tab}");
    }
    for (width, height) in [(80, 24), (20, 5), (1, 1), (240, 60), (120, 40)] {
        terminal.resize(width, height);
        std::thread::sleep(Duration::from_millis(300));
    }
    terminal.keys(&["1"]);
    terminal.sees(&TABS);
    terminal.keys(&["?"]);
    terminal.sees(&["save a checkpoint now", "Ctrl-C"]);
    terminal.keys(&["?"]);

    let epochs = history(&run).epochs.len();
    terminal.keys(&["c"]);
    // One more than one for each epoch.
    terminal.waits(&format!("checkpoint after epoch {epochs}"), |_| {
        history(&run).checkpoints.len() > history(&run).epochs.len()
    });

    // Another terminal sees the same, and leaves without a trace.
    let watching = Terminal::new(folder.path(), "watch");
    watching.run(&program("watch"));
    watching.sees(&["mine", "running"]);
    for key in harmless_keys()
        .iter()
        .map(String::as_str)
        .chain(["n", "Escape", "e", "Escape", "d"])
    {
        watching.keys(&[key]);
    }
    watching.keys(&["Escape", "1"]);
    watching.sees(&["running"]);
    watching.keys(&["q"]);
    watching.sees(&["code 0"]);
    watching.is_restored();
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Running);
    terminal.keys(&["C-c"]);
    terminal.sees(&["everything is saved", "code 130"]);
    terminal.is_restored();
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);
}

/// `d` gives the prompt back; the run goes on, and is stopped from another terminal.
#[test]
#[ignore = "needs tmux"]
fn detached_run_is_watched_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (terminal, run) = begin(folder.path(), "detach");
    terminal.keys(&["d"]);
    let screen = terminal.sees(&["training continues in the background as process", "code 0"]);
    assert!(screen.contains("output.log"), "{screen}");
    terminal.is_restored();
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Running);
    let epochs = history(&run).epochs.len() + 1;
    let output = || std::fs::read_to_string(run.join("output.log")).unwrap();
    terminal.waits("an epoch in the file", |_| {
        output().contains(&format!("epoch {epochs:>3}/500  train "))
    });

    // The same terminal is free for it.
    terminal.run(&program("watch"));
    terminal.sees(&["mine", "running", "stop now"]);
    let saved = history(&run).checkpoints.len();
    let saved = saved.saturating_sub(history(&run).epochs.len());
    terminal.keys(&["c"]);
    terminal.waits("a checkpoint", |_| {
        let history = history(&run);
        history.checkpoints.len() > history.epochs.len() + saved
    });
    terminal.keys(&["n"]);
    terminal.sees(&["Stop now?"]);
    terminal.keys(&["Escape"]);
    terminal.sees(&["Overview"]);
    assert!(events::is_locked(&run));
    terminal.keys(&["n"]);
    terminal.sees(&["Stop now?"]);
    terminal.keys(&["y"]);
    terminal.sees(&["■ stopped", "stopped; resume it with: ", "--resume "]);
    terminal.keys(&["?"]);
    let help = terminal.sees(&["this page"]);
    assert!(!help.contains("save a checkpoint now"), "{help}");
    // Together, the two keys could be taken for Alt-q.
    terminal.keys(&["Escape"]);
    terminal.waits("no help", |screen| !screen.contains("this page"));
    terminal.keys(&["q"]);
    terminal.is_restored();
    assert!(output().contains("everything is saved"), "{}", output());
    assert_eq!(history(&run).state(false), State::Stopped);
}

/// Whichever of the two processes is told to end, both end, and the run is saved.
#[test]
#[ignore = "needs tmux"]
fn either_process_handles_termination() {
    for (name, of_trainer) in [("launcher", false), ("trainer", true)] {
        let folder = tempfile::tempdir().unwrap();
        let (terminal, run) = begin(folder.path(), name);
        let launcher = terminal.child_of_shell();
        let trainer = child(&launcher);
        assert!(!trainer.is_empty(), "there are two processes");
        kill("-TERM", if of_trainer { &trainer } else { &launcher });
        terminal.sees(&["everything is saved", "code 130"]);
        terminal.is_restored();
        assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);
    }
}

/// A trainer that is killed leaves a usable terminal; a launcher that is killed leaves no run behind.
#[test]
#[ignore = "needs tmux"]
fn either_process_may_be_killed() {
    for (name, of_trainer) in [("kill-launcher", false), ("kill-trainer", true)] {
        let folder = tempfile::tempdir().unwrap();
        let (terminal, run) = begin(folder.path(), name);
        let launcher = terminal.child_of_shell();
        match of_trainer {
            true => kill("-KILL", &child(&launcher)),
            false => kill("-KILL", &launcher),
        }
        terminal.sees(&["code 137"]);
        terminal.waits("the end of the run", |_| !events::is_locked(&run));
        match of_trainer {
            true => {
                terminal.sees(&["error: signal 9 ended the process that trains"]);
                terminal.is_restored();
                assert_eq!(history(&run).state(false), State::Crashed);
            }
            false => assert_eq!(history(&run).state(false), State::Stopped),
        }
    }
}

#[test]
#[ignore = "needs tmux"]
fn dumb_terminal_gets_lines() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "--epochs 2 --stem imagenet --batch-size 64 --name";
    let terminal = Terminal::new(folder.path(), "dumb");
    terminal.resize(80, 40);
    for (index, variable) in ["TERM=dumb", "-u TERM", "TERM=unknown"].iter().enumerate() {
        terminal.run("clear");
        let train = program(&format!("{arguments} run{index}"));
        terminal.run(&format!("env {variable} {train}"));
        let screen = terminal.sees(&["epoch 2/2  train ", "test accuracy", "code 0"]);
        assert!(!screen.contains("Overview"), "{screen}");
        terminal.run("clear");
        let watch = program(&format!("watch run{index}"));
        terminal.run(&format!("env {variable} {watch}"));
        let screen = terminal.sees(&["epoch 1/2  train ", "epoch 2/2", "test accuracy", "code 0"]);
        assert!(!screen.contains("Overview"), "{screen}");
    }
    // In the background, it may not change the terminal.
    terminal.run("clear");
    terminal.run(&format!(
        "{} {arguments} back & wait",
        env!("CARGO_BIN_EXE_train")
    ));
    let screen = terminal.sees(&["epoch 2/2  train ", "test accuracy"]);
    assert!(!screen.contains("Overview"), "{screen}");
}

/// The shell's job control: both processes stop and go on together.
#[test]
#[ignore = "needs tmux"]
fn run_works_as_shell_job() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::new(folder.path(), "job");
    terminal.run("exec env PS1='$ ' bash --norc");
    terminal.run(&program(LONG));
    terminal.sees(&["Overview", "epoch", "images/s"]);
    let run = folder.path().join("runs/mine");
    let group = format!("-{}", terminal.child_of_shell());
    kill("-STOP", &group);
    terminal.sees(&["Stopped"]);
    let steps = history(&run).step();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(
        history(&run).step(),
        steps,
        "it goes on while it is stopped"
    );
    terminal.run("fg");
    terminal.waits("more steps", |_| history(&run).step() > steps + 10);
    kill("-TERM", &group);
    terminal.sees(&["everything is saved"]);
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);
}

#[test]
#[ignore = "needs tmux"]
fn every_exit_restores_terminal_and_saves() {
    // What to press or send, and what is seen before; then the program ends by itself.
    type Way = fn(&Terminal);
    let ways: [(&str, Way); 7] = [
        ("stop-now", |terminal| {
            terminal.keys(&["n"]);
            terminal.sees(&["Stop now?"]);
            terminal.keys(&["y"]);
        }),
        ("after-epoch", |terminal| terminal.keys(&["e"])),
        ("control-c", |terminal| terminal.keys(&["C-c"])),
        ("terminate", |terminal| signal(terminal, "TERM")),
        ("interrupt", |terminal| signal(terminal, "INT")),
        ("hang-up", |terminal| signal(terminal, "HUP")),
        ("terminate-twice", |terminal| {
            signal(terminal, "TERM");
            // The program may have ended before this one.
            try_signal(terminal, "TERM");
        }),
    ];
    for (name, leave) in ways {
        let folder = tempfile::tempdir().unwrap();
        let (terminal, run) = begin(folder.path(), name);
        leave(&terminal);
        terminal.waits(name, |screen| {
            screen.contains("code 130") && !screen.contains("Overview")
        });
        terminal.is_restored();
        assert!(!events::is_locked(&run));
        if name != "terminate-twice" {
            assert_eq!(history(&run).state(false), State::Stopped, "{name}");
            let arguments = ["--resume", "mine", "--epochs", "1"];
            let begun = history(&run).epochs.len();
            if begun == 0 {
                succeeds(train(&folder.path().join("runs")).args(arguments));
                assert_eq!(history(&run).state(false), State::Finished, "{name}");
            }
        }
    }
}

#[test]
#[ignore = "needs tmux"]
fn detached_run_outlives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    // By which it is found again.
    let seed = format!("--seed {}", 1_000_000_000 + u64::from(std::process::id()));
    let (terminal, run) = begin_with(folder.path(), "detached", &format!("{LONG} {seed}"));
    terminal.keys(&["d"]);
    terminal.sees(&["training continues in the background", " watch ", "code 0"]);
    drop(terminal); // which hangs up
    let goes_on_to = |epoch: usize| {
        let started = Instant::now();
        while history(&run).epochs.len() < epoch {
            assert!(started.elapsed() < WAIT, "no epoch {epoch}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    goes_on_to(history(&run).epochs.len() + 2);
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Running);

    let watching = Terminal::new(folder.path(), "outlived");
    watching.run(&program("watch"));
    watching.sees(&["mine", "running"]);
    let stopped = Command::new("pkill")
        .args(["-TERM", "-f", "--", &seed])
        .status();
    assert!(stopped.is_ok_and(|status| status.success()));
    watching.sees(&["stopped"]);
    assert_eq!(history(&run).state(events::is_locked(&run)), State::Stopped);
}

#[test]
#[ignore = "needs tmux"]
fn run_table_fits_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/mine");
    std::fs::create_dir_all(&run).unwrap();
    let started = Event::Started(Box::new(Started {
        data: "fashion-mnist".to_owned(),
        model: "resnet14".to_owned(),
        device: "flex (CPU, 2 threads)".to_owned(),
        at: "2026-11-22T12:52:07+01:00".to_owned(),
        epochs: 26,
        ..Started::default()
    }));
    let line = serde_json::to_string(&started).unwrap() + "\n";
    std::fs::write(run.join(FILE), line).unwrap();
    for (width, is_whole) in [(80, false), (200, true)] {
        let terminal = Terminal::new(folder.path(), &format!("runs-{width}"));
        terminal.resize(width, 24);
        terminal.run(&program("runs"));
        let screen = terminal.waits("a table", |screen| screen.contains("\ncode 0"));
        let lines: Vec<&str> = screen.lines().collect();
        let names = lines.iter().position(|line| line.contains("name  state"));
        let names = names.unwrap_or_else(|| panic!("{screen}"));
        assert_eq!(lines[names].contains("device"), is_whole, "{screen}");
        assert!(lines[names + 1].starts_with("mine  crashed"), "{screen}");
        assert!(lines[names + 2].starts_with("code 0"), "{screen}");
    }
}

/// The process that another one started; empty where there is none.
fn child(parent: &str) -> String {
    let found = Command::new("pgrep").args(["-P", parent]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

fn kill(signal: &str, process: &str) {
    let kill = Command::new("kill").args([signal, "--", process]).status();
    assert!(kill.is_ok_and(|status| status.success()));
}

fn signal(terminal: &Terminal, signal: &str) {
    assert!(try_signal(terminal, signal));
}

/// Sends a signal to the program; whether there was one to send it to.
fn try_signal(terminal: &Terminal, signal: &str) -> bool {
    let status = Command::new("pkill")
        .args([&format!("-{signal}"), "-P", &terminal.shell()])
        .status();
    status.is_ok_and(|status| status.success())
}
