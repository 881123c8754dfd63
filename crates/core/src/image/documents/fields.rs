//! Objects as the field's programs read them, which are written in Go (package encoding/json): names of fields count in any case, of a
//! doubled field the last one counts, null is as good as absent, and bytes that are no UTF-8 are replaced.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::image::Document;

/// Why a text is not the object that it should be.
pub(super) type Fault = String;

/// The text of a document.
///
/// # Errors
/// For a byte order mark, which no program of the field reads past.
pub(super) fn text(document: &Document) -> Result<Cow<'_, str>, Fault> {
    let text = String::from_utf8_lossy(document.bytes());
    match text.starts_with('\u{feff}') {
        true => Err("it begins with a byte order mark, which no engine reads".to_owned()),
        false => Ok(text),
    }
}

/// The values of these fields, in their order; `None` for one that is absent or null.
///
/// # Errors
/// What is wrong, when it is no object.
pub fn fields<const N: usize>(text: &str, names: [&str; N]) -> Result<[Option<Box<RawValue>>; N], Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found = deserializer.deserialize_map(Wanted(names)).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(found.map(|value: Option<Box<RawValue>>| value.filter(|value| value.get() != "null")))
}

struct Wanted<'a, const N: usize>([&'a str; N]);

impl<'de, const N: usize> Visitor<'de> for Wanted<'_, N> {
    type Value = [Option<Box<RawValue>>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        while let Some(key) = map.next_key::<String>()? {
            match self.0.iter().position(|name| name.eq_ignore_ascii_case(&key)) {
                Some(at) => found[at] = Some(map.next_value::<Box<RawValue>>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// The elements of a list.
pub(super) fn list(value: Option<Box<RawValue>>, name: &str) -> Result<Vec<Box<RawValue>>, Fault> {
    let Some(value) = value else { return Ok(Vec::new()) };
    serde_json::from_str(value.get()).map_err(|_| format!("`{name}` is no list"))
}

/// A text, if it is one.
pub(super) fn lenient_string(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str::<Value>(value?.get()).ok()?.as_str().map(str::to_owned)
}

/// A text; an empty one where the field is absent.
pub(super) fn string(value: Option<&RawValue>, name: &str) -> Result<String, Fault> {
    let Some(value) = value else { return Ok(String::new()) };
    serde_json::from_str(value.get()).map_err(|_| format!("`{name}` is no text: {}", shortened(value.get())))
}

/// A size in bytes; 0 where it is absent or below, as those are who do not know it.
pub(super) fn size(value: Option<&RawValue>) -> Result<u64, Fault> {
    let Some(value) = value else { return Ok(0) };
    let number: i64 = serde_json::from_str(value.get())
        .map_err(|_| format!("`size` is no number of bytes: {}", shortened(value.get())))?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// The start of a text, for a message.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
