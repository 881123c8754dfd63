//! What a job is given besides its data.

use std::io;
use std::sync::Arc;

use delta_codec::{ReadAt, Scratch, ScratchFile};

use crate::error::{Error, Result};
use crate::job::cache::IndexCache;
use crate::job::progress::Progress;

/// Room for what is too large for memory, somebody to tell, and what was found out before.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The room.
    pub scratch: &'a dyn Scratch,
    /// The listener.
    pub progress: &'a dyn Progress,
    /// What was found out about base layers, if that is kept.
    pub cache: Option<&'a dyn IndexCache>,
}

impl Context<'_> {
    /// Lets `fill` write into new room and returns what it wrote.
    ///
    /// # Errors
    /// What `fill` returns, and what the room reports while `doing` it.
    pub fn spool(
        &self,
        doing: &str,
        fill: impl FnOnce(&mut Box<dyn ScratchFile>) -> Result<()>,
    ) -> Result<Arc<dyn ReadAt>> {
        let mut file = self.file(doing)?;
        fill(&mut file)?;
        frozen(file, doing)
    }

    pub(crate) fn file(&self, doing: &str) -> Result<Box<dyn ScratchFile>> {
        self.scratch.create().map_err(failed(doing))
    }
}

/// What was written into `file`, while `doing` that.
pub(crate) fn frozen(file: Box<dyn ScratchFile>, doing: &str) -> Result<Arc<dyn ReadAt>> {
    file.freeze().map_err(failed(doing))
}

fn failed(doing: &str) -> impl FnOnce(io::Error) -> Error {
    Error::io(format!("{doing}: temporary file"))
}
