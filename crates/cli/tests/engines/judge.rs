//! A plugin that Docker asks whether it may answer a request: <https://docs.docker.com/engine/extend/plugins_authorization/>.
//!
//! It is how an engine refuses in the middle of a job without being anything but a real one.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What an engine answers with when it refuses.
pub(crate) const REASON: &str = "not on a Friday";

/// Which of the requests to come are refused, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    None,
    Only(usize),
    From(usize),
}

/// The plugin, which answers as long as the test runs.
#[derive(Clone)]
pub(crate) struct Judge(Arc<Mutex<Court>>);

struct Court {
    refused: Refused,
    /// The requests since the last decision, as `METHOD URI`.
    asked: Vec<String>,
}

impl Judge {
    pub(crate) fn new(socket: &Path) -> Self {
        let judge = Self(Arc::new(Mutex::new(Court { refused: Refused::None, asked: Vec::new() })));
        let (listener, answering) = (UnixListener::bind(socket).unwrap(), judge.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, judge) = (stream.unwrap(), answering.clone());
                std::thread::spawn(move || judge.answer(stream));
            }
        });
        judge
    }

    /// From now on; returns what was asked since the last time.
    pub(crate) fn decide(&self, refused: Refused) -> Vec<String> {
        let mut court = self.0.lock().unwrap();
        court.refused = refused;
        std::mem::take(&mut court.asked)
    }

    /// Answers requests of HTTP until the daemon ends.
    fn answer(&self, stream: UnixStream) {
        let mut reader = BufReader::new(stream);
        while let Some((path, body)) = request(&mut reader) {
            let said = match path.as_str() {
                "/Plugin.Activate" => r#"{"Implements":["authz"]}"#.to_owned(),
                "/AuthZPlugin.AuthZReq" => self.judge(&body),
                _ => r#"{"Allow":true}"#.to_owned(),
            };
            let kind = "application/vnd.docker.plugins.v1.1+json";
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", said.len());
            reader.get_mut().write_all((head + &said).as_bytes()).unwrap();
        }
    }

    fn judge(&self, body: &[u8]) -> String {
        let request: serde_json::Value = serde_json::from_slice(body).unwrap();
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let mut court = self.0.lock().unwrap();
        let number = court.asked.len();
        court.asked.push(format!("{} {}", text("RequestMethod"), text("RequestUri")));
        let refused = match court.refused {
            Refused::None => false,
            Refused::Only(one) => number == one,
            Refused::From(first) => number >= first,
        };
        serde_json::json!({"Allow": !refused, "Msg": REASON}).to_string()
    }
}

/// The path and the body of the next request.
fn request(reader: &mut BufReader<UnixStream>) -> Option<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first.split(' ').nth(1)?.to_owned(), body))
}
