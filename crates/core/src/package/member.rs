//! A member of a package, before it is written or after it was found.

use std::sync::Arc;

use delta_codec::{ReadAt, Reader};

use super::metadata::MemberEntry;
use crate::digest::BlobDigest;
use crate::error::{Error, Result};

/// A member: its name and its bytes, as they are stored.
#[derive(Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Arc<dyn ReadAt>,
}

impl Member {
    /// A member with its digest.
    ///
    /// # Errors
    /// What reading its bytes reports.
    pub(crate) fn entry(&self) -> Result<MemberEntry> {
        let (digest, size) = BlobDigest::of_reader(&mut Reader::new(&self.bytes))
            .map_err(Error::io(format!("reading the member {}", self.name)))?;
        Ok(MemberEntry { name: self.name.clone(), size, digest })
    }
}
