//! What of a tree could not be given back, by kind.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;

use delta_core::error::{Error, Result};

use super::entry::shown;
use crate::system;

/// Kinds that are told apart; a stream can name any number of attributes.
const KINDS: usize = 64;

/// Something that an entry should have and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loss {
    Owner,
    Group,
    SetId,
    Permissions,
    Time,
    Attribute(Vec<u8>),
    Device,
}

/// Everything of one kind that could not be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What: `the owner`, `the attribute security.capability` …
    pub what: String,
    /// Of how many entries.
    pub entries: u64,
    /// The first of them, fit to be shown.
    pub first: String,
    /// Why it could not.
    pub why: String,
    /// The option that goes on without it.
    pub option: &'static str,
    /// Whether it is usual: an ordinary user gives nothing away, and what nobody can keep is no error.
    usual: bool,
}

/// What was lost while a tree was made.
#[derive(Debug, Default)]
pub struct Losses(BTreeMap<Loss, Lost>);

impl Losses {
    /// Notes that the entry `name` lacks something.
    pub(super) fn add(&mut self, loss: Loss, name: &[u8], why: &io::Error) {
        let loss = if self.0.len() >= KINDS && !self.0.contains_key(&loss) {
            Loss::Attribute(b"(others)".to_vec())
        } else {
            loss
        };
        match self.0.entry(loss) {
            Entry::Occupied(mut lost) => lost.get_mut().entries += 1,
            Entry::Vacant(vacant) => {
                let lost = Lost::new(vacant.key(), name, why);
                vacant.insert(lost);
            }
        }
    }

    /// Whether something of the kind was lost.
    pub(super) fn has(&self, loss: &Loss) -> bool {
        self.0.contains_key(loss)
    }

    /// What was lost, when all of it is usual or not wanted.
    ///
    /// # Errors
    /// An environment error that lists all that is not, each with the option that goes on without it.
    pub(super) fn finish(self, doing: &str) -> Result<Vec<Lost>> {
        let grave: Vec<&Lost> = self.0.values().filter(|lost| !lost.usual).collect();
        if grave.is_empty() {
            return Ok(self.0.into_values().collect());
        }
        let list: Vec<String> = grave.iter().map(ToString::to_string).collect();
        let mut options: Vec<&str> = grave.iter().map(|lost| lost.option).collect();
        options.dedup();
        Err(Error::environment(format!("{doing}: {}", list.join("; ")))
            .with_hint(format!("go on without: {}; or run it as root on a file system that has it", options.join(" "))))
    }
}

impl Lost {
    fn new(loss: &Loss, name: &[u8], why: &io::Error) -> Self {
        let is_root = system::is_root();
        let (what, option, usual) = match loss {
            Loss::Owner => ("the owner".to_owned(), "--no-owner", !is_root),
            Loss::Group => ("the group".to_owned(), "--no-owner", !is_root),
            Loss::SetId => ("the set-user-ID or set-group-ID bit".to_owned(), "--no-owner", true),
            Loss::Permissions => ("the permissions".to_owned(), "--no-permissions", false),
            Loss::Time => ("the time".to_owned(), "--no-times", false),
            Loss::Attribute(attribute) => {
                // A label says what the policy of one machine means by it.
                let usual = !is_root && attribute == b"security.selinux";
                (format!("the attribute {}", shown(attribute)), "--no-xattrs", usual)
            }
            Loss::Device => ("the device".to_owned(), "--no-devices", false),
        };
        Self { what, entries: 1, first: shown(name), why: why.to_string(), option, usual }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, entries, first, why, .. } = self;
        match entries {
            1 => write!(formatter, "{what} of {first} ({why})"),
            _ => write!(formatter, "{what} of {entries} entries, the first is {first} ({why})"),
        }
    }
}

#[cfg(test)]
mod tests;
