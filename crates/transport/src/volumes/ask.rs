//! What is missing, and who may be asked for it.

use std::path::PathBuf;

use delta_core::error::Result;

/// The volumes that a set still lacks.
#[derive(Debug)]
pub struct Lack {
    /// The names of the volumes of which nothing is there, as far as they are known.
    pub missing: Vec<String>,
    /// How many volumes the set has.
    pub volumes: u64,
    /// Where volumes were looked for.
    pub folders: Vec<PathBuf>,
}

/// Somebody who can put in another stick.
pub trait Ask {
    /// Whether there is any use in asking.
    fn is_anybody_there(&self) -> bool;

    /// Another folder to look into, or the same ones again; nothing when nobody answers.
    ///
    /// # Errors
    /// What asking reports.
    fn next(&self, lack: &Lack) -> Result<Option<Vec<PathBuf>>>;
}

/// Nobody sits there.
#[derive(Clone, Copy, Debug)]
pub struct NobodyToAsk;

impl Ask for NobodyToAsk {
    fn is_anybody_there(&self) -> bool {
        false
    }

    fn next(&self, _lack: &Lack) -> Result<Option<Vec<PathBuf>>> {
        Ok(None)
    }
}
