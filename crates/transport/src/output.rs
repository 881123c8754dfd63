//! Where rebuilt images are written when no engine takes them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use delta_core::error::{Error, Result};
use delta_core::image::RebuiltImage;
use delta_core::job::progress::Progress;

use crate::archive_writer::{Naming, check_complete, write_archive, write_layout};
use crate::{atomic_file, volume};

/// A file or folder to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A tar that every engine loads and that is an OCI archive too.
    Archive(PathBuf),
    /// A folder with an OCI layout.
    Layout(PathBuf),
}

impl FromStr for Output {
    type Err = Error;

    /// Reads `docker-archive:FILE`, `oci-archive:FILE`, `oci:FOLDER`, or a path: a folder if it is one or ends in `/`.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("docker-archive:").or_else(|| text.strip_prefix("oci-archive:")) {
            return Ok(Self::Archive(path.into()));
        }
        if let Some(path) = text.strip_prefix("oci:") {
            return Ok(Self::Layout(path.into()));
        }
        if text.is_empty() {
            return Err(Error::usage("expected a file or folder to write to, found nothing"));
        }
        Ok(if text.ends_with('/') || Path::new(text).is_dir() {
            Self::Layout(text.trim_end_matches('/').into())
        } else {
            Self::Archive(text.into())
        })
    }
}

impl Output {
    /// The path.
    pub fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Layout(path) => path,
        }
    }

    /// Whether it may be written.
    ///
    /// # Errors
    /// Usage errors when something is there, environment errors when its folder is not.
    pub fn check(&self, force: bool) -> Result<()> {
        atomic_file::check_free(self.path(), force)
    }

    /// Writes the images; the name appears when all is there.
    ///
    /// # Errors
    /// What writing reports; an internal error when a blob is missing.
    pub fn write(&self, images: &[RebuiltImage], force: bool, progress: &dyn Progress) -> Result<()> {
        images.iter().try_for_each(check_complete)?;
        let folder =
            self.path().parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let size = images.iter().flat_map(|image| image.blobs.values()).map(|blob| blob.bytes().len()).sum();
        volume::require(folder, size, "the image")?;
        match self {
            Self::Archive(path) => {
                atomic_file::write_file(path, force, |out| write_archive(images, Naming::Named, progress, out))
            }
            Self::Layout(path) => {
                atomic_file::write_folder(path, force, |folder| write_layout(images, folder, progress))
            }
        }
    }
}
