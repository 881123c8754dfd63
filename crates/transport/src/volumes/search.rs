//! Which files are volumes of a set: by their headers, and where these are lost by their names.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_core::error::{Error, Result};
use delta_envelope::volumes::{Header, Odd, START, Set};

use super::file_name::VolumeName;
use crate::destination::folder_of;
use crate::system::{self, FileId};

/// A file that is, or should be, a volume.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// Nothing once what is good in it was kept elsewhere, so that its stick can go.
    pub(super) file: Option<File>,
    pub(super) bytes: u64,
    /// Which file it is, on which file system.
    pub(super) id: FileId,
    pub(super) volume: u64,
    /// Whether its header is what it should be.
    pub(super) is_named: bool,
}

/// What was found of a set.
pub(super) struct FoundSet {
    pub(super) set: Arc<Set>,
    /// What the files are called, without the number.
    pub(super) stem: PathBuf,
    pub(super) candidates: Vec<Candidate>,
    /// What a user should know of other files.
    pub(super) remarks: Vec<String>,
}

/// The header of a file.
///
/// # Errors
/// What the system says, or why it is none.
pub(super) fn header(file: &File) -> io::Result<Result<Header, Odd>> {
    let mut start = [0; START];
    match system::read_exact_at(file, &mut start, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Err(Odd::Foreign)),
        read => read?,
    }
    let length = match Header::bytes(&start) {
        Ok(length) => length,
        Err(odd) => return Ok(Err(odd)),
    };
    // The file has as many bytes, or nothing is taken.
    if file.metadata()?.len() < length as u64 {
        return Ok(Err(Odd::Damaged));
    }
    let mut bytes = vec![0; length];
    system::read_exact_at(file, &mut bytes, 0)?;
    Ok(Header::parse(&bytes))
}

/// Whether a path names a volume: a file that starts like one, or a name beside which there are volumes.
pub(super) fn is_volume(path: &Path, folders: &[PathBuf]) -> bool {
    match open(path) {
        Some(file) if !matches!(header(&file), Ok(Err(Odd::Foreign)) | Err(_)) => return true,
        // Something else that is whole in itself, whatever it is called.
        Some(file) if is_something_else(&file) => return false,
        Some(_) if VolumeName::parse(path).is_none() => return false,
        None if path.exists() => return false,
        _ => {}
    }
    beside(path, folders).next().is_some()
}

/// Finds all volumes of the set that `path` belongs to.
///
/// # Errors
/// A content error where no header is left, or one of a version that is not known.
pub(super) fn find(path: &Path, folders: &[PathBuf]) -> Result<FoundSet> {
    let shown = path.display().to_string();
    let own = open(path).map(|file| header(&file));
    let set = match own {
        Some(Ok(Ok(own))) => own.set,
        Some(Ok(Err(odd @ Odd::Version(_)))) => return Err(odd.within(&shown)),
        _ => match beside(path, folders).next() {
            Some((_, header)) => header.set,
            None => {
                return Err(Error::content(format!(
                    "the header of {shown} is damaged, and no other volume of its set is there"
                ))
                .with_hint("copy it again from where it was made, or name the folder of the others: --volumes DIR"));
            }
        },
    };
    let stem = VolumeName::stem(path);
    let mut found = FoundSet { set, stem, candidates: Vec::new(), remarks: Vec::new() };
    found.look(path, folders);
    Ok(found)
}

impl FoundSet {
    /// Looks into folders again, or into others.
    pub(super) fn look(&mut self, path: &Path, folders: &[PathBuf]) {
        let mut paths: Vec<PathBuf> = Vec::new();
        if path.exists() {
            paths.push(path.to_owned());
        }
        for folder in [folder_of(path)].into_iter().chain(folders.iter().map(PathBuf::as_path)) {
            // The names that are expected come first: of two copies theirs is taken.
            paths.extend((1..=self.set.layout.volumes()).map(|volume| self.expected(folder, volume)));
            paths.extend(files(folder));
        }
        for path in paths {
            self.take(&path);
        }
    }

    /// Where a volume is expected in a folder.
    pub(super) fn expected(&self, folder: &Path, volume: u64) -> PathBuf {
        let path = VolumeName::path(&self.stem, volume);
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        if folder == Path::new(".") && folder_of(&path) == folder { name } else { folder.join(name) }
    }

    fn take(&mut self, path: &Path) {
        let Some(file) = open(path) else { return };
        let (Ok(metadata), Ok(id)) = (file.metadata(), system::file_id_of(&file)) else { return };
        // What was let go of may be another file by now.
        let is_known = |known: &Candidate| known.file.is_some() && known.id == id;
        if self.candidates.iter().any(is_known) {
            return;
        }
        let named = VolumeName::parse(path)
            .filter(|name| name.stem.file_name() == self.stem.file_name() && name.volume <= self.set.layout.volumes());
        let shown = path.display();
        let volume = match (header(&file), named) {
            (Ok(Ok(header)), _) if header.set == self.set => {
                let expected = VolumeName::parse(path).map(|name| name.volume);
                if expected != Some(header.volume) {
                    self.remark(format!("{shown} is volume {}, whatever it is called", header.volume));
                }
                Some((header.volume, true))
            }
            (Ok(Ok(header)), Some(_)) => {
                let other = header.set.id().short();
                self.remark(format!("{shown} is volume {} of another set ({other}) and is left out", header.volume));
                None
            }
            (Ok(Err(Odd::Version(version))), Some(_)) => {
                self.remark(format!("{shown} is a volume of format version {version} and is left out"));
                None
            }
            (Ok(Err(_)) | Err(_), Some(name)) => Some((name.volume, false)),
            _ => None,
        };
        if let Some((volume, is_named)) = volume {
            let (path, bytes) = (path.to_owned(), metadata.len());
            self.candidates.push(Candidate { path, file: Some(file), bytes, id, volume, is_named });
        }
    }

    fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }
}

/// The volumes whose names say that they belong to a path: to the package of that name, or to the volume.
fn beside<'a>(path: &Path, folders: &'a [PathBuf]) -> impl Iterator<Item = (PathBuf, Header)> + use<'a> {
    let stems = [Some(path.to_owned()), VolumeName::parse(path).map(|name| name.stem)];
    let stems: Vec<_> = stems.into_iter().flatten().filter_map(|stem| stem.file_name().map(PathBuf::from)).collect();
    let own = folder_of(path).to_owned();
    let all = std::iter::once(own).chain(folders.iter().cloned()).flat_map(|folder| files(&folder));
    all.filter(move |file| {
        VolumeName::parse(file).is_some_and(|name| {
            name.stem.file_name().is_some_and(|stem| stems.iter().any(|known| known.as_os_str() == stem))
        })
    })
    .filter_map(|file| {
        let header = header(&open(&file)?).ok()?.ok()?;
        Some((file, header))
    })
}

/// The regular files of a folder, sorted by name. A folder that cannot be read has none that could be.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_here = folder == Path::new(".");
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| if is_here { PathBuf::from(entry.file_name()) } else { entry.path() }).collect();
    files.sort();
    files
}

/// A regular file that can be opened.
fn open(path: &Path) -> Option<File> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    File::open(path).ok()
}

/// What is a package, and what is compressed: a volume that lost its start is neither.
fn is_something_else(file: &File) -> bool {
    let mut start = [0; 16];
    system::read_exact_at(file, &mut start, 0).is_ok() && start.starts_with(delta_core::package::METADATA.as_bytes())
}
