//! Reads an event file into a history as the file grows.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::history::History;
use crate::parse::{Wanted, parse};

/// Name of the event file in a run's folder.
pub const FILE: &str = "events.jsonl";

/// Number of bytes read and parsed at once.
const BLOCK: usize = 1 << 26;

/// Number of bytes that identify a file; the line of a step is longer and contains its time.
const TAIL: usize = 64;

/// Reads the events of a run, including those added later.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// Number of bytes read and parsed.
    done: u64,
    /// The last of those bytes.
    tail: Vec<u8>,
    block: usize,
    /// Whether reading is inside a line longer than a block.
    skipping: bool,
    wanted: Wanted,
    history: History,
}

impl Follower {
    /// Creates a follower of a run's folder. Reads nothing yet; the file need not exist.
    pub fn open(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE),
            done: 0,
            tail: Vec::new(),
            block: BLOCK,
            skipping: false,
            wanted: Wanted::All,
            history: History::default(),
        }
    }

    /// Like [`open`](Self::open), for the results of a run, and many times faster for long runs: of
    /// consecutive steps, the history may contain only the last.
    pub fn skim(folder: &Path) -> Self {
        Self {
            wanted: Wanted::Last,
            ..Self::open(folder)
        }
    }

    /// Returns the events read so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Consumes the follower and returns its history.
    pub fn into_history(self) -> History {
        self.history
    }

    /// Reads what was added since the last call, and returns whether anything was. An incomplete
    /// line is left for later. A file that was replaced, as when a run continues from a checkpoint,
    /// is read from the start.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be read.
    pub fn poll(&mut self) -> io::Result<bool> {
        self.poll_with(&mut |_| {})
    }

    /// Like [`poll`](Self::poll), and reports the fraction read, 0 to 1, after every 64 MB.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be read.
    pub fn poll_with(&mut self, progress: &mut dyn FnMut(f64)) -> io::Result<bool> {
        let mut file = match files::open_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let length = file.metadata()?.len();
        if !self.is_the_same(&mut file, length)? {
            self.done = 0;
            self.tail.clear();
            self.skipping = false;
            self.history = History::default();
        }
        let before = self.done;
        let mut buffer = Vec::new();
        while self.done < length {
            file.seek(SeekFrom::Start(self.done))?;
            buffer.clear();
            let wanted = (length - self.done).min(self.block as u64);
            (&mut file).take(wanted).read_to_end(&mut buffer)?;
            let taken = self.take(&buffer);
            if taken == 0 {
                break;
            }
            self.done += taken as u64;
            let end = &buffer[..taken];
            self.tail = end[end.len().saturating_sub(TAIL)..].to_vec();
            progress(self.done as f64 / length as f64);
        }
        Ok(self.done > before)
    }

    /// Returns whether the file still contains what was read so far.
    fn is_the_same(&self, file: &mut File, length: u64) -> io::Result<bool> {
        if length < self.done {
            return Ok(false);
        }
        let mut tail = vec![0; self.tail.len()];
        file.seek(SeekFrom::Start(self.done - tail.len() as u64))?;
        file.read_exact(&mut tail)?;
        Ok(tail == self.tail)
    }

    /// Parses the complete lines of a block; returns their number of bytes.
    fn take(&mut self, mut block: &[u8]) -> usize {
        let mut taken = 0;
        if self.skipping {
            taken = match memchr::memchr(b'\n', block) {
                Some(newline) => {
                    self.skipping = false;
                    newline + 1
                }
                None => block.len(),
            };
            block = &block[taken..];
        }
        let whole = match memchr::memrchr(b'\n', block) {
            Some(newline) => newline + 1,
            None if block.len() >= self.block => {
                self.history.damaged += 1;
                self.skipping = true;
                return taken + block.len();
            }
            None => return taken,
        };
        for parsed in parse(&block[..whole], self.wanted) {
            self.history.damaged += parsed.damaged;
            for part in parsed.parts {
                self.history.add(part);
            }
        }
        taken + whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Resumed, Step};
    use crate::metrics::Metrics;
    use std::fmt::Write as _;
    use std::fs;

    fn line(event: &Event) -> String {
        serde_json::to_string(event).unwrap() + "\n"
    }

    fn step(step: usize, loss: f64) -> Event {
        Event::Step(Step {
            seconds: step as f64,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", loss)]),
        })
    }

    #[test]
    fn growing_file_reads_the_same_at_any_byte() {
        let mut text = String::new();
        for number in 1..20 {
            text += &line(&step(number, 1.0 / number as f64));
        }
        text += &line(&Event::Resumed(Resumed {
            at: String::new(),
            seconds: 9.0,
            step: 9,
            epochs_done: 0,
            command: vec![],
            folder: None,
            device: String::new(),
            ..Resumed::default()
        }));
        text += &line(&step(10, 7.0));
        text += "\u{1b}]0;x\u{7}\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for growth in [1, 7, 64, 1 << 20] {
            fs::write(&path, "").unwrap();
            let mut follower = Follower::open(folder.path());
            assert!(!follower.poll().unwrap());
            for end in (0..text.len()).step_by(growth).chain([text.len()]) {
                fs::write(&path, &text[..end]).unwrap();
                follower.poll().unwrap();
            }
            let history = follower.history();
            assert_eq!(history.steps.steps(), (1..=10).collect::<Vec<_>>());
            assert_eq!(history.steps.figures("loss").unwrap()[9], 7.0);
            assert_eq!(history.damaged, 1);
        }
    }

    #[test]
    fn skimmed_run_has_last_step() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (1..=9).map(|number| line(&step(number, 1.0))).collect();
        fs::write(folder.path().join(FILE), text).unwrap();
        let mut follower = Follower::skim(folder.path());
        assert!(follower.poll().unwrap());
        assert_eq!(follower.history().steps.steps(), [9]);
        assert_eq!(follower.history().seconds(), 9.0);
    }

    #[test]
    fn replaced_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut follower = Follower::open(folder.path());
        fs::write(&path, line(&step(1, 1.0)) + &line(&step(2, 2.0))).unwrap();
        assert!(follower.poll().unwrap());
        assert!(!follower.poll().unwrap());
        fs::write(&path, line(&step(1, 3.0))).unwrap();
        assert!(follower.poll().unwrap());
        assert_eq!(follower.history().steps.figures("loss"), Some(&[3.0][..]));
    }

    #[test]
    fn small_blocks_and_long_lines_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = line(&step(1, 1.0));
        writeln!(text, "{}", "x".repeat(1000)).unwrap();
        text += &line(&step(2, 2.0));
        fs::write(folder.path().join(FILE), &text).unwrap();
        let mut follower = Follower {
            block: 100,
            ..Follower::open(folder.path())
        };
        let mut shares = Vec::new();
        follower.poll_with(&mut |share| shares.push(share)).unwrap();
        assert_eq!(follower.history().steps.steps(), [1, 2]);
        assert_eq!(follower.history().damaged, 1);
        assert_eq!(shares.last(), Some(&1.0));
    }
}
