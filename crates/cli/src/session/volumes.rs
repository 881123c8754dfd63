//! How a session opens volumes: where it looks for them, and whom it asks for the next stick.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_transport::file::is_pipe;
use delta_transport::volumes::{self, Ask, Depth, Lack, Opened, Request};

use super::Session;

impl Session {
    /// Opens the set that a path names a volume of, with a word about its faults; nothing where it is none.
    pub(crate) fn open_volumes(&self, path: &Path, depth: Depth) -> Result<Option<Opened>> {
        if path == Path::new("-") || is_pipe(path) {
            return Ok(None);
        }
        let opened = self.with_request(path, depth, volumes::open)?;
        if let Some(opened) = &opened {
            opened.files.iter().for_each(|file| self.unchanged.add(file));
            self.tell_faults(path, opened);
        }
        Ok(opened)
    }

    /// What is to be opened, for whatever is done with it.
    pub(crate) fn with_request<T>(
        &self,
        path: &Path,
        depth: Depth,
        work: impl FnOnce(Request<'_>) -> Result<T>,
    ) -> Result<T> {
        let ask = Person(self);
        let (folders, scratch) = (self.common.volumes.as_slice(), &*self.scratch);
        work(Request { path, folders, depth, ask: &ask, scratch, progress: &self.terminal })
    }

    fn tell_faults(&self, path: &Path, opened: &Opened) {
        let faults = opened.faults();
        for fault in &faults {
            self.terminal.inform(format_args!("{fault}"));
        }
        if faults.is_empty() {
            return;
        }
        let made = match opened.restored_blocks {
            0 => "the package is whole without it".to_owned(),
            1 => "parity made up for 1 block, and the package is whole".to_owned(),
            blocks => format!("parity made up for {blocks} blocks, and the package is whole"),
        };
        self.terminal.inform(format_args!("{made}; `docker_delta repair {}` writes the volumes again", path.display()));
    }
}

/// Whoever sits at the terminal.
struct Person<'a>(&'a Session);

impl Ask for Person<'_> {
    fn is_anybody_there(&self) -> bool {
        let talk = self.0.common.talk;
        io::stdin().is_terminal() && io::stderr().is_terminal() && !talk.quiet && !talk.json
    }

    fn next(&self, lack: &Lack) -> Result<Option<Vec<PathBuf>>> {
        let verb = if lack.missing.len() == 1 { "is" } else { "are" };
        self.0.terminal.inform(format_args!(
            "of {} volumes {verb} missing: {}; put in the medium that has one and press Enter, or type its folder",
            lack.volumes,
            lack.missing.join(", ")
        ));
        let mut line = String::new();
        let count = io::stdin().lock().read_line(&mut line).map_err(Error::io("reading what is typed"))?;
        if count == 0 {
            return Ok(None);
        }
        let typed = line.trim_end_matches(['\n', '\r']);
        let typed = (!typed.is_empty()).then(|| PathBuf::from(typed));
        Ok(Some(lack.folders.iter().cloned().chain(typed).collect()))
    }
}
