//! The runs that are shown, updated as their files grow.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use events::{Alert, Follower, History, alerts, is_locked};

use crate::mode::Source;
use crate::session::DashboardError;

/// The current state of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Display name.
    pub name: &'a str,
    /// Its history.
    pub history: &'a History,
    /// Its alerts.
    pub alerts: &'a [Alert],
    /// Whether a program is training it.
    pub is_running: bool,
    /// Seconds since its last event.
    pub idle: f64,
    /// Fraction of its file that is read, 0 to 1, during the first read.
    pub loading: Option<f64>,
    /// Why its file cannot be read, if so.
    pub problem: Option<&'a str>,
    /// The command line that resumes it.
    pub resume: Option<&'a str>,
}

/// Runs and their sources.
#[derive(Debug)]
pub(crate) struct Runs {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    reader: Reader,
    alerts: Vec<Alert>,
    is_running: bool,
    /// Time of the last event.
    heard: Instant,
    /// Whole seconds since then, as last drawn.
    idle: u64,
    problem: Option<String>,
}

#[derive(Debug)]
enum Reader {
    /// A file may be large, so it is first read in the background to keep the screen responsive.
    Loading(Loading),
    Ready(Follower),
}

#[derive(Debug)]
struct Loading {
    thread: JoinHandle<(Follower, io::Result<bool>)>,
    /// Thousandths of the file that are read.
    share: Arc<AtomicU32>,
    /// Shown in the meantime.
    empty: History,
}

impl Loading {
    fn begin(source: &Source) -> Result<Self, DashboardError> {
        let share = Arc::new(AtomicU32::new(0));
        let mut follower = Follower::open(&source.folder);
        let told = Arc::clone(&share);
        let thread = std::thread::Builder::new()
            .name("dashboard reader".to_owned())
            .spawn(move || {
                let mut tell = |share: f64| told.store((share * 1000.0) as u32, Ordering::Relaxed);
                let result = follower.poll_with(&mut tell);
                (follower, result)
            })
            .map_err(DashboardError::Thread)?;
        Ok(Self {
            thread,
            share,
            empty: History::default(),
        })
    }
}

impl Runs {
    pub(crate) fn open(sources: Vec<Source>) -> Result<Self, DashboardError> {
        let entries = sources.into_iter().map(|source| {
            Ok(Entry {
                reader: Reader::Loading(Loading::begin(&source)?),
                alerts: Vec::new(),
                is_running: is_locked(&source.folder),
                heard: Instant::now(),
                idle: 0,
                problem: None,
                source,
            })
        });
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// Checks for updates; returns whether there are any, or whether a displayed time changed.
    pub(crate) fn poll(&mut self) -> bool {
        let mut is_new = false;
        for entry in &mut self.entries {
            is_new |= entry.poll();
        }
        is_new
    }

    pub(crate) fn views(&self) -> Vec<Run<'_>> {
        self.entries.iter().map(Entry::view).collect()
    }
}

impl Entry {
    fn poll(&mut self) -> bool {
        let was_running = self.is_running;
        self.is_running = is_locked(&self.source.folder);
        let is_new = match &mut self.reader {
            Reader::Loading(loading) if !loading.thread.is_finished() => return true,
            Reader::Loading(_) => self.finish_loading(),
            Reader::Ready(follower) => {
                let result = follower.poll();
                self.take(result)
            }
        };
        let idle = self.heard.elapsed().as_secs();
        let has_clock_moved = self.is_running && idle != self.idle;
        self.idle = idle;
        is_new || has_clock_moved || was_running != self.is_running
    }

    fn finish_loading(&mut self) -> bool {
        let empty = Reader::Ready(Follower::open(&self.source.folder));
        if let Reader::Loading(loading) = std::mem::replace(&mut self.reader, empty)
            && let Ok((follower, result)) = loading.thread.join()
        {
            self.reader = Reader::Ready(follower);
            self.take(result);
        }
        true
    }

    fn take(&mut self, result: io::Result<bool>) -> bool {
        let problem = result.as_ref().err().map(ToString::to_string);
        let is_new_problem = problem != self.problem;
        self.problem = problem;
        let is_new = result.unwrap_or(false);
        if is_new && let Reader::Ready(follower) = &self.reader {
            self.alerts = alerts(follower.history());
            self.heard = Instant::now();
        }
        is_new || is_new_problem
    }

    fn view(&self) -> Run<'_> {
        let (history, loading) = match &self.reader {
            Reader::Loading(loading) => {
                let share = f64::from(loading.share.load(Ordering::Relaxed)) / 1000.0;
                (&loading.empty, Some(share))
            }
            Reader::Ready(follower) => (follower.history(), None),
        };
        Run {
            name: &self.source.name,
            history,
            alerts: &self.alerts,
            is_running: self.is_running,
            idle: self.heard.elapsed().as_secs_f64(),
            loading,
            problem: self.problem.as_deref(),
            resume: self.source.resume.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Event, FILE, Lock, Metrics, Step, Writer};
    use std::path::Path;
    use std::time::Duration;

    fn open(folder: &Path) -> Runs {
        let source = Source {
            name: "run".to_owned(),
            folder: folder.to_owned(),
            resume: None,
        };
        let mut runs = Runs::open(vec![source]).unwrap();
        while runs.views()[0].loading.is_some() {
            runs.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
        runs
    }

    fn step(step: usize) -> Event {
        Event::Step(Step {
            seconds: step as f64,
            epoch: 1,
            step,
            metrics: Metrics::from_iter([("loss", 1.0)]),
        })
    }

    #[test]
    fn runs_are_followed_before_they_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = open(folder.path());
        assert!(!runs.poll(), "there is no file yet");
        let lock = Lock::take(folder.path()).unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(step(1));
        writer.close().unwrap();
        assert!(runs.poll());
        assert!(runs.views()[0].is_running);
        assert_eq!(runs.views()[0].history.step(), 1);
        drop(lock);
        assert!(runs.poll(), "it does not run any more");
        assert!(!runs.views()[0].is_running);
        assert!(!runs.poll());
    }

    #[test]
    fn unreadable_file_is_reported_as_problem() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FILE)).unwrap();
        let mut runs = open(folder.path());
        // Operating systems differ in when they report that it is a folder.
        runs.poll();
        assert_eq!(runs.views()[0].history.step(), 0);
        std::fs::remove_dir(folder.path().join(FILE)).unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(step(1));
        writer.close().unwrap();
        runs.poll();
        assert_eq!(runs.views()[0].problem, None);
        assert_eq!(runs.views()[0].history.step(), 1);
    }
}
