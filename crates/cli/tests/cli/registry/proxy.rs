//! What may stand before a registry: it counts, breaks off, lies, sends elsewhere, and asks for tokens.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is done with a request instead of, or besides, passing it on.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// It is answered so, and not passed on.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without an answer.
    HangUp,
    /// So many bytes of the answer's body come, and then the connection is closed.
    Cut(usize),
    /// So many bytes of the answer's body come, and then nothing more.
    Stall(usize),
    /// So many bytes of the request's body are passed on, and then nothing more.
    StallUpload(usize),
    /// So many bytes of the request's body are passed on, and then the connection is closed.
    CutUpload(usize),
    /// A byte of the answer's body is another one.
    Spoil(usize),
    /// The answer's body is followed by some bytes, which its length counts or not.
    Append(&'static [u8]),
    /// The answer comes slowly.
    Slow(Duration),
    /// There is a pause before each piece of a body, in either direction.
    Trickle(Duration),
    /// `Range` is not passed on.
    NoRange,
}

/// A request that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// Its place among all requests.
    pub(crate) number: usize,
}

type Rule = Box<dyn Fn(&Seen) -> Option<Act> + Send>;

#[derive(Default)]
struct State {
    rule: Option<Rule>,
    seen: Vec<Seen>,
    /// Bytes of bodies to the client, and from it.
    down: u64,
    up: u64,
    stalled: bool,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Stands before the server at `upstream`.
    pub(crate) fn before(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that hangs up is none of our business.
                thread::spawn(move || serve(client, upstream, &shared).ok());
            }
        });
        Self { port, state }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn name(&self, rest: &str) -> String {
        format!("docker://localhost:{}/{rest}", self.port)
    }

    /// From now on, this is done.
    pub(crate) fn rule(&self, rule: impl Fn(&Seen) -> Option<Act> + Send + 'static) {
        self.state.lock().unwrap().rule = Some(Box::new(rule));
    }

    /// From now on, everything is passed on and counted from nothing.
    pub(crate) fn reset(&self) {
        *self.state.lock().unwrap() = State::default();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Bytes of bodies to the client and from it.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let state = self.state.lock().unwrap();
        (state.down, state.up)
    }

    pub(crate) fn await_stall(&self) {
        let begun = Instant::now();
        while !self.state.lock().unwrap().stalled {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing stalled: {:?}", self.seen());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Whether it is a request for a blob's bytes.
pub(crate) fn is_blob(seen: &Seen) -> bool {
    seen.method == "GET" && seen.path.contains("/blobs/sha256:")
}

fn serve(client: TcpStream, upstream: u16, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    let (first, headers) = head(&mut reader)?;
    let mut words = first.split(' ');
    let mut seen = Seen {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        headers: headers.iter().cloned().collect(),
        number: 0,
    };
    let act = {
        let mut state = state.lock().unwrap();
        seen.number = state.seen.len();
        state.seen.push(seen.clone());
        state.rule.as_ref().and_then(|rule| rule(&seen))
    };
    let length: usize = seen.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    match &act {
        Some(Act::Answer(status, headers, body)) => {
            io::copy(&mut (&mut reader).take(length as u64), &mut io::sink())?;
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            return write!(
                client,
                "HTTP/1.1 {status} Said\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
        Some(Act::HangUp) => return Ok(()),
        _ => {}
    }
    let server = pass_on(&seen, &first, &headers, &act, upstream)?;
    if !send_body(&mut reader, length, &server, &act, state)? {
        return Ok(());
    }
    answer(&mut client, &server, &seen, &act, state)
}

fn pass_on(
    seen: &Seen,
    first: &str,
    headers: &[(String, String)],
    act: &Option<Act>,
    upstream: u16,
) -> io::Result<TcpStream> {
    let mut server = TcpStream::connect(("127.0.0.1", upstream))?;
    let dropped = |name: &str| {
        name == "connection"
            || name == "range" && matches!(act, Some(Act::NoRange))
            || name == "authorization" && seen.headers.get(name).is_some_and(|value| value.starts_with("Bearer"))
    };
    let kept: String =
        headers.iter().filter(|(name, _)| !dropped(name)).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(server, "{first}\r\n{kept}connection: close\r\n\r\n")?;
    Ok(server)
}

/// Passes the body of a request on; false when it is not to be answered.
fn send_body(
    reader: &mut impl Read,
    length: usize,
    mut server: &TcpStream,
    act: &Option<Act>,
    state: &Mutex<State>,
) -> io::Result<bool> {
    let most = match act {
        Some(Act::StallUpload(most) | Act::CutUpload(most)) => length.min(*most),
        _ => length,
    };
    let mut buffer = vec![0; 64 << 10];
    let mut left = most;
    while left > 0 {
        let count = reader.read(&mut buffer[..left.min(64 << 10)])?;
        if count == 0 {
            return Ok(false);
        }
        pause(act);
        server.write_all(&buffer[..count])?;
        left -= count;
        state.lock().unwrap().up += count as u64;
    }
    match act {
        Some(Act::StallUpload(most)) if length > *most => {
            stall(state);
            Ok(false)
        }
        Some(Act::CutUpload(most)) if length > *most => Ok(false),
        _ => Ok(true),
    }
}

fn answer(
    client: &mut TcpStream,
    server: &TcpStream,
    seen: &Seen,
    act: &Option<Act>,
    state: &Mutex<State>,
) -> io::Result<()> {
    let mut reader = BufReader::new(server);
    let (first, headers) = head(&mut reader)?;
    if let Some(Act::Slow(pause)) = act {
        thread::sleep(*pause);
    }
    let extra: &[u8] = if let Some(Act::Append(extra)) = act { extra } else { b"" };
    let length: Option<usize> =
        headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let kept = headers.iter().filter(|(name, _)| name != "content-length" && name != "connection");
    let mut text = format!("{first}\r\n");
    kept.for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
    if let Some(length) = length {
        text += &format!("Content-Length: {}\r\n", length + extra.len());
    }
    write!(client, "{text}Connection: close\r\n\r\n")?;
    if seen.method == "HEAD" {
        return Ok(());
    }
    let mut sent = 0;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        let mut piece = buffer[..count].to_vec();
        match act {
            Some(Act::Cut(most) | Act::Stall(most)) if sent + count > *most => {
                piece.truncate(most.saturating_sub(sent))
            }
            Some(Act::Spoil(at)) if (sent..sent + count).contains(at) => piece[at - sent] ^= 1,
            _ => {}
        }
        pause(act);
        client.write_all(&piece)?;
        sent += piece.len();
        state.lock().unwrap().down += piece.len() as u64;
        match act {
            Some(Act::Cut(most)) if sent >= *most => return Ok(()),
            Some(Act::Stall(most)) if sent >= *most => {
                stall(state);
                return Ok(());
            }
            _ => {}
        }
    }
    client.write_all(extra)
}

fn pause(act: &Option<Act>) {
    if let Some(Act::Trickle(pause)) = act {
        thread::sleep(*pause);
    }
}

/// Says nothing for longer than any test takes.
fn stall(state: &Mutex<State>) {
    state.lock().unwrap().stalled = true;
    thread::sleep(Duration::from_secs(120));
}

/// The first line of a message, and its headers in small letters.
fn head(reader: &mut impl BufRead) -> io::Result<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let header = |line: &String| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers = lines.get(1..).unwrap_or_default().iter().map(header).collect();
    Ok((lines.first().cloned().unwrap_or_default(), headers))
}
