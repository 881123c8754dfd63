//! Decrypting: at any place, and only as far as it is read.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{Callbacks, DecryptError, Decryptor, IdentityFile};
use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};

use super::Ask;
use crate::key::within_bounds;
use crate::limits::{HEADER_BYTES, MOST_PASSPHRASE_WORK};

/// What every file of age starts with.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// The line that ends a header starts with this.
const HEADER_END: &[u8] = b"\n---";

/// Whether these bytes are encrypted.
///
/// # Errors
/// What reading reports.
pub fn is_encrypted(bytes: &dyn ReadAt) -> Result<bool> {
    let mut first = [0; MAGIC.len()];
    let count = bytes.read_at(&mut first, 0).map_err(Error::io("reading the package"))?;
    Ok(&first[..count] == MAGIC)
}

/// What age reads, a piece at a time.
type Encrypted = BufReader<Reader<Arc<dyn ReadAt>>>;

/// Encrypted bytes whose header was read.
pub struct Locked {
    decryptor: Decryptor<Encrypted>,
}

impl Locked {
    /// Reads the header.
    ///
    /// # Errors
    /// Content errors when it is damaged or longer than any.
    pub fn read(bytes: Arc<dyn ReadAt>) -> Result<Self> {
        require_short_header(&bytes)?;
        let decryptor = Decryptor::new_buffered(BufReader::new(Reader::new(bytes))).map_err(|error| faulty(&error))?;
        Ok(Self { decryptor })
    }

    /// Whether it was encrypted for whoever knows a passphrase.
    pub fn takes_passphrase(&self) -> bool {
        self.decryptor.is_scrypt()
    }

    /// The plain bytes, which are decrypted when they are read.
    ///
    /// # Errors
    /// Content errors when none of the identities fits, and when the file was cut off or lengthened.
    pub fn unlock(self, identities: &Identities) -> Result<Arc<dyn ReadAt>> {
        let known = identities.known.iter().map(|identity| identity.as_ref() as &dyn age::Identity);
        let mut stream = self.decryptor.decrypt(known).map_err(|error| match error {
            // An identity that stays locked is passed over.
            DecryptError::NoMatchingKeys if identities.is_unanswered.load(Ordering::Relaxed) => {
                faulty(&DecryptError::KeyDecryptionFailed)
            }
            error => faulty(&error),
        })?;
        // That is compared with the last piece, which tells whether it is the last.
        let length = stream.seek(SeekFrom::End(0)).map_err(|error| damaged(&error))?;
        stream.seek(SeekFrom::Start(0)).map_err(|error| damaged(&error))?;
        Ok(Arc::new(Plain { stream: Mutex::new(stream), length }))
    }
}

/// Keys that decrypt.
#[derive(Default)]
pub struct Identities {
    known: Vec<Box<dyn age::Identity>>,
    /// Whether a passphrase of one of them was asked for and not given.
    is_unanswered: Arc<AtomicBool>,
}

impl Identities {
    /// What somebody knows who has no key.
    pub fn add_passphrase(&mut self, passphrase: String) {
        let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase));
        identity.set_max_work_factor(MOST_PASSPHRASE_WORK);
        self.known.push(Box::new(identity));
    }

    /// Adds the keys of a file: of `age-keygen`, encrypted with a passphrase or not, or of ssh.
    ///
    /// # Errors
    /// Content errors when there is no key in it.
    pub fn add_file(&mut self, text: &[u8], name: &str, ask: &Ask) -> Result<()> {
        let no_identity = |why: &dyn std::fmt::Display| {
            Error::content(format!("it holds no identity: {why}"))
                .with_hint("expected what `age-keygen` writes, or a private key of ssh (id_ed25519, id_rsa)")
        };
        let asking = Asking { ask: ask.clone(), is_unanswered: self.is_unanswered.clone() };
        if text.starts_with(MAGIC) {
            let name = Some(name.to_owned());
            let found = age::encrypted::Identity::from_buffer(
                io::Cursor::new(text.to_vec()),
                name,
                asking,
                Some(MOST_PASSPHRASE_WORK),
            );
            let identity = found.map_err(|error| no_identity(&error))?;
            self.known.push(Box::new(identity.ok_or_else(|| no_identity(&"it is encrypted for a key"))?));
            return Ok(());
        }
        let text = within_bounds(text, "an identity")?.trim_start();
        if text.starts_with("-----BEGIN") {
            let found = age::ssh::Identity::from_buffer(text.as_bytes(), Some(name.to_owned()));
            let found = found.map_err(|error| no_identity(&error))?;
            if let age::ssh::Identity::Unsupported(_) = found {
                return Err(no_identity(&"this kind of key cannot decrypt"));
            }
            self.known.push(Box::new(found.with_callbacks(asking)));
            return Ok(());
        }
        let found = IdentityFile::from_buffer(text.as_bytes()).map_err(|error| no_identity(&error))?;
        let found = found.with_callbacks(asking).into_identities().map_err(|error| no_identity(&error))?;
        if found.is_empty() {
            return Err(no_identity(&"there is no line AGE-SECRET-KEY-1…"));
        }
        for identity in found {
            self.known.push(identity);
        }
        Ok(())
    }
}

/// Lets age ask for passphrases, and for nothing else.
#[derive(Clone)]
struct Asking {
    ask: Ask,
    is_unanswered: Arc<AtomicBool>,
}

impl Callbacks for Asking {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let answer = (self.ask)(description);
        self.is_unanswered.fetch_or(answer.is_none(), Ordering::Relaxed);
        answer.map(SecretString::from)
    }
}

/// Plain bytes that are decrypted when they are read, in pieces of 64 kB of which each is authenticated.
struct Plain {
    stream: Mutex<StreamReader<Encrypted>>,
    length: u64,
}

impl ReadAt for Plain {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.available(offset, buffer.len());
        if count == 0 {
            return Ok(0);
        }
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.seek(SeekFrom::Start(offset))?;
        stream.read_exact(&mut buffer[..count])?;
        Ok(count)
    }
}

/// A header is held in memory until it ends, so it must end soon.
fn require_short_header(bytes: &Arc<dyn ReadAt>) -> Result<()> {
    let mut reader = BufReader::new(Reader::new(bytes)).take(HEADER_BYTES);
    let mut held = Vec::new();
    loop {
        let before = held.len();
        let count = reader.read_until(b'-', &mut held).map_err(Error::io("reading the package"))?;
        let from = before.saturating_sub(HEADER_END.len());
        if held[from..].windows(HEADER_END.len()).any(|window| window == HEADER_END) {
            return Ok(());
        }
        if count == 0 {
            return Err(Error::content(format!(
                "it is encrypted, and its header does not end within {HEADER_BYTES} bytes"
            ))
            .with_hint("copy it again from where it was made"));
        }
    }
}

fn faulty(error: &DecryptError) -> Error {
    match error {
        DecryptError::NoMatchingKeys => {
            Error::content("it is encrypted for others: none of the identities that were named opens it")
                .with_hint("name the file with your identity: --identity-file FILE")
        }
        DecryptError::KeyDecryptionFailed => {
            Error::content("the identity is locked, and its passphrase was not given or is another one")
        }
        DecryptError::DecryptionFailed => Error::content("it is encrypted, and the passphrase is another one"),
        DecryptError::ExcessiveWork { required, .. } => Error::content(format!(
            "its passphrase takes more work than a sound one: 2^{required} rounds, where at most 2^{MOST_PASSPHRASE_WORK} are done"
        )),
        DecryptError::Io(error) => Error::io("decrypting the package")(io::Error::new(error.kind(), error.to_string())),
        error => damaged(&error),
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::content(format!("the encrypted package is damaged or incomplete: {error}"))
        .with_hint("copy it again from where it was made")
}

#[cfg(test)]
mod tests;
