//! Where a product of a run goes: decided, and refused, before anything is read at length or written.
//!
//! Nothing of the user's is ever lost. A folder that is given for a file gets the file inside of it. Only what is there
//! already and is itself such a product may be replaced, and only when the user said so: never what this run reads, never a
//! folder that is no OCI layout, never a device. A symbolic link stays and its target is replaced. Devices, FIFOs and
//! standard output are written through.

mod read_back;
mod write;

pub use crate::partial::remove_pending;

use std::fmt;
use std::fs::{self, Metadata};
use std::io::{self, IsTerminal};
use std::path::{self, Path, PathBuf};

use delta_core::error::{Error, Result};

use crate::content::Content;
use crate::file_system;
use crate::inputs::Inputs;
use crate::system::{self, FileId, Special};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A package of images.
    Package,
    /// A numbered volume of a package.
    Volume,
    /// A difference of files or folders.
    Delta,
    /// A tar that engines load.
    Archive,
    /// A folder with an OCI layout.
    Layout,
    /// Any file.
    File,
    /// Any folder.
    Tree,
}

impl Product {
    const fn noun(self) -> &'static str {
        match self {
            Self::Package => "a package",
            Self::Volume => "a volume of a package",
            Self::Delta => "a difference",
            Self::Archive => "an image archive",
            Self::Layout => "an OCI layout",
            Self::File => "a file",
            Self::Tree => "a folder",
        }
    }

    /// What one may be called.
    const fn example(self) -> &'static str {
        match self {
            Self::Package => "NAME.ddelta",
            Self::Volume => "NAME.ddelta.001",
            Self::Delta => "NAME.delta",
            Self::Archive => "NAME.tar",
            Self::Layout | Self::File | Self::Tree => "NAME",
        }
    }

    const fn is_folder(self) -> bool {
        matches!(self, Self::Layout | Self::Tree)
    }

    /// Whether it may take the place of such a thing when the user says so.
    const fn may_replace(self, there: Content) -> bool {
        match self {
            Self::Package => matches!(there, Content::Package | Content::Encrypted | Content::Nothing),
            Self::Volume => matches!(there, Content::Volume | Content::Nothing),
            Self::Delta => {
                matches!(there, Content::Package | Content::Encrypted | Content::Difference | Content::Nothing)
            }
            Self::Archive => matches!(there, Content::Archive | Content::Nothing),
            Self::Layout => matches!(there, Content::Layout | Content::Nothing),
            Self::File => true,
            Self::Tree => matches!(there, Content::Nothing),
        }
    }
}

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is to be written.
    pub product: Product,
    /// The path as it was typed; `-` is standard output.
    pub path: &'a Path,
    /// What a file is called in a folder that is given for it; nothing where no name makes sense.
    pub name: Option<&'a str>,
    /// Whether what is there may be replaced.
    pub force: bool,
    /// What the run reads.
    pub inputs: &'a Inputs,
}

/// Where a product goes.
#[derive(Clone, Debug)]
pub struct Destination {
    pub(crate) product: Product,
    pub(crate) shown: String,
    pub(crate) place: Place,
    reads_back: bool,
    is_executable: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Stdout,
    /// A device or FIFO.
    Stream(PathBuf),
    /// A name in a folder, and what has it now.
    Name {
        path: PathBuf,
        replaced: Option<FileId>,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl Destination {
    /// Decides where it goes, and touches nothing.
    ///
    /// # Errors
    /// Usage errors for what must not be written there, environment errors where it cannot be.
    pub fn choose(request: Request<'_>) -> Result<Self> {
        let Request { product, path, name, .. } = request;
        if is_stdout(path) {
            return stdout(product);
        }
        if let Some(why) = system::odd_name(path) {
            return Err(
                Error::usage(format!("{} cannot be written: {why}", path.display())).with_hint("name another file")
            );
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() && !product.is_folder() => {
                let Some(name) = name else {
                    return Err(Error::usage(format!(
                        "{} is a folder, where {} is to be written",
                        path.display(),
                        product.noun()
                    ))
                    .with_hint(format!("name a file in it: {}", path.join(product.example()).display())));
                };
                let path = path.join(name);
                if path.is_dir() {
                    return Err(Error::usage(format!(
                        "{} is a folder, where {} is to be written",
                        path.display(),
                        product.noun()
                    ))
                    .with_hint("name a file"));
                }
                Self::choose(Request { path: &path, ..request })
            }
            Ok(found) if found.is_dir() || found.is_file() => Self::occupied(request, &found),
            Ok(found) => Self::stream(request, &found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::free(request),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(Error::environment(format!("{} lies in a file, which is no folder", path.display())))
            }
            Err(error) => Err(Error::io(format!("looking at {}", path.display()))(error)),
        }
    }

    /// The same; where it is `wanted`, what is written is read back from the medium before it gets its name.
    ///
    /// # Errors
    /// A usage error where nothing can be read back.
    pub fn reading_back(self, wanted: bool) -> Result<Self> {
        if wanted && !matches!(self.place, Place::Name { .. }) {
            return Err(Error::usage(format!("nothing can be read back from {}", self.shown)).with_hint("name a file"));
        }
        Ok(Self { reads_back: wanted, ..self })
    }

    /// The same; where it `is_executable`, whoever may read the file may run it.
    #[must_use]
    pub fn executable(self, is_executable: bool) -> Self {
        Self { is_executable, ..self }
    }

    /// What goes there.
    pub const fn product(&self) -> Product {
        self.product
    }

    /// The name that it gets; nothing where it goes to a device, a pipe or standard output.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Name { path, .. } => Some(path),
            Place::Stdout | Place::Stream(_) => None,
        }
    }

    /// Whether it goes to standard output.
    pub const fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// The largest file that its file system takes, where that is known to be small.
    pub fn largest_file(&self) -> Option<u64> {
        match &self.place {
            Place::Name { path, .. } => file_system::largest_file(folder_of(path)),
            Place::Stdout | Place::Stream(_) => None,
        }
    }

    /// Fails when there is less room than `bytes`, or when the file system takes no file of that size.
    ///
    /// # Errors
    /// An environment error with both figures.
    pub fn require(&self, bytes: u64) -> Result<()> {
        let Place::Name { path, .. } = &self.place else { return Ok(()) };
        let (folder, noun) = (folder_of(path), self.product.noun());
        if !self.product.is_folder() {
            file_system::require_size(folder, bytes, noun).map_err(|error| match self.product {
                Product::Package => {
                    error.with_hint("`--volume-size fat32` of `create` and `split` makes files that fit")
                }
                _ => error,
            })?;
        }
        file_system::require(folder, bytes, noun)
            .map_err(|error| error.with_hint("free some room, or name a place with more of it"))
    }

    /// The same, together with so many bytes of temporary files in the folder `scratch`, and what these are for.
    ///
    /// # Errors
    /// An environment error with both figures.
    pub fn require_besides(&self, bytes: u64, scratch: &Path, (temporary, what): (u64, &str)) -> Result<()> {
        file_system::require(scratch, temporary, what)?;
        let Place::Name { path, .. } = &self.place else { return Ok(()) };
        let is_shared = file_system::are_same(scratch, folder_of(path));
        self.require(bytes.saturating_add(if is_shared { temporary } else { 0 }))
    }

    /// A name that nothing has.
    fn free(request: Request<'_>) -> Result<Self> {
        let Request { product, path, inputs, .. } = request;
        let shown = path.display();
        if let Ok(target) = fs::read_link(path) {
            return Err(Error::usage(format!(
                "{shown} is a symbolic link to {}, which is not there",
                target.display()
            ))
            .with_hint("name the place itself"));
        }
        let folder = folder_of(path);
        let is_slashed = path.as_os_str().to_string_lossy().ends_with(path::is_separator);
        let Some(name) = path.file_name().filter(|_| product.is_folder() || !is_slashed) else {
            return Err(absent(path));
        };
        if !folder.is_dir() {
            return Err(if folder.exists() {
                Error::environment(format!("{} is no folder", folder.display()))
            } else {
                absent(folder)
            });
        }
        let folder = fs::canonicalize(folder).map_err(Error::io(format!("looking at {}", folder.display())))?;
        Self::named(product, shown.to_string(), folder.join(name), None, inputs)
    }

    /// The name of something that is there.
    fn occupied(request: Request<'_>, found: &Metadata) -> Result<Self> {
        let Request { product, path, force, inputs, .. } = request;
        let shown = path.display().to_string();
        let real = fs::canonicalize(path).map_err(Error::io(format!("looking at {shown}")))?;
        let id = system::file_id(path).map_err(Error::io(format!("looking at {shown}")))?;
        if let Some(input) = inputs.named(id) {
            let alias = if input == shown { String::new() } else { format!(" is {input}") };
            return Err(Error::usage(format!("{shown}{alias}, which this run reads, cannot be written"))
                .with_hint("name another file"));
        }
        if found.is_dir() != product.is_folder() {
            let kind = if found.is_dir() { "folder" } else { "file" };
            return Err(Error::usage(format!("{shown} is a {kind}, where {} is to be written", product.noun()))
                .with_hint(format!("name another place, or remove the {kind} yourself if it is not needed")));
        }
        let there = if found.is_dir() { Content::of_folder(&real)? } else { Content::of_file(&real)? };
        // An empty folder is as good as none; an empty file may be a name that another program holds.
        let is_empty_folder = found.is_dir() && there == Content::Nothing;
        let is_free = is_empty_folder || (force && product.may_replace(there));
        if !is_free {
            return Err(taken(product, &shown, there));
        }
        if found.is_dir() {
            check_movable(&shown, &real, id)?;
        }
        Self::named(product, shown, real, Some(id), inputs)
    }

    fn named(
        product: Product,
        shown: String,
        path: PathBuf,
        replaced: Option<FileId>,
        inputs: &Inputs,
    ) -> Result<Self> {
        if let Some(input) = inputs.around(&path) {
            return Err(Error::usage(format!("{shown} is inside of {input}, which this run reads"))
                .with_hint("name a place outside of it"));
        }
        let folder = folder_of(&path);
        system::require_writable(folder).map_err(|error| {
            Error::environment(format!("{shown} cannot be written: {}: {error}", folder.display()))
                .with_hint("name a place in a folder that you may write to")
        })?;
        Ok(Self { product, shown, place: Place::Name { path, replaced }, reads_back: false, is_executable: false })
    }

    fn stream(request: Request<'_>, found: &Metadata) -> Result<Self> {
        let Request { product, path, .. } = request;
        let shown = path.display().to_string();
        let refused = |why: &str| Err(Error::usage(format!("{shown} is {why}")).with_hint("name a file"));
        let kind = system::special(found);
        if product.is_folder() {
            return refused(&format!("{}, where {} is to be written", special(kind), product.noun()));
        }
        match kind {
            Some(Special::Disk) => return refused("a disk, whose content would be lost"),
            Some(Special::Socket) => return refused("a socket, which cannot be opened as a file"),
            Some(Special::Terminal) => {
                return refused(&format!("a terminal, which {} would garble", product.noun()));
            }
            Some(Special::Pipe | Special::Device) | None => {}
        }
        Ok(Self { product, shown, place: Place::Stream(path.to_owned()), reads_back: false, is_executable: false })
    }
}

fn stdout(product: Product) -> Result<Destination> {
    if product.is_folder() {
        return Err(Error::usage(format!("{} cannot go to standard output", product.noun())).with_hint("name a folder"));
    }
    if crate::stdout::get().is_ok_and(|stdout| stdout.is_terminal()) {
        return Err(Error::usage(format!("standard output is a terminal, which {} would garble", product.noun()))
            .with_hint("send it to a file or a program: `> FILE` or `| PROGRAM`"));
    }
    Ok(Destination {
        product,
        shown: "standard output".to_owned(),
        place: Place::Stdout,
        reads_back: false,
        is_executable: false,
    })
}

/// `-`, and the names that the system has for it: behind them may be a file that the shell made.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || system::is_stdout(path)
}

/// A folder that is replaced is moved, which some cannot be.
fn check_movable(shown: &str, real: &Path, id: FileId) -> Result<()> {
    let hint = || format!("name a new folder in it: {}", Path::new(shown).join("NAME").display());
    if system::file_id(Path::new(".")).is_ok_and(|here| here == id) {
        return Err(Error::usage(format!("{shown} is the folder in which you are")).with_hint(hint()));
    }
    if real.parent().is_none_or(|parent| system::device(parent).is_ok_and(|device| device != id.0)) {
        return Err(Error::usage(format!("{shown} is where a file system is mounted")).with_hint(hint()));
    }
    Ok(())
}

/// What is there and is not replaced. No hint leads into a loss: `-f` is named only where it replaces one product by
/// another of its kind.
fn taken(product: Product, shown: &str, there: Content) -> Error {
    let what = product.noun();
    let replaceable = product.may_replace(there) && product != Product::File && there != Content::Nothing;
    match there {
        _ if replaceable => Error::usage(format!("{shown} exists already")).with_hint("replace it with -f"),
        Content::Archive if product == Product::Package => {
            Error::usage(format!("{shown} is an image archive, where a package is to be written"))
                .with_hint("the package is named last: IMAGE... PACKAGE")
        }
        _ if product == Product::Tree => Error::usage(format!("{shown} exists already and is not empty"))
            .with_hint("name a new folder, or remove this one yourself if it is not needed"),
        Content::Nothing | Content::Other if product == Product::Layout => {
            Error::usage(format!("{shown} holds other things than {what}, so it is not replaced"))
                .with_hint(format!("name a new folder, such as {}", Path::new(shown).join("image").display()))
        }
        _ => Error::usage(format!("{shown} exists already{}", kind_of(product, there)))
            .with_hint("name another file, or remove this one yourself if it is not needed"),
    }
}

fn kind_of(product: Product, there: Content) -> String {
    match (product, there) {
        (Product::File, _) => String::new(),
        (_, Content::Nothing) => " and is empty".to_owned(),
        (_, Content::Other) => format!(" and is not {}", product.noun()),
        _ => format!(" and is {}, not {}", there.noun(), product.noun()),
    }
}

fn absent(folder: &Path) -> Error {
    Error::environment(format!("the folder {} does not exist", folder.display()))
        .with_hint("make it first, or name another")
}

const fn special(kind: Option<Special>) -> &'static str {
    match kind {
        Some(Special::Pipe) => "a FIFO",
        Some(Special::Socket) => "a socket",
        _ => "a device",
    }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests;
