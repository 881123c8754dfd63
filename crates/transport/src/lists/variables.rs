//! Variables in Compose files (compose-spec, "Interpolation").

use std::collections::BTreeMap;

use delta_core::error::{Error, Result};

/// A text with its variables replaced by their values.
pub(super) fn filled(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled += before;
        rest = match after.chars().next() {
            Some('$') => {
                filled.push('$');
                &after[1..]
            }
            Some('{') => {
                let (inside, behind) = after[1..].split_once('}').ok_or_else(|| no_name(after))?;
                filled += &braced(inside, value)?;
                behind
            }
            _ => {
                let name = name(after);
                if name.is_empty() {
                    return Err(no_name(after));
                }
                filled += &value(name).ok_or_else(|| no_value(name, ""))?;
                &after[name.len()..]
            }
        };
    }
    Ok(filled + rest)
}

/// What stands in `${…}`: a name, and what holds where it has no value, or (with a colon) an empty one.
fn braced(inside: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let name = name(inside);
    if name.is_empty() {
        return Err(no_name(inside));
    }
    let rest = &inside[name.len()..];
    let (operator, counts_empty) = match rest.strip_prefix(':') {
        Some(operator) => (operator, true),
        None => (rest, false),
    };
    let found = value(name).filter(|found| !counts_empty || !found.is_empty());
    match (operator.chars().next(), found) {
        (None, _) if counts_empty => Err(no_name(inside)),
        (None | Some('-' | '?'), Some(found)) => Ok(found),
        (Some('-'), None) => Ok(operator[1..].to_owned()),
        (Some('?'), None) => Err(no_value(name, &operator[1..])),
        (Some('+'), found) => Ok(found.map(|_| operator[1..].to_owned()).unwrap_or_default()),
        (None, None) => Err(no_value(name, "")),
        _ => Err(no_name(inside)),
    }
}

fn name(text: &str) -> &str {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    &text[..text.find(|character| !is_part(character)).unwrap_or(text.len())]
}

fn no_name(found: &str) -> Error {
    Error::content(format!(
        "expected the name of a variable behind `$`, found `{}`; `$$` is a dollar",
        found.escape_debug()
    ))
}

fn no_value(name: &str, why: &str) -> Error {
    let why = if why.is_empty() { String::new() } else { format!(": {}", why.escape_debug()) };
    Error::usage(format!("the variable {name} has no value{why}"))
        .with_hint(format!("give it one in the environment, or in .env beside the file: {name}=VALUE"))
}

/// The variables of a `.env` file.
pub(super) fn of_file(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let line = line.trim().strip_prefix("export ").unwrap_or(line.trim());
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let quoted = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
        let value = quoted('"')
            .or_else(|| quoted('\''))
            .unwrap_or_else(|| value.split(" #").next().unwrap_or(value).trim_end());
        Some((name.trim().to_owned(), value.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests;
