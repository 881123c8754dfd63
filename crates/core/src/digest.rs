//! SHA-256 digests, one type for each thing that is named by one.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::limits::COPY_BUFFER;

/// The 32 bytes of a SHA-256 digest (FIPS 180-4).
type Bytes = [u8; 32];

/// A digest that does not read `sha256:` and 64 lower-case hexadecimal digits (OCI image-spec, descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a digest `sha256:` and 64 hexadecimal digits, found `{found}`")]
pub struct ParseDigestError {
    found: String,
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Bytes);

        impl $name {
            /// The digest of `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// The digest of everything that `reader` gives, and how many bytes that was.
            ///
            /// # Errors
            /// What `reader` reports.
            pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Self, u64)> {
                let mut hasher = Hasher::new(io::sink());
                hasher.take_all(reader)?;
                let (_, hashed, count) = hasher.finish();
                Ok((hashed.into(), count))
            }

            /// The digest that is stored as these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes as which it is stored.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 64 hexadecimal digits without the algorithm.
            pub fn hex(&self) -> String {
                self.0.iter().map(|byte| format!("{byte:02x}")).collect()
            }

            /// The first 12 hexadecimal digits, as engines print them.
            pub fn short(&self) -> String {
                self.hex()[..12].to_owned()
            }
        }

        impl From<Hashed> for $name {
            fn from(hashed: Hashed) -> Self {
                Self(hashed.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseDigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self).ok_or_else(|| ParseDigestError { found: text.chars().take(100).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "sha256:{}", self.hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.short())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest_type! {
    /// Names a layer: the digest of its uncompressed tar stream.
    DiffId
}
digest_type! {
    /// Names a blob: the digest of bytes as they are stored or sent.
    BlobDigest
}
digest_type! {
    /// Names a config, and with it the image: the ID of an image in Docker's classic store and in podman. A containerd store
    /// goes by the digest of the manifest or index, which is a [`BlobDigest`].
    ConfigDigest
}

impl From<ConfigDigest> for BlobDigest {
    fn from(id: ConfigDigest) -> Self {
        Self(id.0)
    }
}

impl From<DiffId> for BlobDigest {
    /// The blob that a layer is when it is stored uncompressed.
    fn from(diff_id: DiffId) -> Self {
        Self(diff_id.0)
    }
}

/// A finished hash that is still to be given a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hashed(Bytes);

/// Hashes what passes through it.
pub struct Hasher<T> {
    inner: T,
    state: Sha256,
    count: u64,
}

impl<T> Hasher<T> {
    /// Passes bytes on to, or takes them from, `inner`.
    pub fn new(inner: T) -> Self {
        Self { inner, state: Sha256::new(), count: 0 }
    }

    /// The inner side, the hash and the number of bytes that passed.
    pub fn finish(self) -> (T, Hashed, u64) {
        (self.inner, Hashed(self.state.finalize().into()), self.count)
    }

    /// Hashes all that `reader` gives, in pieces that keep the calls of the system few.
    fn take_all(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; COPY_BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.take(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.count += bytes.len() as u64;
    }
}

impl<W: Write> Write for Hasher<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.take(&buffer[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hasher<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.take(&buffer[..count]);
        Ok(count)
    }
}

fn parse(text: &str) -> Option<Bytes> {
    let digits = text.strip_prefix("sha256:")?.as_bytes();
    if digits.len() != 64 || digits.iter().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = Bytes::default();
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_prints_as_it_parses() {
        let digest: DiffId = EMPTY.parse().unwrap();
        assert_eq!(digest, DiffId::of(b""));
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest.short(), "e3b0c44298fc");
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in ["", "sha256:", &EMPTY[7..], &EMPTY[..70], &EMPTY.to_uppercase(), "sha512:00", "sha256:é"] {
            assert!(text.parse::<BlobDigest>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_hasher_sees_what_passes() {
        let mut hasher = Hasher::new(Vec::new());
        hasher.write_all(b"layer").unwrap();
        let (bytes, hashed, count) = hasher.finish();
        assert_eq!((bytes.as_slice(), count), (&b"layer"[..], 5));
        assert_eq!(BlobDigest::from(hashed), BlobDigest::of(b"layer"));
        assert_eq!(DiffId::of_reader(&mut &b"layer"[..]).unwrap(), (DiffId::of(b"layer"), 5));
    }
}
