//! Lists of images: one reference a line, or what Compose files and Kubernetes manifests name. Errors say the file and the line.

mod compose;
mod kubernetes;
mod variables;
mod yaml;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use delta_core::error::{Error, Result};

/// What a list may have; a cluster with ten thousand manifests has some 50 MB.
const BYTES: u64 = 64 << 20;

/// An image that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The reference as it is written.
    pub image: String,
    /// The file and the line.
    pub place: String,
}

/// The references of a file with one a line; what stands behind a `#` is for people.
///
/// # Errors
/// Environment errors when it cannot be read, content errors when it is no text or a line has more than a reference.
pub fn plain(path: &Path) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let mut listed = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{label}:{}", number + 1);
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        if line.contains(char::is_whitespace) || line.contains(char::is_control) {
            return Err(Error::content(format!("{place}: expected one image a line, found `{}`", line.escape_debug())));
        }
        listed.push(Listed { image: line.to_owned(), place });
    }
    some(listed, &label)
}

/// The images of the services of a Compose file; variables are taken from `environment`, else from `.env` beside the file.
///
/// # Errors
/// As [`plain`], and when a variable has no value.
pub fn compose(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let beside =
        path.parent().map(|folder| folder.join(".env")).filter(|file| path != Path::new("-") && file.is_file());
    let defaults =
        beside.map(|file| read(&file)).transpose()?.map(|(text, _)| variables::of_file(&text)).unwrap_or_default();
    let value = |name: &str| environment(name).or_else(|| defaults.get(name).cloned());
    let listed = compose::images(&yaml::documents(&text, &label)?, &label, &value)?;
    some(listed, &label)
}

/// The images of every container of the manifests in a file, as `kubectl` and `helm template` write them.
///
/// # Errors
/// As [`plain`].
pub fn kubernetes(path: &Path) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let listed = kubernetes::images(&yaml::documents(&text, &label)?, &label)?;
    some(listed, &label)
}

/// A list that names nothing is the wrong file.
fn some(mut listed: Vec<Listed>, label: &str) -> Result<Vec<Listed>> {
    if listed.is_empty() {
        return Err(Error::usage(format!("{label} names no image")));
    }
    let mut seen = std::collections::BTreeSet::new();
    listed.retain(|one| seen.insert(one.image.clone()));
    Ok(listed)
}

/// A `#` begins a comment at the start of a line or behind a blank.
fn without_comment(line: &str) -> &str {
    let begins = |(at, character): &(usize, char)| {
        *character == '#' && line[..*at].chars().next_back().is_none_or(char::is_whitespace)
    };
    line.char_indices().find(begins).map_or(line, |(at, _)| &line[..at])
}

fn read(path: &Path) -> Result<(String, String)> {
    let is_stdin = path == Path::new("-");
    let label = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let doing = || Error::io(format!("reading {label}"));
    if is_stdin {
        io::stdin().lock().take(BYTES + 1).read_to_end(&mut bytes).map_err(doing())?;
    } else {
        File::open(path).and_then(|file| file.take(BYTES + 1).read_to_end(&mut bytes)).map_err(doing())?;
    }
    if bytes.len() as u64 > BYTES {
        return Err(Error::content(format!("{label} has more than {BYTES} bytes, which no list of images has")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::content(format!("{label}:{line}: expected text in UTF-8"))
    })?;
    Ok((text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), label))
}

#[cfg(test)]
mod tests;
