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
mod tests;
