//! Writes events to the file.

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

/// Time that an event may wait to be written together with others.
const WAIT: Duration = Duration::from_millis(200);
/// Number of bytes that are written without waiting.
const FULL: usize = 1 << 16;

/// Appends events to the file of a run on its own thread. Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Writer {
    sender: Sender<Order>,
    thread: Arc<Mutex<Option<Thread>>>,
}

type Thread = JoinHandle<Result<(), WriteError>>;

#[derive(Debug)]
enum Order {
    Write(Box<Event>),
    /// Signals when everything sent before is in the file.
    Flush(SyncSender<()>),
    Echo(Echo),
    Close,
}

/// A second target for the lines of the file.
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
    /// The I/O error.
    #[source]
    pub source: io::Error,
}

impl Writer {
    /// Opens the file in a run's folder, or creates it. Removes a last line that a crash cut off.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, WriteError> {
        Self::open_with(folder, || {})
    }

    /// Like [`open`](Self::open), with a callback for the first failed write. Later events are
    /// dropped, and [`flush`](Self::flush) or [`close`](Self::close) returns the error.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open_with(
        folder: &Path,
        failed: impl FnOnce() + Send + 'static,
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
                    if result.is_err() {
                        failed();
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

    /// Queues an event for writing. The start or resumption of a run removes discarded events from
    /// the file.
    pub fn send(&self, event: Event) {
        // A thread that has ended returned why.
        let _ = self.sender.send(Order::Write(Box::new(event)));
    }

    /// Also writes all following lines to another target, until that fails.
    pub fn echo(&self, target: Box<dyn io::Write + Send>) {
        let _ = self.sender.send(Order::Echo(Echo(target)));
    }

    /// Waits until everything sent so far is in the file.
    ///
    /// # Errors
    ///
    /// If an event could not be written, now or before, and the error was not returned yet.
    pub fn flush(&self) -> Result<(), WriteError> {
        let (sender, written) = sync_channel(1);
        let is_written = self.sender.send(Order::Flush(sender)).is_ok() && written.recv().is_ok();
        match is_written {
            true => Ok(()),
            false => self.close(), // the thread has ended
        }
    }

    /// Writes the remaining events and stops the thread.
    ///
    /// # Errors
    ///
    /// If an event could not be written, now or before, and the error was not returned yet.
    pub fn close(&self) -> Result<(), WriteError> {
        let _ = self.sender.send(Order::Close);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // Already closed, or the thread panicked and reported it.
            _ => Ok(()),
        }
    }
}

/// Target of the lines.
struct Target<'a> {
    path: &'a Path,
    file: File,
    /// Lines that are not yet written.
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
                // The waiting thread may be gone.
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
                // The name no longer refers to the open file.
                self.file = open(self.path)?;
            }
        }
        serde_json::to_writer(&mut self.buffer, event)?;
        self.buffer.push(b'\n');
        Ok(())
    }

    /// Writes the buffered lines.
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

/// Opens the file, creating it if necessary, for writing after its last complete line.
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

/// Moves the file's position after its last complete line, and removes everything after it.
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
