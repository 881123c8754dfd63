//! A registry for tests that answers as it is told: also with what no sound registry says, over TCP as every other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use delta_core::job::progress::Silent;

use super::access::{Access, Registries, Repository};
use crate::spool::TempScratch;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// The path, with what is behind a `?`.
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// Method and path.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first byte that `Range` asks for, 0 without one.
    pub(super) fn from(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes=")?.split('-').next());
        range.map_or(0, |from| from.parse().unwrap())
    }
}

/// An answer, byte for byte, after which the connection is closed.
pub(super) struct Reply(Vec<u8>);

impl Reply {
    /// A status, headers each with a newline behind it, and a body of which the length is told.
    pub(super) fn new(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        Self::with_length(status, headers, body, body.len())
    }

    /// With a body of another length than is told.
    pub(super) fn with_length(status: u16, headers: &str, body: &[u8], length: usize) -> Self {
        Self::raw(status, &format!("Content-Length: {length}\n{headers}"), body)
    }

    /// With nothing but these headers.
    pub(super) fn raw(status: u16, headers: &str, body: &[u8]) -> Self {
        let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}\r\n");
        Self([head.as_bytes(), body].concat())
    }

    /// Bytes that need not be HTTP; none at all close the connection.
    pub(super) fn bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// The server, which ends when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers every request by `answer`, one after the other.
    pub(super) fn start(mut answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let heard = asked.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                match read(&stream) {
                    Some(asked) if asked.path == END => return,
                    Some(asked) => {
                        let Reply(bytes) = answer(&asked);
                        heard.lock().unwrap().push(asked);
                        // Whoever asked may have heard enough.
                        let _ = stream.write_all(&bytes);
                    }
                    None => {}
                }
            }
        });
        Self { address, asked, thread: Some(thread) }
    }

    /// Gives these answers, the last again and again.
    pub(super) fn script(replies: Vec<Reply>) -> Self {
        let mut replies: Vec<Vec<u8>> = replies.into_iter().map(|Reply(bytes)| bytes).rev().collect();
        Self::start(move |_| match replies.len() {
            1 => Reply(replies[0].clone()),
            _ => Reply(replies.pop().unwrap()),
        })
    }

    /// Host and port.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// All requests until now.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Their methods and paths.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// The repository `app` in it, spoken with by nobody else.
    pub(super) fn repository(&self) -> Repository {
        self.repository_with(access())
    }

    pub(super) fn repository_with(&self, access: Access) -> Repository {
        let address = format!("docker://{}/app", self.host()).parse().unwrap();
        Registries::new(access, Arc::new(Silent)).repository(&address).unwrap()
    }
}

/// What ends a server.
const END: &str = "/end-of-the-test";

impl Drop for Server {
    fn drop(&mut self) {
        let told = TcpStream::connect(self.address).map(|mut stream| write!(stream, "GET {END} HTTP/1.1\r\n\r\n"));
        if told.is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the server of this test failed");
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).ok()?;
        Some(text.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut asked = Asked { method, path, headers, body: Vec::new() };
    let length: usize = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    asked.body.resize(length, 0);
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

/// What is needed to speak with a server of these tests, and nothing of this machine's user.
pub(super) fn access() -> Access {
    Access {
        credentials: Vec::new(),
        tls_ca: None,
        plain_http: true,
        patience: Duration::from_secs(20),
        downloads: None,
    }
}

pub(super) fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}
