//! Encrypting: for keys, or for whoever knows a passphrase.

use std::io::{self, Read, Write};

use age::Encryptor;
use age::secrecy::SecretString;
use delta_core::error::{Error, Result};

use crate::key::within_bounds;
use crate::limits::{MOST_RECIPIENTS, PASSPHRASE_WORK};

/// Those who may read what is encrypted.
#[derive(Default)]
pub struct Recipients(Vec<Box<dyn age::Recipient + Send>>);

impl Recipients {
    /// Whoever knows the passphrase; it stands alone.
    ///
    /// # Errors
    /// A usage error when it is empty.
    pub fn of_passphrase(passphrase: String) -> Result<Self> {
        if passphrase.is_empty() {
            return Err(Error::usage("the passphrase is empty"));
        }
        let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase));
        // Fixed, because the usual one depends on how fast this machine is.
        recipient.set_work_factor(PASSPHRASE_WORK);
        Ok(Self(vec![Box::new(recipient)]))
    }

    /// Whether `text` looks like a recipient, and not like a path.
    pub fn is_meant(text: &str) -> bool {
        ["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|start| text.starts_with(start))
    }

    /// Adds the one that a line names.
    ///
    /// # Errors
    /// Usage errors for what is none, and for too many.
    pub fn add(&mut self, line: &str) -> Result<()> {
        if self.0.len() == MOST_RECIPIENTS {
            return Err(Error::usage(format!("more than {MOST_RECIPIENTS} recipients")));
        }
        let recipient: Option<Box<dyn age::Recipient + Send>> = if line.starts_with("age1") {
            line.parse::<age::x25519::Recipient>().ok().map(|known| Box::new(known) as _)
        } else {
            line.parse::<age::ssh::Recipient>().ok().map(|known| Box::new(known) as _)
        };
        self.0.push(recipient.ok_or_else(|| {
            Error::usage(format!("expected a recipient (age1…, ssh-ed25519 … or ssh-rsa …), found `{line}`")).with_hint(
                "`age-keygen -y KEY` prints the recipient of a key; id_ed25519.pub and id_rsa.pub of ssh are some too",
            )
        })?);
        Ok(())
    }

    /// Adds those of a file, one a line, with `#` before comments.
    ///
    /// # Errors
    /// As [`Self::add`], and for a file without any.
    pub fn add_file(&mut self, text: &[u8]) -> Result<()> {
        let text = within_bounds(text, "a list of recipients")?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let before = self.0.len();
        for line in lines {
            self.add(line)?;
        }
        if self.0.len() == before { Err(Error::usage("it names no recipients")) } else { Ok(()) }
    }

    /// Writes what only they can read; returns the number of plain bytes.
    ///
    /// # Errors
    /// What reading and writing report.
    pub fn encrypt(&self, bytes: &mut dyn Read, out: &mut dyn Write) -> Result<u64> {
        let doing = || Error::io("encrypting the package");
        let recipients = self.0.iter().map(|recipient| recipient.as_ref() as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .map_err(|error| Error::usage(format!("encrypting for these recipients: {error}")))?;
        let mut stream = encryptor.wrap_output(out).map_err(doing())?;
        let count = io::copy(bytes, &mut stream).map_err(doing())?;
        stream.finish().and_then(|out| out.flush()).map_err(doing())?;
        Ok(count)
    }
}
