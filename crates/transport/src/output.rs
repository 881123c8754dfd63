//! Where rebuilt images are written when no engine takes them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use delta_core::error::{Error, Result};
use delta_core::image::RebuiltImage;
use delta_core::job::progress::Progress;

use crate::archive_writer::{Naming, check_complete, write_archive, write_layout};
use crate::destination::{Destination, Product};
use crate::spool::TempScratch;

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

    /// Reads `docker-archive:FILE`, `oci-archive:FILE`, `oci:FOLDER`, or a path: a folder if it is one or ends in `/`; `-` is
    /// standard output.
    fn from_str(text: &str) -> Result<Self> {
        let archive = text.strip_prefix("docker-archive:").or_else(|| text.strip_prefix("oci-archive:"));
        let output = match (archive, text.strip_prefix("oci:")) {
            (Some(path), _) => Self::Archive(path.into()),
            (None, Some(path)) => Self::Layout(path.into()),
            // Without the slash, but for the root folder.
            _ if text.ends_with('/') || Path::new(text).is_dir() => {
                Self::Layout(Path::new(text).components().collect())
            }
            _ => Self::Archive(text.into()),
        };
        if output.path().as_os_str().is_empty() {
            return Err(Error::usage("expected a file or folder to write to, found nothing"));
        }
        Ok(output)
    }
}

impl Output {
    /// The path as it was typed.
    pub fn path(&self) -> &Path {
        match self {
            Self::Archive(path) | Self::Layout(path) => path,
        }
    }

    /// What is written there.
    pub const fn product(&self) -> Product {
        match self {
            Self::Archive(_) => Product::Archive,
            Self::Layout(_) => Product::Layout,
        }
    }

    /// Writes the images; the name appears when all is there.
    ///
    /// # Errors
    /// What writing reports; an internal error when a blob is missing.
    pub fn write(
        &self,
        images: &[RebuiltImage],
        destination: &Destination,
        scratch: &TempScratch,
        progress: &dyn Progress,
    ) -> Result<()> {
        images.iter().try_for_each(check_complete)?;
        let size = images.iter().flat_map(|image| image.blobs.values()).map(|blob| blob.bytes().len()).sum();
        destination.require(size)?;
        match self {
            Self::Archive(_) => {
                destination.write_file(scratch, |out| write_archive(images, Naming::Named, progress, out))
            }
            Self::Layout(_) => destination.write_folder(|folder| write_layout(images, folder, progress)),
        }
    }
}
