//! What a file is besides its bytes: permissions, owner, time and extended attributes.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The permission bits, with set-user-ID, set-group-ID and the sticky bit (POSIX, `chmod`).
const MODE_BITS: u32 = 0o7777;

/// What a file, folder or other entry of a file system is besides its name and content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Permissions: the lowest twelve bits of `st_mode`.
    pub mode: u32,
    /// The number of the owner.
    pub uid: u32,
    /// The number of the group.
    pub gid: u32,
    /// When the content was changed last.
    pub modified: Time,
    /// The extended attributes, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// A time as file systems keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Seconds since 1970-01-01 00:00 UTC, rounded down; negative before.
    pub seconds: i64,
    /// Nanoseconds behind that second, below 1,000,000,000.
    pub nanoseconds: u32,
}

/// An extended attribute; access control lists and capabilities are such.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name: any bytes but NUL.
    #[serde(with = "hex")]
    pub name: Vec<u8>,
    /// Its value: any bytes.
    #[serde(with = "hex")]
    pub value: Vec<u8>,
}

impl Facts {
    /// Whether a file system can have them.
    ///
    /// # Errors
    /// A content error that names what no file system has.
    pub fn check(&self) -> Result<()> {
        let fault = |what: String| Err(Error::content(format!("no file is like this: {what}")));
        if self.mode > MODE_BITS {
            return fault(format!("the mode {:o}", self.mode));
        }
        if self.modified.nanoseconds >= 1_000_000_000 {
            return fault(format!("a time with {} nanoseconds", self.modified.nanoseconds));
        }
        let invalid = |attribute: &&Attribute| attribute.name.is_empty() || attribute.name.contains(&0);
        if let Some(attribute) = self.attributes.iter().find(invalid) {
            return fault(format!("an attribute named `{}`", attribute.name.escape_ascii()));
        }
        if !self.attributes.is_sorted_by(|one, next| one.name < next.name) {
            return fault("attributes that are not sorted, or twice the same".to_owned());
        }
        Ok(())
    }
}

/// Bytes as lower-case hexadecimal digits, because names and values need not be text.
mod hex {
    use std::fmt::Write;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        bytes.ok_or_else(|| de::Error::custom("expected pairs of lower-case hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let attribute = |name: &[u8], value: &[u8]| Attribute { name: name.to_vec(), value: value.to_vec() };
        Facts {
            mode: 0o4755,
            uid: 1,
            gid: u32::MAX,
            modified: Time { seconds: -1, nanoseconds: 999_999_999 },
            attributes: vec![attribute(b"user.\xff=\n", b"\n\0"), attribute(b"user.b", b"")],
        }
    }

    #[test]
    fn facts_come_back_and_are_text() {
        let mut facts = facts();
        facts.attributes.sort();
        let text = serde_json::to_string(&facts).unwrap();
        assert!(text.contains("\"757365722eff3d0a\"") && text.contains("\"0a00\""), "{text}");
        assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
        facts.check().unwrap();
        for wrong in ["0A00", "0a0", "0g00"] {
            assert!(serde_json::from_str::<Facts>(&text.replace("0a00", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_no_file_system_has_is_refused() {
        let refused = |change: &dyn Fn(&mut Facts), text: &str| {
            let mut facts = facts();
            facts.attributes.sort();
            change(&mut facts);
            let error = facts.check().unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        refused(&|facts| facts.mode = 0o10_000, "the mode 10000");
        refused(&|facts| facts.modified.nanoseconds = 1_000_000_000, "1000000000 nanoseconds");
        refused(&|facts| facts.attributes[0].name.clear(), "named ``");
        refused(&|facts| facts.attributes[1].name.push(0), r"\x00");
        refused(&|facts| facts.attributes.reverse(), "not sorted");
        refused(&|facts| facts.attributes[1] = facts.attributes[0].clone(), "twice");
    }
}
