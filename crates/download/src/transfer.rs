//! A request to a mirror on its own thread, so that the receiver can stop at any time, and hashes
//! and writes while the next bytes arrive.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use ureq::Agent;
use ureq::http::header;

use crate::answer::Head;
use crate::client;
use crate::error::{DownloadError, Problem};
use crate::progress::TICK;

/// Maximum number of bytes in an [`Event::Bytes`].
const BLOCK: usize = 1 << 16;

/// Maximum number of pending events; the transfer pauses at this limit.
const EVENTS: usize = 16;

/// An event of a transfer.
pub(crate) enum Event {
    /// Head of the response; comes first.
    Head(Head),
    /// Next bytes of the body.
    Bytes(Vec<u8>),
    /// End of the body; its length matched the response head, if reported there.
    End,
    /// The response is missing or incomplete.
    Failed(Problem),
}

/// A request that was sent. Dropping it closes the connection.
pub(crate) struct Transfer {
    agent: Agent,
    events: Receiver<Event>,
}

impl Transfer {
    /// Requests the bytes from `offset`. If the file has changed since `validator`, the mirror
    /// returns the whole file.
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
                // An error means that the receiver has been dropped.
                let _ = run(request, &sender);
            })
            .map_err(|source| DownloadError::System { source })?;
        Ok(Self { agent, events })
    }

    /// Returns the next event, or `None` if there is none for a moment.
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
        // Ends any blocking call in the thread.
        self.agent.clone().shutdown();
    }
}

type Request = ureq::RequestBuilder<ureq::typestate::WithoutBody>;

/// Sends all events until the receiver is dropped.
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
