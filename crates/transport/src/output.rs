//! Where rebuilt images are written when no engine takes them.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use delta_core::error::{Error, Result};
use delta_core::image::RebuiltImage;
use delta_core::job::places::{Nowhere, Places};
use delta_core::job::progress::Progress;

use crate::archive_writer::{
    Made, Naming, Sizes, made_blob, write_archive, write_archive_in_place, write_layout_in_place,
};
use crate::destination::{Destination, Product};
use crate::spool::TempScratch;
use crate::system;

/// A file or folder to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A tar that every engine loads and that is an OCI archive too.
    Archive(PathBuf),
    /// A folder with an OCI layout.
    Layout(PathBuf),
}

/// What skopeo writes to and this program does not, each with the way out.
const OTHERS: [(&str, &str); 5] = [
    ("containerd:", "it comes behind the package: apply PACKAGE containerd:[NAMESPACE/]NAME"),
    ("docker-daemon:", "without -o the image goes into the engine"),
    ("podman:", "without -o the image goes into the engine: --engine podman"),
    ("containers-storage:", "without -o the image goes into the engine: --engine podman"),
    ("dir:", "write an OCI layout with -o oci:DIR"),
];

impl FromStr for Output {
    type Err = Error;

    /// Reads `docker-archive:FILE`, `oci-archive:FILE`, `oci:FOLDER`, or a path: a folder if it is one or ends in `/`; `-` is
    /// standard output.
    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, hint)) = OTHERS.iter().find(|(prefix, _)| text.starts_with(prefix)) {
            return Err(Error::usage(format!("expected a file or folder to write to, found `{text}`; {hint}")));
        }
        let archive = text.strip_prefix("docker-archive:").or_else(|| text.strip_prefix("oci-archive:"));
        let prefixed = archive.or_else(|| text.strip_prefix("oci:")).filter(|path| !Path::new(path).exists());
        let named = prefixed.and_then(|path| {
            let drive = system::drive_bytes(path);
            let at = drive + path[drive..].find(':')?;
            Some((&path[..at], &path[at + 1..]))
        });
        if let Some((path, name)) = named {
            return Err(Error::usage(format!(
                "`{text}` names the image too; its name comes behind the package: apply PACKAGE {name} -o {path}"
            )));
        }
        let output = match (archive, text.strip_prefix("oci:")) {
            (Some(path), _) => Self::Archive(path.into()),
            (None, Some(path)) => Self::Layout(path.into()),
            // Without the slash, but for the root folder.
            _ if text.ends_with(std::path::is_separator) || Path::new(text).is_dir() => {
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

    /// Writes the images with the blobs that `make` makes, at the places that it is given for them; the name appears when all is there.
    ///
    /// An archive has places when it can be written at any and the `sizes` of all blobs are known.
    ///
    /// # Errors
    /// What `make` and writing report; an internal error when a blob is missing.
    pub fn write(
        &self,
        images: &mut [RebuiltImage],
        sizes: Option<&Sizes>,
        destination: &Destination,
        (scratch, progress): (&TempScratch, &dyn Progress),
        make: impl FnOnce(&dyn Places) -> Result<Made>,
    ) -> Result<()> {
        match (self, known_places(sizes, destination)) {
            (Self::Layout(_), _) => destination.write_folder(|folder| write_layout_in_place(images, folder, make)),
            (Self::Archive(_), Some(sizes)) => write_archive_in_place(images, sizes, destination, make),
            (Self::Archive(_), None) => {
                let made = make(&Nowhere)?;
                for image in &mut *images {
                    let blobs = image.wanted().into_keys();
                    image.blobs =
                        blobs.map(|blob| Ok((blob, made_blob(&made, blob)?.clone()))).collect::<Result<_>>()?;
                }
                destination.require(made.values().map(|blob| blob.bytes().len()).sum())?;
                destination.write_file(scratch, |out| write_archive(images, Naming::Named, progress, out))
            }
        }
    }

    /// Whether blobs of these `sizes` have places there.
    pub fn has_places(&self, sizes: Option<&Sizes>, destination: &Destination) -> bool {
        matches!(self, Self::Layout(_)) || known_places(sizes, destination).is_some()
    }
}

/// The sizes that tell where blobs lie in an archive.
fn known_places<'a>(sizes: Option<&'a Sizes>, destination: &Destination) -> Option<&'a Sizes> {
    sizes.filter(|_| destination.is_seekable())
}

#[cfg(test)]
mod tests;
