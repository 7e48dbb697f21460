//! One question to a mirror, on a thread of its own: whoever waits for the answer can stop at any
//! time, and hashes and writes while the next bytes arrive.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use ureq::Agent;
use ureq::http::header;

use crate::answer::Head;
use crate::client;
use crate::error::{DownloadError, Problem};
use crate::progress::TICK;

/// Most bytes of a [`Event::Bytes`].
const BLOCK: usize = 1 << 16;

/// How many events may wait for being taken; the mirror waits meanwhile.
const EVENTS: usize = 16;

/// What happens on the line.
pub(crate) enum Event {
    /// The mirror answers; comes first.
    Head(Head),
    /// The next bytes of the body.
    Bytes(Vec<u8>),
    /// The body has ended, and it had as many bytes as its head said, if it did.
    End,
    /// No answer, or no more of it.
    Failed(Problem),
}

/// A question that was sent. Dropped, it closes the connection.
pub(crate) struct Transfer {
    agent: Agent,
    events: Receiver<Event>,
}

impl Transfer {
    /// Asks for the bytes from `offset` on. If the file is no longer in the state that `validator`
    /// stands for, the mirror gives the whole.
    pub(crate) fn start(
        agent: Agent,
        url: &str,
        offset: u64,
        validator: Option<&str>,
    ) -> Result<Self, DownloadError> {
        let mut request = agent.get(url);
        if offset > 0 {
            request = request.header(header::RANGE, format!("bytes={offset}-"));
            if let Some(validator) = validator {
                request = request.header(header::IF_RANGE, validator);
            }
        }
        let (sender, events) = sync_channel(EVENTS);
        thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || {
                // Who does not want to know any more has hung up.
                let _ = run(request, &sender);
            })
            .map_err(|source| DownloadError::System { source })?;
        Ok(Self { agent, events })
    }

    /// What happens next, or `None` if nothing happens for a moment.
    pub(crate) fn next(&self) -> Option<Event> {
        match self.events.recv_timeout(TICK) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Failed(Problem::Connection {
                reason: "the thread of the connection ended".to_owned(),
            })),
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        // Ends what the thread is waiting for.
        self.agent.clone().shutdown();
    }
}

type Request = ureq::RequestBuilder<ureq::typestate::WithoutBody>;

/// Tells all that happens, unless nobody listens any more.
fn run(
    request: Request,
    events: &SyncSender<Event>,
) -> Result<(), std::sync::mpsc::SendError<Event>> {
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => return events.send(Event::Failed(client::problem(error))),
    };
    let (parts, mut body) = response.into_parts();
    let length = body.content_length();
    let head = client::head(parts.status.as_u16(), length, &parts.headers);
    events.send(Event::Head(head))?;

    let mut reader = body.as_reader();
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return events.send(Event::End),
            Ok(count) => events.send(Event::Bytes(block[..count].to_vec()))?,
            Err(error) => {
                let problem = client::problem(ureq::Error::from(error));
                return events.send(Event::Failed(problem));
            }
        }
    }
}
