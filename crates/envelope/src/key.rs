//! Keys for signatures, as minisign writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use delta_core::error::{Error, Result};
use delta_core::package::KeyId;
use minisign::{KeyPair, PError, SecretKeyBox};

use crate::limits::{KEY_FILE_BYTES, PASSWORD_BYTES};

/// What a public key has: two bytes that name Ed25519, its ID, and the key.
const PUBLIC_BYTES: usize = 42;

/// What a secret key has; the third and fourth byte say how it is encrypted.
const SECRET_BYTES: usize = 158;

/// Where its checksum starts.
const CHECKSUM_AT: usize = 126;

/// The comment that minisign puts before a secret key.
const SECRET_COMMENT: &str = "minisign encrypted secret key";

/// A key that checks signatures.
#[derive(Clone, Debug)]
pub struct PublicKey(pub(crate) minisign::PublicKey);

impl PublicKey {
    /// The key in a file of minisign, or in the one line of it that is the key.
    ///
    /// # Errors
    /// Content errors when it is none.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let text = within_bounds(text, "a public key")?;
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let line = match lines.as_slice() {
            [line] => line,
            [comment, line] if comment.starts_with("untrusted comment:") => line,
            _ => return Err(no_public_key("two lines, of which the first is an untrusted comment")),
        };
        let bytes = STANDARD.decode(line).ok().filter(|bytes| bytes.len() == PUBLIC_BYTES && bytes.starts_with(b"Ed"));
        let bytes = bytes.ok_or_else(|| no_public_key("56 characters that start with RW"))?;
        let key = minisign::PublicKey::from_bytes(&bytes);
        key.map(Self).map_err(|error| no_public_key("an Ed25519 key").within(&error.to_string()))
    }

    /// Whether `text` looks like the line of a public key, and not like a path.
    pub fn is_meant(text: &str) -> bool {
        text.len() == 56 && text.starts_with("RW") && STANDARD.decode(text).is_ok()
    }

    /// By which it is found.
    pub fn id(&self) -> KeyId {
        id(self.0.keynum())
    }

    /// Whether both are the same key.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.to_bytes() == other.0.to_bytes()
    }

    /// The line that is the key.
    pub fn line(&self) -> String {
        self.0.to_base64()
    }

    /// What a file with the key holds.
    pub fn to_file(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{}\n", self.id(), self.line())
    }
}

/// A key that makes signatures, as it lies in a file.
pub struct SecretKeyFile {
    text: String,
    bytes: Vec<u8>,
}

impl SecretKeyFile {
    /// Reads what a file holds.
    ///
    /// # Errors
    /// Content errors when it is no secret key.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let text = within_bounds(text, "a secret key")?;
        let line = text.lines().nth(1).unwrap_or_default();
        let bytes = STANDARD.decode(line).ok().filter(|bytes| bytes.len() == SECRET_BYTES && bytes.starts_with(b"Ed"));
        let bytes = bytes.ok_or_else(|| {
            Error::content("this is no secret key: expected two lines, a comment and a key, as minisign writes them")
                .with_hint("`docker_delta keygen NAME` makes one: NAME.key signs, NAME.pub is for whoever checks")
        })?;
        Ok(Self { text: text.to_owned(), bytes })
    }

    /// Whether it takes a password.
    pub fn is_locked(&self) -> bool {
        self.bytes[2..4] != [0, 0]
    }

    /// The key itself; `password` is not looked at where it takes none.
    ///
    /// # Errors
    /// Content errors for a wrong password, and for a key that is damaged.
    pub fn unlock(self, password: &str) -> Result<SecretKey> {
        let is_locked = self.is_locked();
        let boxed = SecretKeyBox::from(self.text);
        // Minisign itself writes no checksum into keys without a password (`-W`).
        let has_checksum = self.bytes[CHECKSUM_AT..].iter().any(|byte| *byte != 0);
        let key = match (is_locked, has_checksum) {
            (true, _) => boxed.into_secret_key(Some(password.to_owned())),
            (false, true) => boxed.into_unencrypted_secret_key(),
            (false, false) => minisign::SecretKey::from_bytes(&self.bytes),
        };
        let key = key.map_err(|error| Error::content(format!("the secret key cannot be used: {error}")))?;
        let public = minisign::PublicKey::from_secret_key(&key).map_err(|error| unusable(&error))?;
        Ok(SecretKey { key, public: PublicKey(public) })
    }
}

/// A key that makes signatures. It has no `Debug`, so that no message can hold it.
pub struct SecretKey {
    pub(crate) key: minisign::SecretKey,
    public: PublicKey,
}

impl SecretKey {
    /// Its other half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// A new pair of keys, as their files hold them.
pub struct NewKeys {
    /// The other half, which is not secret.
    pub public: PublicKey,
    /// The text of the file with the secret key.
    pub secret_file: String,
}

impl NewKeys {
    /// Makes them; without a password whoever reads the file can sign.
    ///
    /// # Errors
    /// Usage errors for a password that cannot be used; internal errors when the system gives no random bytes.
    pub fn generate(password: Option<&str>) -> Result<Self> {
        let pair = match password {
            None => KeyPair::generate_unencrypted_keypair(),
            Some(password) => {
                require_password(password)?;
                KeyPair::generate_encrypted_keypair(Some(password.to_owned()))
            }
        };
        let KeyPair { pk, sk } = pair.map_err(|error| unusable(&error))?;
        let boxed = sk.to_box(Some(SECRET_COMMENT)).map_err(|error| unusable(&error))?;
        Ok(Self { public: PublicKey(pk), secret_file: boxed.into_string() })
    }
}

/// Fails for a password that protects nothing, or that minisign does not take.
///
/// # Errors
/// Usage errors.
pub fn require_password(password: &str) -> Result<()> {
    if password.is_empty() {
        return Err(Error::usage("the password is empty").with_hint("a key without one is made by --no-password"));
    }
    if password.len() > PASSWORD_BYTES {
        return Err(Error::usage(format!("the password has more than {PASSWORD_BYTES} bytes")));
    }
    Ok(())
}

pub(crate) fn id(bytes: &[u8]) -> KeyId {
    KeyId::of_bytes(bytes.try_into().unwrap_or_default())
}

pub(crate) fn within_bounds<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() as u64 <= KEY_FILE_BYTES);
    text.ok_or_else(|| Error::content(format!("this is not {what}: expected a text of at most {KEY_FILE_BYTES} bytes")))
}

fn no_public_key(expected: &str) -> Error {
    Error::content(format!("this is no public key of minisign: expected {expected}"))
        .with_hint("the file that `docker_delta keygen NAME` calls NAME.pub is one")
}

fn unusable(error: &PError) -> Error {
    Error::internal(format!("making a key: {error}"))
}

#[cfg(test)]
mod tests;
