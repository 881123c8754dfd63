//! Runs the program of somebody else and speaks with it: the command-line client of an engine or a store.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use delta_core::error::{Error, Result};
use serde::de::DeserializeOwned;

/// A program and the arguments that come before every command, such as `--context NAME`.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// What a user types for it.
    name: String,
    file: OsString,
    global_arguments: Vec<String>,
}

/// What a program that ended said.
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// A program of the `PATH` that is run with these global arguments.
    pub(crate) fn new(name: &str, global_arguments: &[String]) -> Self {
        Self { name: name.to_owned(), file: name.into(), global_arguments: global_arguments.to_vec() }
    }

    /// The same, but run from this file.
    #[must_use]
    pub(crate) fn with_file(self, file: &OsStr) -> Self {
        Self { file: file.to_owned(), ..self }
    }

    /// The same, but called by this name in what is said of it.
    #[must_use]
    pub(crate) fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The same with more global arguments.
    #[must_use]
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.global_arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Whether there is such a program, whatever it does.
    pub(crate) fn is_installed(&self) -> bool {
        let said = Command::new(&self.file).arg("--version").stdin(Stdio::null()).output();
        !matches!(said, Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn text(&self, arguments: &[&str]) -> Result<String> {
        let said = self.run(arguments)?;
        if said.success { Ok(said.stdout) } else { Err(self.refused(arguments, &said.stderr)) }
    }

    /// The same for a command that prints JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let text = self.text(arguments)?;
        serde_json::from_str(&text).map_err(|error| {
            Error::environment(format!("`{}` printed what cannot be read: {error}", self.shown(arguments)))
        })
    }

    /// Runs a command to its end, whatever it says.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Said> {
        let output = self.command(arguments).stdin(Stdio::null()).output().map_err(|error| self.unstartable(&error))?;
        Ok(Said {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Lets `take` read what a command prints, then waits for its end.
    pub(crate) fn read_from<T>(
        &self,
        arguments: &[&str],
        take: impl FnOnce(&mut ChildStdout) -> Result<T>,
    ) -> Result<T> {
        let mut child = self.spawn(arguments, Stdio::null())?;
        let stderr = child.stderr.take().map(read_aside);
        let taken = match child.stdout.as_mut() {
            Some(stdout) => take(stdout),
            None => Err(Error::internal("a program without output")),
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

    /// The first bytes that a command prints, which is not waited for any longer than that.
    pub(crate) fn first_bytes(&self, arguments: &[&str], buffer: &mut [u8]) -> Result<usize> {
        let mut child = self.spawn(arguments, Stdio::null())?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take().map(read_aside));
        let mut count = 0;
        if let Some(mut stdout) = stdout {
            let doing = || Error::io(format!("reading `{}`", self.shown(arguments)));
            while count < buffer.len() {
                match stdout.read(&mut buffer[count..]).map_err(doing())? {
                    0 => break,
                    more => count += more,
                }
            }
        }
        if count == buffer.len() {
            // It may not look at whether anybody still reads; one that is at its end already is no error.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| self.unstartable(&error))?;
        let stderr = stderr.map(join).unwrap_or_default();
        if count < buffer.len() && !status.success() { Err(self.refused(arguments, &stderr)) } else { Ok(count) }
    }

    /// Lets `give` write into a command, then waits for its end.
    pub(crate) fn write_to(&self, arguments: &[&str], give: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<Said> {
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
            None => Err(Error::internal("a program without input")),
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
    pub(crate) fn shown(&self, arguments: &[&str]) -> String {
        let globals = self.global_arguments.iter().map(String::as_str);
        let words: Vec<&str> =
            [self.name.as_str()].into_iter().chain(globals).chain(arguments.iter().copied()).collect();
        let mut shown = words.join(" ");
        if shown.len() > 200 {
            shown.truncate((0..=200).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0));
            shown.push('…');
        }
        shown
    }

    /// The error of a command that ended badly.
    pub(crate) fn refused(&self, arguments: &[&str], stderr: &str) -> Error {
        let said = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        Error::environment(format!("`{}` failed: {}", self.shown(arguments), said.trim()))
    }

    pub(crate) fn spawn(&self, arguments: &[&str], stdin: Stdio) -> Result<Child> {
        self.command(arguments)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.unstartable(&error))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.global_arguments).args(arguments);
        command
    }

    pub(crate) fn unstartable(&self, error: &io::Error) -> Error {
        let program = self.file.display();
        match error.kind() {
            io::ErrorKind::NotFound => Error::environment(format!("the program `{program}` is not installed")),
            _ => Error::environment(format!("the program `{program}` cannot be run: {error}")),
        }
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
}

pub(crate) fn read_aside(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What the client says is for people; a broken pipe here must not hide its exit code.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

pub(crate) fn join(thread: thread::JoinHandle<String>) -> String {
    thread.join().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
