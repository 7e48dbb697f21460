//! Events into the file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::event::{Event, Resumed};
use crate::follower::FILE;
use crate::rewind::rewind;

/// How long an event waits for others before all are written.
const WAIT: Duration = Duration::from_millis(200);
/// More bytes than this do not wait.
const FULL: usize = 1 << 16;

/// Appends events to the file of a run, on a thread of its own. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Writer {
    sender: Sender<Order>,
    thread: Arc<Mutex<Option<Thread>>>,
}

type Thread = JoinHandle<Result<(), WriteError>>;

#[derive(Debug)]
enum Order {
    Write(Box<Event>),
    /// And tell when all before is in the file.
    Flush(SyncSender<()>),
    Echo(Echo),
    Close,
}

/// Whoever gets the same lines as the file.
struct Echo(Box<dyn io::Write + Send>);

impl fmt::Debug for Echo {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Echo")
    }
}

/// The file cannot be written.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Writer {
    /// Opens the file in a run's folder, or makes it. A last line that was cut off by a crash is removed.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, WriteError> {
        Self::open_with(folder, |_| {})
    }

    /// The same, with someone to tell as soon as writing fails; events after that are dropped.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open_with(
        folder: &Path,
        failed: impl FnOnce(&WriteError) + Send + 'static,
    ) -> Result<Self, WriteError> {
        let path = folder.join(FILE);
        let wrap = |source| WriteError {
            path: path.clone(),
            source,
        };
        let file = open(&path).map_err(wrap)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("events".to_owned())
            .spawn({
                let path = path.clone();
                move || {
                    let mut target = Target {
                        path: &path,
                        file,
                        buffer: Vec::new(),
                        echo: None,
                    };
                    let result = target.write_all(&receiver);
                    let result = result.map_err(|source| WriteError { path, source });
                    if let Err(error) = &result {
                        failed(error);
                    }
                    result
                }
            })
            .map_err(wrap)?;
        Ok(Self {
            sender,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Has an event written, soon. That a run begins or goes on takes what does not count any more out
    /// of the file.
    pub fn send(&self, event: Event) {
        // Where the thread has ended, it said why.
        let _ = self.sender.send(Order::Write(Box::new(event)));
    }

    /// Has the lines from now on written to another place too, as long as that takes them.
    pub fn echo(&self, target: Box<dyn io::Write + Send>) {
        let _ = self.sender.send(Order::Echo(Echo(target)));
    }

    /// Waits until all that was sent is in the file, or cannot get there.
    pub fn flush(&self) {
        let (sender, written) = sync_channel(1);
        if self.sender.send(Order::Flush(sender)).is_ok() {
            let _ = written.recv();
        }
    }

    /// Writes what is left, and ends.
    ///
    /// # Errors
    ///
    /// If something could not be written, now or before.
    pub fn close(&self) -> Result<(), WriteError> {
        let _ = self.sender.send(Order::Close);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // Closed before; a thread that panicked has said so.
            _ => Ok(()),
        }
    }
}

/// What lines go to.
struct Target<'a> {
    path: &'a Path,
    file: File,
    /// Lines that wait.
    buffer: Vec<u8>,
    echo: Option<Echo>,
}

impl Target<'_> {
    fn write_all(&mut self, receiver: &Receiver<Order>) -> io::Result<()> {
        let mut due: Option<Instant> = None;
        loop {
            let order = match due {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let mut waiting = None;
            let closed = match order {
                Ok(Order::Echo(target)) => {
                    self.echo = Some(target);
                    false
                }
                Ok(Order::Flush(sender)) => {
                    waiting = Some(sender);
                    false
                }
                Ok(Order::Write(event)) => {
                    self.push(&event)?;
                    due.get_or_insert_with(|| Instant::now() + WAIT);
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => true,
            };
            let is_due = due.is_some_and(|due| due <= Instant::now());
            if closed || is_due || waiting.is_some() || self.buffer.len() >= FULL {
                self.empty()?;
                due = None;
            }
            if let Some(waiting) = waiting {
                // Whoever waited may be gone.
                let _ = waiting.send(());
            }
            if closed {
                return self.file.flush();
            }
        }
    }

    fn push(&mut self, event: &Event) -> io::Result<()> {
        let place = match event {
            Event::Started(_) => Some(&Resumed::default()),
            Event::Resumed(resumed) => Some(resumed),
            _ => None,
        };
        if let Some(place) = place {
            self.empty()?;
            if self.file.stream_position()? > 0 {
                rewind(self.path, place)?;
                // The file that was open is not the one of that name any more.
                self.file = open(self.path)?;
            }
        }
        serde_json::to_writer(&mut self.buffer, event)?;
        self.buffer.push(b'\n');
        Ok(())
    }

    /// Writes the lines that wait.
    fn empty(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        if let Some(Echo(target)) = &mut self.echo {
            let taken = target.write_all(&self.buffer).and_then(|()| target.flush());
            if taken.is_err() {
                self.echo = None;
            }
        }
        self.buffer.clear();
        Ok(())
    }
}

/// The file, made where there is none, to write to behind its last whole line.
fn open(path: &Path) -> io::Result<File> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)?;
    remove_cut_line(&mut file)?;
    Ok(file)
}

/// Leaves the file's position behind its last whole line, and nothing after it.
fn remove_cut_line(file: &mut File) -> io::Result<()> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0; 4096];
    while end > 0 {
        let length = end.min(block.len() as u64);
        file.seek(SeekFrom::Start(end - length))?;
        let part = &mut block[..length as usize];
        file.read_exact(part)?;
        if let Some(newline) = part.iter().rposition(|&byte| byte == b'\n') {
            end = end - length + newline as u64 + 1;
            break;
        }
        end -= length;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Level, Message, Step};
    use crate::follower::Follower;
    use crate::metrics::Metrics;

    fn message(text: &str) -> Event {
        Event::Message(Message {
            seconds: 1.0,
            level: Level::Info,
            text: text.to_owned(),
        })
    }

    fn text(folder: &Path) -> String {
        std::fs::read_to_string(folder.join(FILE)).unwrap()
    }

    #[test]
    fn events_are_readable_soon_and_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        writer.send(message("first"));
        let mut rounds = 0;
        while text(folder.path()).is_empty() {
            std::thread::sleep(Duration::from_millis(10));
            rounds += 1;
            assert!(rounds < 6000, "nothing was written");
        }
        writer.clone().send(message("second"));
        writer.close().unwrap();
        writer.close().unwrap();

        let writer = Writer::open(folder.path()).unwrap();
        writer.send(message("third"));
        writer.flush();
        assert_eq!(text(folder.path()).lines().count(), 3);
        writer.close().unwrap();
        writer.flush();
        let text = text(folder.path());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].contains("third"));
    }

    #[test]
    fn a_run_that_goes_on_repeats_no_step() {
        let step = |step| {
            Event::Step(Step {
                seconds: 0.5,
                epoch: 1,
                step,
                metrics: Metrics::default(),
            })
        };
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path()).unwrap();
        let mut follower = Follower::open(folder.path());
        for number in 1..=5 {
            writer.send(step(number));
        }
        writer.flush();
        follower.poll().unwrap();
        assert_eq!(follower.history().step(), 5);
        writer.send(Event::Resumed(Resumed {
            step: 3,
            ..Resumed::default()
        }));
        // As many bytes as before or more do not hide from a reader that the file is another one.
        for number in 4..=9 {
            writer.send(step(number));
        }
        writer.close().unwrap();
        let text = text(folder.path());
        for number in 1..=9 {
            let name = format!("\"step\":{number}}}");
            assert_eq!(text.matches(&name).count(), 1, "{text}");
        }
        follower.poll().unwrap();
        assert!((1..=9).eq(follower.history().steps.steps().iter().copied()));
        assert_eq!(follower.history().sittings.len(), 1);
    }

    #[test]
    fn a_run_that_begins_again_begins_with_an_empty_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut before = 0;
        for sitting in 0..3 {
            let writer = Writer::open(folder.path()).unwrap();
            writer.send(Event::Started(Box::default()));
            writer.send(Event::Step(Step {
                seconds: 0.5,
                epoch: 1,
                step: 1,
                metrics: Metrics::default(),
            }));
            writer.close().unwrap();
            let length = text(folder.path()).len();
            assert!(sitting == 0 || length == before);
            before = length;
        }
    }

    #[test]
    fn an_echo_is_the_same_and_may_go_away() {
        /// Takes so many bytes.
        #[derive(Clone)]
        struct Target(Arc<Mutex<Vec<u8>>>, usize);
        impl io::Write for Target {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let mut taken = self.0.lock().unwrap();
                if taken.len() >= self.1 {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                taken.extend(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (limit, echoed) in [(usize::MAX, 2), (1, 1)] {
            let folder = tempfile::tempdir().unwrap();
            let writer = Writer::open(folder.path()).unwrap();
            writer.send(message("before"));
            writer.flush();
            let target = Target(Arc::default(), limit);
            writer.echo(Box::new(target.clone()));
            for text in ["first", "second"] {
                writer.send(message(text));
                writer.flush();
            }
            writer.close().unwrap();
            let file = text(folder.path());
            assert_eq!(file.lines().count(), 3);
            let echo = String::from_utf8(target.0.lock().unwrap().clone()).unwrap();
            let expected: Vec<&str> = file.lines().skip(1).take(echoed).collect();
            assert_eq!(echo.lines().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(10_000);
        for (before, kept) in [
            ("", 0),
            ("{\"event\":", 0),
            ("{}\n{\"ev", 1),
            ("{}\n{}\n", 2),
            (&format!("{{}}\n{long}"), 1),
            (&long, 0),
        ] {
            std::fs::write(folder.path().join(FILE), before).unwrap();
            let writer = Writer::open(folder.path()).unwrap();
            writer.send(message("new"));
            writer.close().unwrap();
            let text = text(folder.path());
            assert_eq!(text.lines().count(), kept + 1, "{before}");
            assert!(text.lines().last().unwrap().contains("new"));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join(FILE)).unwrap();
        let (sender, told) = channel();
        let opened = Writer::open_with(folder.path(), move |error| {
            sender.send(error.to_string()).unwrap();
        });
        // Some systems refuse to shorten the device; that is an error on opening.
        let Ok(writer) = opened else {
            return;
        };
        writer.send(message("lost"));
        assert!(told.recv().unwrap().contains(FILE));
        assert!(writer.close().is_err());
    }
}
