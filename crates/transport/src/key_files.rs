//! Files with keys and passwords, and the folder of those that count on this machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use delta_envelope::key::{NewKeys, PublicKey};
use delta_envelope::limits::KEY_FILE_BYTES;
use delta_envelope::trust::NamedKey;

use crate::system;

/// The folder of the keys that count for everybody on this machine: NAME.pub is trusted, NAME.revoked is not any more. No variable of the
/// environment moves it, for whoever sets that would choose whom the machine trusts.
pub fn trusted() -> PathBuf {
    system::settings().join("trusted.d")
}

/// Reads a file that only its owner may read.
///
/// # Errors
/// Environment errors when it cannot be read, or others can read it too.
pub fn read_secret(path: &Path) -> Result<Vec<u8>> {
    let (file, bytes) = read(path)?;
    let found = file.metadata().map_err(Error::io(format!("looking at {}", path.display())))?;
    let mode = system::mode(&found).unwrap_or_default() & 0o777;
    if found.is_file() && mode & 0o077 != 0 {
        return Err(Error::environment(format!(
            "{} is secret, and others can read or write it: expected the permissions 600 or 400, found {mode:o}",
            path.display()
        ))
        .with_hint(format!("chmod 600 {}; if others may have read it, make another key", path.display())));
    }
    Ok(bytes)
}

/// Reads a file that is no secret, such as one with a public key.
///
/// # Errors
/// Environment errors when it cannot be read; content errors when it is too long for one.
pub fn read_public(path: &Path) -> Result<Vec<u8>> {
    Ok(read(path)?.1)
}

fn read(path: &Path) -> Result<(File, Vec<u8>)> {
    let doing = || Error::io(format!("reading {}", path.display()));
    let file = File::open(path).map_err(doing())?;
    let mut bytes = Vec::new();
    // One byte more shows that it is too long, which whoever reads it says.
    (&file).take(KEY_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(doing())?;
    Ok((file, bytes))
}

/// The keys that `text` names: a public key itself, a file with one, or a folder of files NAME.pub and NAME.revoked.
///
/// # Errors
/// Environment errors when files cannot be read, content errors when there is no key in them.
pub fn named(text: &str) -> Result<Vec<NamedKey>> {
    if PublicKey::is_meant(text) {
        let key = PublicKey::parse(text.as_bytes())?;
        return Ok(vec![NamedKey { name: text.to_owned(), key, is_revoked: false }]);
    }
    let path = Path::new(text);
    if path.is_dir() {
        let keys = of_folder(path)?;
        if !keys.iter().any(|known| !known.is_revoked) {
            return Err(Error::usage(format!(
                "no key in {text} is trusted: it has no file NAME.pub that is not revoked"
            )));
        }
        return Ok(keys);
    }
    Ok(vec![NamedKey { key: public_key(path)?, name: text.to_owned(), is_revoked: false }])
}

/// The keys of the machine; none where the folder is not there.
///
/// # Errors
/// As [`named`], and when others than its owner can write a key.
pub fn of_machine() -> Result<Vec<NamedKey>> {
    let folder = trusted();
    if !folder.try_exists().map_err(Error::io(format!("looking at {}", folder.display())))? {
        return Ok(Vec::new());
    }
    let keys = of_folder(&folder)?;
    for path in keys.iter().map(|known| Path::new(&known.name)).chain([&*folder]) {
        require_unwritable(path)?;
    }
    Ok(keys)
}

/// Whoever can write there chooses whom this machine trusts.
fn require_unwritable(path: &Path) -> Result<()> {
    let found = fs::metadata(path).map_err(Error::io(format!("looking at {}", path.display())))?;
    if system::mode(&found).unwrap_or_default() & 0o022 == 0 {
        return Ok(());
    }
    Err(Error::environment(format!("others can write {}, so it says nothing about trust", path.display()))
        .with_hint(format!("look what is in it, then chmod go-w {}", path.display())))
}

fn of_folder(folder: &Path) -> Result<Vec<NamedKey>> {
    let doing = || Error::io(format!("reading {}", folder.display()));
    let entries = fs::read_dir(folder).map_err(doing())?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(doing())?;
    paths.sort();
    let mut keys = Vec::new();
    for path in paths {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let (key, is_revoked) = match ending {
            Some("pub") => (public_key(&path)?, false),
            Some("revoked") => (revoked(&path)?, true),
            _ => continue,
        };
        keys.push(NamedKey { key, name: path.display().to_string(), is_revoked });
    }
    Ok(keys)
}

/// NAME.revoked holds the key, or is empty and speaks of NAME.pub.
fn revoked(path: &Path) -> Result<PublicKey> {
    let text = read_public(path)?;
    if text.iter().all(u8::is_ascii_whitespace) {
        let other = path.with_extension("pub");
        return public_key(&other).map_err(|error| {
            error.within(&path.display().to_string()).with_hint("put the public key that is revoked into it")
        });
    }
    PublicKey::parse(&text).map_err(|error| error.within(&path.display().to_string()))
}

fn public_key(path: &Path) -> Result<PublicKey> {
    PublicKey::parse(&read_public(path)?).map_err(|error| error.within(&path.display().to_string()))
}

/// Writes NAME.key, which only its owner may read, and NAME.pub; returns their paths.
///
/// # Errors
/// Usage errors when one of them is there already; environment errors when they cannot be written. Nothing is left then.
pub fn write_new(name: &Path, keys: &NewKeys) -> Result<[PathBuf; 2]> {
    let [secret, public] = paths(name);
    require_absent(name)?;
    create(&secret, 0o600, keys.secret_file.as_bytes())?;
    create(&public, 0o644, keys.public.to_file().as_bytes()).inspect_err(|_| {
        // It was made a moment ago, and nobody has the other half.
        let _ = fs::remove_file(&secret);
    })?;
    Ok([secret, public])
}

/// Fails when NAME.key or NAME.pub is there: a key that is lost does not come back.
///
/// # Errors
/// Usage errors.
pub fn require_absent(name: &Path) -> Result<()> {
    match paths(name).iter().find(|path| fs::symlink_metadata(path).is_ok()) {
        Some(there) => Err(Error::usage(format!("{} exists already, and a key is never replaced", there.display()))
            .with_hint("choose another name")),
        None => Ok(()),
    }
}

fn paths(name: &Path) -> [PathBuf; 2] {
    [".key", ".pub"].map(|ending| with_ending(name, ending))
}

/// The path with an ending behind whatever it has.
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let doing = || Error::io(format!("writing {}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = system::with_mode(options.write(true).create_new(true), mode).open(path).map_err(doing())?;
    // Neither the mask of the shell nor rules of the folder make it readable for others.
    system::set_mode(&file, mode).map_err(doing())?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(doing()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// The first line of what comes through an open file of this number: `what` no other user sees.
///
/// # Errors
/// Environment errors when nothing can be read there, usage errors for what is no text, and where open files have no numbers.
pub fn first_line(descriptor: u32, what: &str) -> Result<String> {
    let path = system::descriptor(descriptor).map_err(|_: io::Error| {
        Error::usage(format!(
            "the {what} cannot come through an open file here, for this system has no numbers for them"
        ))
        .with_hint("give it in the variable of the environment, or type it when it is asked for")
    })?;
    let bytes = read_public(&path)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::usage(format!("the {what} is no text in UTF-8")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
