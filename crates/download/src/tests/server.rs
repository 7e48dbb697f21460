//! HTTP/1.1 server that does what a test needs, including what no server should do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Number of previous requests.
    pub index: usize,
    /// Path, such as `/file`.
    pub path: String,
    /// First requested byte.
    pub range: Option<usize>,
    /// Validator of the requested range.
    pub if_range: Option<String>,
}

/// A response of the server.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    fields: Vec<String>,
    body: Vec<u8>,
    stalls: bool,
}

impl Reply {
    /// Creates a response without a body.
    pub fn status(status: u16) -> Self {
        Self::bare(status, b"").field("Content-Length: 0")
    }

    /// Creates a response whose body ends when the connection closes.
    pub fn bare(status: u16, body: &[u8]) -> Self {
        Self {
            status,
            fields: vec!["Connection: close".to_owned()],
            body: body.to_owned(),
            stalls: false,
        }
    }

    /// Returns the whole file, whatever was requested.
    pub fn whole(file: &[u8]) -> Self {
        Self::bare(200, file).field(&format!("Content-Length: {}", file.len()))
    }

    /// Returns the file like a good server would, with the entity tag `tag`.
    pub fn good(asked: &Asked, file: &[u8], tag: &str) -> Self {
        let changed = asked.if_range.as_ref().is_some_and(|before| before != tag);
        let reply = match asked.range {
            Some(offset) if offset >= file.len() && !changed => {
                Self::status(416).field(&format!("Content-Range: bytes */{}", file.len()))
            }
            Some(offset) if !changed => Self::rest(file, offset),
            _ => Self::whole(file),
        };
        reply.field(&format!("ETag: {tag}"))
    }

    /// Returns the file from a byte offset.
    pub fn rest(file: &[u8], offset: usize) -> Self {
        let (length, last) = (file.len() - offset, file.len() - 1);
        Self::bare(206, &file[offset..])
            .field(&format!("Content-Length: {length}"))
            .field(&format!(
                "Content-Range: bytes {offset}-{last}/{}",
                file.len()
            ))
    }

    /// Adds a header line.
    pub fn field(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    /// Closes the connection after `length` bytes of the body.
    pub fn cut(mut self, length: usize) -> Self {
        self.body.truncate(length);
        self
    }

    /// Stalls after the body and leaves the connection open.
    pub fn stall(mut self) -> Self {
        self.stalls = true;
        self
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    ends: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that responds to every request with `reply`.
    pub fn new(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            ends: Arc::default(),
        };
        let (asked, ends) = (server.asked.clone(), server.ends.clone());
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, reply) = (asked.clone(), reply.clone());
                thread::spawn(move || serve(stream.unwrap(), &asked, &*reply));
            }
        });
        server
    }

    /// Starts a good server of one file.
    pub fn of(file: &[u8]) -> Self {
        Self::with(file, |asked, file| Reply::good(asked, file, "\"1\""))
    }

    /// Starts a server whose `reply` also gets the content of a file.
    pub fn with(
        file: &[u8],
        reply: impl Fn(&Asked, &[u8]) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let file = file.to_owned();
        Self::new(move |asked| reply(asked, &file))
    }

    /// Returns the URL of a file on this server, as a list of mirrors.
    pub fn mirrors(&self) -> Vec<String> {
        vec![self.url("/file")]
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns all requests received so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the first requested byte of each request.
    pub fn ranges(&self) -> Vec<Option<usize>> {
        self.asked().iter().map(|asked| asked.range).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, asked: &Mutex<Vec<Asked>>, reply: &dyn Fn(&Asked) -> Reply) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let field = |name: &str| {
        let field = head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        field.map(str::to_owned)
    };
    let question = {
        let mut asked = asked.lock().unwrap();
        let question = Asked {
            index: asked.len(),
            path: head.split(' ').nth(1).unwrap().to_owned(),
            range: field("range").map(|range| {
                let offset = range.strip_prefix("bytes=").unwrap();
                offset.strip_suffix('-').unwrap().parse().unwrap()
            }),
            if_range: field("if-range"),
        };
        asked.push(question.clone());
        question
    };
    let reply = reply(&question);
    let fields = reply.fields.join("\r\n");
    let head = format!("HTTP/1.1 {} Reason\r\n{fields}\r\n\r\n", reply.status);
    // The client may hang up at any time.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&reply.body);
    if reply.stalls {
        let _ = stream.read(&mut byte);
    }
}
