//! The engines' command-line clients.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::ops::Deref;
use std::process::Stdio;
use std::str::FromStr;

use delta_core::error::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::program::{Program, join, read_aside};

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
}

impl ClientKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Docker, Self::Podman];

    /// The program's name, which is also how a user names the kind.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

impl FromStr for ClientKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|kind| kind.program() == text);
        named.ok_or_else(|| Error::usage(format!("expected an engine (docker or podman), found `{text}`")))
    }
}

/// A client, which is run as any program is.
#[derive(Clone, Debug)]
pub(super) struct Client {
    kind: ClientKind,
    program: Program,
}

impl Deref for Client {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

/// What Docker's API says where it refuses.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Client {
    /// A client that is run with these global arguments.
    pub(super) fn new(kind: ClientKind, global_arguments: &[String]) -> Self {
        Self { kind, program: Program::new(kind.program(), global_arguments) }
    }

    /// The same client, but run as this program.
    #[must_use]
    pub(super) fn with_program(self, program: &OsStr) -> Self {
        Self { program: self.program.with_file(program), ..self }
    }

    /// The same client, known to be one of this kind.
    #[must_use]
    pub(super) fn of_kind(self, kind: ClientKind) -> Self {
        Self { kind, program: self.program.called(kind.program()) }
    }

    /// Which client it is.
    pub(super) const fn kind(&self) -> ClientKind {
        self.kind
    }

    /// Asks Docker's API for a JSON document, for the few things that the client has no command for. The request travels
    /// through `docker system dial-stdio`, so that it reaches whatever the client reaches; HTTP/1.0 keeps the answer in one
    /// piece up to the end of the stream.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let arguments = ["system", "dial-stdio"];
        let request = format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n");
        let mut child = self.spawn(&arguments, Stdio::piped())?;
        let stderr = child.stderr.take().map(read_aside);
        // The stream must stay open until the answer is there: the client ends with its input.
        let mut stdin = child.stdin.take();
        let mut answer = Vec::new();
        let asked = stdin
            .iter_mut()
            .try_for_each(|stdin| stdin.write_all(request.as_bytes()))
            .and_then(|()| child.stdout.iter_mut().try_for_each(|stdout| stdout.read_to_end(&mut answer).map(|_| ())));
        drop(stdin);
        child.wait().map_err(|error| self.unstartable(&error))?;
        let stderr = stderr.map(join).unwrap_or_default();
        if asked.is_err() || answer.is_empty() {
            return Err(self.refused(&arguments, &stderr));
        }
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        if head.split_whitespace().nth(1) != Some("200") {
            let why = serde_json::from_str(body).map(|Refusal { message }| message);
            let status = || head.lines().next().unwrap_or("no answer").to_owned();
            return Err(self.refused(&arguments, &why.unwrap_or_else(|_| status())));
        }
        serde_json::from_str(body).map_err(|error| self.refused(&arguments, &error.to_string()))
    }
}

#[cfg(test)]
mod tests;
