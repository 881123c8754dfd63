//! A program for tests that answers as it is told.

use std::fs;
use std::path::PathBuf;

use super::Program;

/// A shell script in the place of a program. What it was asked, and what it was given, lies beside it.
pub(crate) struct Script {
    folder: tempfile::TempDir,
    cases: String,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cases: String::new() }
    }

    /// To these very arguments it prints this.
    pub(crate) fn says(self, asked: &str, answer: impl AsRef<[u8]>) -> Self {
        let file = format!("answer{}", self.cases.len());
        fs::write(self.folder.path().join(&file), answer).unwrap();
        self.does(&format!("'{asked}'"), &format!("cat \"$here/{file}\""))
    }

    /// To these very arguments it says this as an error.
    pub(crate) fn fails(self, asked: &str, why: &str) -> Self {
        self.does(&format!("'{asked}'"), &format!("echo '{why}' >&2; exit 1"))
    }

    /// To arguments like these it does this. What was told first counts.
    pub(crate) fn does(mut self, pattern: &str, commands: &str) -> Self {
        self.cases += &format!("{pattern}) {commands} ;;\n");
        let here = self.folder.path().display();
        let script = format!(
            "here='{here}'\necho \"$*\" >> \"$here/asked\"\ncase \"$*\" in\n{}*) echo \"it was not told about $*\" >&2; exit 9 ;;\nesac\n",
            self.cases
        );
        fs::write(self.folder.path().join("script"), script).unwrap();
        self
    }

    /// What it was asked, one after the other.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    /// How often it was asked something that begins like this.
    pub(crate) fn times(&self, start: &str) -> usize {
        self.asked().iter().filter(|asked| asked.starts_with(start)).count()
    }

    /// Where a file lies that it reads or writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that it wrote.
    pub(crate) fn written(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The program, which is called so. A shell reads it: what was written a moment ago cannot be run as long as another thread starts one.
    pub(crate) fn program(&self, name: &str) -> Program {
        let script = self.path("script").display().to_string();
        Program::new(name, &[]).with_file("sh".as_ref()).with(&[&script])
    }
}
