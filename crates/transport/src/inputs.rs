//! What a run reads, so that it is never written over.

use std::path::{Path, PathBuf};

use crate::system::{self, FileId};

/// The files and folders that a run reads, told by device and inode: links and other names do not hide them.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Vec<Input>);

#[derive(Clone, Debug)]
struct Input {
    path: PathBuf,
    id: FileId,
    is_folder: bool,
}

impl Inputs {
    /// Those of `paths` that are there; opening the others will tell what they lack. `-` is standard input.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().filter_map(input).collect())
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, path: &Path) -> Self {
        self.0.extend(input(path));
        self
    }

    /// The input that has this device and inode.
    pub(crate) fn named(&self, id: FileId) -> Option<String> {
        self.0.iter().find(|input| input.id == id).map(|input| input.path.display().to_string())
    }

    /// The folder among them in which this real path lies.
    pub(crate) fn around(&self, path: &Path) -> Option<String> {
        let ids: Vec<FileId> = path.ancestors().skip(1).filter_map(|above| system::file_id(above).ok()).collect();
        let around = self.0.iter().find(|input| input.is_folder && ids.contains(&input.id));
        around.map(|input| input.path.display().to_string())
    }
}

fn input(path: &Path) -> Option<Input> {
    let (id, is_folder) =
        if path == Path::new("-") { system::stdin().ok()? } else { (system::file_id(path).ok()?, path.is_dir()) };
    Some(Input { path: path.to_owned(), id, is_folder })
}

#[cfg(test)]
mod tests;
