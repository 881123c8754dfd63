//! Runs the engine's command-line client.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::thread;

use delta_core::error::{Error, Result};
use serde::de::DeserializeOwned;

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

/// A client and the arguments that come before every command, such as `--context NAME`.
#[derive(Clone, Debug)]
pub struct Client {
    kind: ClientKind,
    program: OsString,
    global_arguments: Vec<String>,
}

/// What a client that ended said.
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Client {
    /// A client that is run with these global arguments.
    pub fn new(kind: ClientKind, global_arguments: &[String]) -> Self {
        Self { kind, program: kind.program().into(), global_arguments: global_arguments.to_vec() }
    }

    /// The same client, but run as this program.
    #[must_use]
    pub fn with_program(self, program: &OsStr) -> Self {
        Self { program: program.to_owned(), ..self }
    }

    /// The same client, known to be one of this kind.
    #[must_use]
    pub(super) fn of_kind(self, kind: ClientKind) -> Self {
        Self { kind, ..self }
    }

    /// Whether there is such a program, whatever it does.
    pub(super) fn is_installed(&self) -> bool {
        let said = Command::new(&self.program).arg("--version").stdin(Stdio::null()).output();
        !matches!(said, Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Which client it is.
    pub const fn kind(&self) -> ClientKind {
        self.kind
    }

    /// Runs a command to its end and returns what it printed.
    pub(super) fn text(&self, arguments: &[&str]) -> Result<String> {
        let said = self.run(arguments)?;
        if said.success { Ok(said.stdout) } else { Err(self.refused(arguments, &said.stderr)) }
    }

    /// The same for a command that prints JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let text = self.text(arguments)?;
        serde_json::from_str(&text).map_err(|error| {
            Error::environment(format!("`{}` printed what cannot be read: {error}", self.shown(arguments)))
        })
    }

    /// Runs a command to its end, whatever it says.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Said> {
        let output = self.command(arguments).stdin(Stdio::null()).output().map_err(|error| self.unstartable(&error))?;
        Ok(Said {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Lets `take` read what a command prints, then waits for its end.
    pub(super) fn read_from<T>(
        &self,
        arguments: &[&str],
        take: impl FnOnce(&mut ChildStdout) -> Result<T>,
    ) -> Result<T> {
        let mut child = self.spawn(arguments, Stdio::null())?;
        let stderr = child.stderr.take().map(read_aside);
        let taken = match child.stdout.as_mut() {
            Some(stdout) => take(stdout),
            None => Err(Error::internal("a client without output")),
        };
        if taken.is_err() {
            // Nobody reads on, so that the client might wait for ever.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| self.unstartable(&error))?;
        let stderr = stderr.map(join).unwrap_or_default();
        match taken {
            Ok(_) if !status.success() => Err(self.refused(arguments, &stderr)),
            taken => taken,
        }
    }

    /// Lets `give` write into a command, then waits for its end.
    pub(super) fn write_to(&self, arguments: &[&str], give: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<Said> {
        let mut child = self.spawn(arguments, Stdio::piped())?;
        let (stdout, stderr) = (child.stdout.take().map(read_aside), child.stderr.take().map(read_aside));
        let given = match child.stdin.take() {
            Some(stdin) => {
                let mut stdin = io::BufWriter::with_capacity(256 << 10, stdin);
                let given = give(&mut stdin)
                    .and_then(|()| stdin.flush().map_err(Error::io(format!("writing to `{}`", self.shown(arguments)))));
                // An input that ends early must not look like one that is whole; a client that reads no more shall say why.
                if given.as_ref().is_err_and(|error| !is_broken_pipe(error)) {
                    let _ = child.kill();
                }
                given
            }
            None => Err(Error::internal("a client without input")),
        };
        let status = child.wait().map_err(|error| self.unstartable(&error))?;
        let (stdout, stderr) = (stdout.map(join).unwrap_or_default(), stderr.map(join).unwrap_or_default());
        match given {
            // A client that refuses stops reading; why stands in what it said.
            Err(error) if !is_broken_pipe(&error) || stderr.trim().is_empty() => Err(error),
            given => Ok(Said { success: given.is_ok() && status.success(), stdout, stderr }),
        }
    }

    /// What the user could have typed.
    pub(super) fn shown(&self, arguments: &[&str]) -> String {
        let globals = self.global_arguments.iter().map(String::as_str);
        let words: Vec<&str> =
            [self.kind.program()].into_iter().chain(globals).chain(arguments.iter().copied()).collect();
        let mut shown = words.join(" ");
        if shown.len() > 200 {
            shown.truncate((0..=200).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0));
            shown.push('…');
        }
        shown
    }

    /// The error of a command that ended badly.
    pub(super) fn refused(&self, arguments: &[&str], stderr: &str) -> Error {
        let said = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        Error::environment(format!("`{}` failed: {}", self.shown(arguments), said.trim()))
    }

    fn spawn(&self, arguments: &[&str], stdin: Stdio) -> Result<Child> {
        self.command(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.unstartable(&error))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.global_arguments).args(arguments);
        command
    }

    fn unstartable(&self, error: &io::Error) -> Error {
        let program = self.program.display();
        match error.kind() {
            io::ErrorKind::NotFound => Error::environment(format!("the program `{program}` is not installed")),
            _ => Error::environment(format!("the program `{program}` cannot be run: {error}")),
        }
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

fn read_aside(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What the client says is for people; a broken pipe here must not hide its exit code.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn join(thread: thread::JoinHandle<String>) -> String {
    thread.join().unwrap_or_default()
}

impl Client {
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
            return Err(self.refused(&arguments, head.lines().next().unwrap_or("no answer")));
        }
        serde_json::from_str(body).map_err(|error| self.refused(&arguments, &error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that runs its only argument.
    fn shell() -> Client {
        Client::new(ClientKind::Docker, &["-c".to_owned()]).with_program(OsStr::new("sh"))
    }

    fn zeros(stdin: &mut dyn Write, count: u64) -> Result<()> {
        io::copy(&mut io::repeat(0).take(count), stdin).map(|_| ()).map_err(Error::io("writing"))
    }

    #[test]
    fn a_client_that_stops_reading_says_why() {
        // Longer than a pipe holds, so that writing breaks before the reason comes.
        let script = "exec 0<&-; sleep 0.3; echo no space left on device >&2; exit 1";
        for _ in 0..3 {
            let said = shell().write_to(&[script], |stdin| zeros(stdin, 1 << 20)).unwrap();
            assert!(!said.success && said.stderr == "no space left on device\n", "{}", said.stderr);
        }
        let silent = shell().write_to(&["exec 0<&-; sleep 0.1"], |stdin| zeros(stdin, 1 << 20));
        assert!(silent.is_err_and(|error| is_broken_pipe(&error)));
    }

    #[test]
    fn an_input_that_fails_does_not_look_whole() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        let script = format!("cat > /dev/null && touch {}", whole.display());
        let failed = shell().write_to(&[&script], |stdin| {
            zeros(stdin, 1000)?;
            Err(Error::content("damaged"))
        });
        assert!(failed.is_err() && !whole.exists());
    }
}
