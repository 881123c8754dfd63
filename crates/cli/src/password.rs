//! Passwords: from an open file, from the environment, or from the hands of somebody at the terminal; never from the command line, which
//! every user of the machine can read.

use std::env;

use delta_core::error::{Error, Result};
use delta_transport::key_files;

/// Where passwords of keys may be.
pub(crate) const PASSWORD: &str = "DOCKER_DELTA_PASSWORD";

/// Where passphrases of packages and identities may be.
pub(crate) const PASSPHRASE: &str = "DOCKER_DELTA_PASSPHRASE";

/// The password that somebody knows: for `what`, from the open file `descriptor`, else from `variable`, else typed.
pub(crate) fn known(what: &str, descriptor: Option<u32>, variable: &str) -> Result<String> {
    match given(descriptor, variable)? {
        Some(given) => Ok(given),
        None => typed(&format!("Password of {what}: "), variable),
    }
}

/// A new password: what is typed is typed twice.
pub(crate) fn new(what: &str, descriptor: Option<u32>, variable: &str) -> Result<String> {
    if let Some(given) = given(descriptor, variable)? {
        return Ok(given);
    }
    let first = typed(&format!("New password of {what}: "), variable)?;
    if typed("The same again: ", variable)? == first {
        Ok(first)
    } else {
        Err(Error::usage("the two passwords differ"))
    }
}

/// Whether a passphrase can be had without asking anybody.
pub(crate) fn is_given(descriptor: Option<u32>, variable: &str) -> bool {
    descriptor.is_some() || env::var_os(variable).is_some()
}

fn given(descriptor: Option<u32>, variable: &str) -> Result<Option<String>> {
    match (descriptor, env::var(variable)) {
        (Some(descriptor), _) => key_files::first_line(descriptor).map(Some),
        (None, Ok(text)) => Ok(Some(text)),
        (None, Err(env::VarError::NotPresent)) => Ok(None),
        (None, Err(env::VarError::NotUnicode(_))) => Err(Error::usage(format!("{variable} is no text in UTF-8"))),
    }
}

fn typed(prompt: &str, variable: &str) -> Result<String> {
    rpassword::prompt_password(prompt).map_err(|error| {
        Error::environment(format!("no password can be asked for, as there is no terminal: {error}"))
            .with_hint(format!("give it through an open file (--password-fd 3 3< FILE) or in {variable}"))
    })
}
