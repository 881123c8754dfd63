//! SHA-256 digests, one type for each thing that is named by one.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Bytes that are read and hashed at a time, so that the calls of the system are few.
const PIECE_BYTES: usize = 256 << 10;

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
                let count = io::copy(&mut BufReader::with_capacity(PIECE_BYTES, reader), &mut hasher)?;
                Ok((Self(hasher.state.finalize().into()), count))
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
    fn each_digit_counts_and_has_one_form() {
        let digest = BlobDigest::of(b"layer");
        let text = digest.to_string();
        assert_eq!(text.len(), 71);
        for at in 0..text.len() {
            for wrong in ["g", "A", " ", "\u{e9}"] {
                let other = format!("{}{wrong}{}", &text[..at], &text[at + 1..]);
                assert!(other.parse::<BlobDigest>().is_err(), "{other}");
            }
            let digit = if text[at..].starts_with('0') { "1" } else { "0" };
            let other = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
            assert!(other.parse::<BlobDigest>().ok().is_none_or(|other| other != digest), "{other}");
        }
        for other in [format!("{text}0"), text[..70].to_owned(), format!("{text} "), format!(" {text}")] {
            assert!(other.parse::<BlobDigest>().is_err(), "{other}");
        }
    }

    #[test]
    fn what_was_found_is_shown_and_cut() {
        let error = "x".repeat(200).parse::<BlobDigest>().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("expected a digest `sha256:` and 64 hexadecimal digits, found `{}`", "x".repeat(100))
        );
        assert!("\u{e9}".repeat(101).parse::<BlobDigest>().is_err());
    }

    #[test]
    fn one_digest_under_several_names_has_the_same_bytes() {
        let bytes: Bytes = std::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        let layer = DiffId::from_bytes(bytes);
        assert_eq!(layer.as_bytes(), &bytes);
        assert_eq!(layer.hex(), "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8");
        assert_eq!((BlobDigest::from(layer).as_bytes(), layer.short().as_str()), (&bytes, "000810182028"));
        assert_eq!(BlobDigest::from(ConfigDigest::from_bytes(bytes)), BlobDigest::from_bytes(bytes));
        assert_eq!(format!("{layer:?}"), "DiffId(000810182028)");
        let text = serde_json::to_string(&layer).unwrap();
        assert_eq!(text, format!("\"{layer}\""));
        assert_eq!(serde_json::from_str::<DiffId>(&text).unwrap(), layer);
        assert!(serde_json::from_str::<DiffId>("7").is_err() && serde_json::from_str::<DiffId>("\"x\"").is_err());
    }

    #[test]
    fn a_hasher_hashes_what_is_taken_and_nothing_else() {
        /// Takes and gives three bytes at a time.
        struct Slow(Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
                self.0.extend(buffer.iter().take(3));
                Ok(buffer.len().min(3))
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
        let mut hasher = Hasher::new(Slow(Vec::new()));
        hasher.write_all(b"a layer").unwrap();
        assert!(hasher.flush().is_err(), "what is below is asked");
        let (slow, hashed, count) = hasher.finish();
        assert_eq!((slow.0.as_slice(), DiffId::from(hashed), count), (&b"a layer"[..], DiffId::of(b"a layer"), 7));
        let mut hasher = Hasher::new(&b"a layer"[..]);
        let mut read = [0; 5];
        hasher.read_exact(&mut read).unwrap();
        let (rest, hashed, count) = hasher.finish();
        assert_eq!((rest, BlobDigest::from(hashed), count), (&b"er"[..], BlobDigest::of(b"a lay"), 5));
        let failing = DiffId::of_reader(&mut io::empty().chain(Failing));
        assert_eq!(failing.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
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
