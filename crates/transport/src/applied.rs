//! What was applied last: so that an older package is not taken for a later one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use delta_core::package::KeyId;
use serde::{Deserialize, Serialize};

use crate::limits::APPLIED_BYTES;
use crate::system;

/// The file with the latest sequence of each image by each key.
#[derive(Debug)]
pub struct Applied {
    path: PathBuf,
    stored: Stored,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema: u32,
    /// By the name of the image, then by the ID of the key.
    images: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Applied {
    /// Reads what is kept in `folder`; nothing was applied where there is nothing.
    ///
    /// # Errors
    /// Environment errors when it cannot be read, content errors when it is none of ours.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("applied.json");
        let within = |error: Error| error.within(&path.display().to_string());
        let stored = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stored { schema: 1, ..Stored::default() },
            Err(error) => return Err(within(Error::io("looking at what was applied")(error))),
            Ok(found) if found.len() > APPLIED_BYTES => {
                return Err(within(Error::content("it is too long for what was applied")));
            }
            Ok(_) => {
                let bytes = fs::read(&path).map_err(Error::io(format!("reading {}", path.display())))?;
                let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| {
                    within(Error::content(format!("it does not say what was applied: {error}")))
                        .with_hint("look what it is; without it no package counts as older")
                })?;
                stored
            }
        };
        if stored.schema != 1 {
            return Err(within(Error::content(format!("expected schema 1, found {}", stored.schema))));
        }
        Ok(Self { path, stored })
    }

    /// Fails when a later package of the image was applied than that which `key` gave this number.
    ///
    /// # Errors
    /// Content errors with both numbers.
    pub fn require_not_older(&self, image: &str, key: KeyId, sequence: u64) -> Result<()> {
        let last = self.stored.images.get(image).and_then(|keys| keys.get(&key.to_string()));
        match last {
            Some(&last) if last > sequence => Err(Error::content(format!(
                "the package is older than what was applied: of {image}, key {key} signed number {last} before, and now {sequence}"
            ))
            .with_hint("get the latest package, or leave --no-downgrade to go back")),
            _ => Ok(()),
        }
    }

    /// Keeps that this was applied.
    pub fn note(&mut self, image: &str, key: KeyId, sequence: u64) {
        let last = self.stored.images.entry(image.to_owned()).or_default().entry(key.to_string()).or_default();
        *last = sequence;
    }

    /// Writes what is kept, in one step.
    ///
    /// # Errors
    /// Environment errors.
    pub fn write(&self) -> Result<()> {
        let doing = || Error::io(format!("writing {}", self.path.display()));
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        system::make_private_folders(folder).map_err(doing())?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(doing())?;
        let text = serde_json::to_vec_pretty(&self.stored).map_err(|error| Error::internal(error.to_string()))?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(doing())?;
        file.persist(&self.path).map_err(|error| doing()(error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
