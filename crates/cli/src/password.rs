//! Passwords and passphrases: from an open file, from the environment, or from the hands of somebody at the terminal; never from the command line, which
//! every user of the machine can read.

use std::{env, io};

use delta_core::error::{Error, Result};
use delta_transport::key_files;

/// What nobody else may know, and where it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret {
    word: &'static str,
    variable: &'static str,
    option: &'static str,
}

/// What a key for signatures is locked with.
pub(crate) const PASSWORD: Secret =
    Secret { word: "password", variable: "DOCKER_DELTA_PASSWORD", option: "--password-fd" };

/// What packages and identities are locked with.
pub(crate) const PASSPHRASE: Secret =
    Secret { word: "passphrase", variable: "DOCKER_DELTA_PASSPHRASE", option: "--passphrase-fd" };

/// A variable that is set where nobody sits who could be asked, even if there is a terminal.
pub(crate) const NOBODY_IS_ASKED: &str = "DOCKER_DELTA_NOBODY_IS_ASKED";

impl Secret {
    /// The one that somebody knows: for `what`, from the open file `descriptor`, else from the environment, else typed.
    pub(crate) fn known(self, what: &str, descriptor: Option<u32>) -> Result<String> {
        match self.given(descriptor)? {
            Some(given) => Ok(given),
            None => self.typed(&format!("The {} of {what}: ", self.word)),
        }
    }

    /// A new one: what is typed is typed twice.
    pub(crate) fn chosen(self, what: &str, descriptor: Option<u32>) -> Result<String> {
        if let Some(given) = self.given(descriptor)? {
            return Ok(given);
        }
        let first = self.typed(&format!("A new {} for {what}: ", self.word))?;
        if self.typed("The same again: ")? == first {
            Ok(first)
        } else {
            Err(Error::usage(format!("what was typed as {} differs the second time", self.word)))
        }
    }

    /// Whether it can be had without asking anybody.
    pub(crate) fn is_given(self, descriptor: Option<u32>) -> bool {
        descriptor.is_some() || env::var_os(self.variable).is_some()
    }

    fn given(self, descriptor: Option<u32>) -> Result<Option<String>> {
        match (descriptor, env::var(self.variable)) {
            (Some(descriptor), _) => key_files::first_line(descriptor, self.word)
                .map(Some)
                .map_err(|error| error.with_hint(format!("open it in the shell: {} 3 3< FILE", self.option))),
            (None, Ok(text)) => Ok(Some(text)),
            (None, Err(env::VarError::NotPresent)) => Ok(None),
            (None, Err(env::VarError::NotUnicode(_))) => {
                Err(Error::usage(format!("{} is no text in UTF-8", self.variable)))
            }
        }
    }

    fn typed(self, prompt: &str) -> Result<String> {
        let asked = match env::var_os(NOBODY_IS_ASKED) {
            None => rpassword::prompt_password(prompt),
            Some(_) => Err(io::Error::other("nobody is there")),
        };
        asked.map_err(|error| {
            Error::environment(format!("no {} can be asked for, as there is no terminal: {error}", self.word))
                .with_hint(format!("give it through an open file ({} 3 3< FILE) or in {}", self.option, self.variable))
        })
    }
}
