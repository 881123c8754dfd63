//! What an entry is besides its name and content: reads it, and gives it back.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use delta_core::error::{Error, Result};
use delta_core::facts::{Attribute, Facts, Time};
use rustix::fs::{AtFlags, Gid, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use xattr::FileExt;

use super::choices::Keep;
use super::losses::{Loss, Losses, Lost};
use crate::system;

/// The access control list of an entry, and that of what will be made in a folder (acl(5)).
const ACCESS_LIST: &[u8] = b"system.posix_acl_access";
const DEFAULT_LIST: &[u8] = b"system.posix_acl_default";

const SET_ID: u32 = 0o6000;

/// Something that exists, however it can be reached.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    /// A file or folder.
    Open(&'a File),
    /// A symbolic link, which has no permissions: its folder, its name there, its whole path.
    Link(BorrowedFd<'a>, &'a [u8], &'a Path),
    /// A named pipe or device, which must not be opened.
    Node(BorrowedFd<'a>, &'a [u8], &'a Path),
}

/// What a file is besides its bytes; nothing on systems that do not keep it.
///
/// # Errors
/// What the file system reports.
pub fn facts_of_file(file: &File, path: &Path) -> Result<Option<Facts>> {
    facts_of(Made::Open(file)).map(Some).map_err(Error::io(format!("reading {}", path.display())))
}

/// Gives a file what it should be besides its bytes, and says what it could not be given.
///
/// # Errors
/// An environment error that lists what could not be given and has to be.
pub fn dress_file(file: &File, path: &Path, facts: &Facts, keep: Keep) -> Result<Vec<Lost>> {
    let mut losses = Losses::default();
    let name = path.as_os_str().as_bytes();
    dress(Made::Open(file), name, facts, keep, &mut losses)
        .map_err(Error::io(format!("writing {}", path.display())))?;
    losses.finish("NEW cannot be made as it should be")
}

pub(super) fn facts_of(made: Made<'_>) -> io::Result<Facts> {
    let stat = made.stat()?;
    let facts = Facts {
        mode: system::mode_of(&stat) & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        modified: modified(&stat),
        attributes: made.attributes()?,
    };
    facts.check().map_err(io::Error::other)?;
    Ok(facts)
}

pub(super) fn modified(stat: &Stat) -> Time {
    Time { seconds: stat.st_mtime, nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) }
}

/// Gives owner, attributes, permissions and time, in an order in which none undoes another: a new owner clears set-ID bits
/// and capabilities, and attributes can be written only while the file can.
pub(super) fn dress(made: Made<'_>, name: &[u8], facts: &Facts, keep: Keep, losses: &mut Losses) -> io::Result<()> {
    if keep.owner {
        made.give_away(facts)?;
    }
    let mut with_list = true;
    if keep.attributes {
        // Lists come last: they may take from their own owner the right to set the others.
        let (lists, others): (Vec<_>, Vec<_>) =
            facts.attributes.iter().partition(|attribute| attribute.name.starts_with(b"system."));
        for attribute in others.into_iter().chain(lists) {
            if let Err(error) = made.set(attribute) {
                with_list &= attribute.name != ACCESS_LIST;
                losses.add(Loss::Attribute(attribute.name.clone()), name, &error);
            }
        }
    }
    let before = made.stat()?;
    let mode = allowed(facts, &before, keep.attributes && with_list);
    if keep.permissions {
        made.permit(mode)?;
    }
    if keep.times {
        made.date(facts.modified)?;
    }
    compare(made, facts, mode, keep, &mut |loss, why| losses.add(loss, name, &why))
}

/// The permissions without what another owner or a missing access control list would make of them.
fn allowed(facts: &Facts, found: &Stat, with_list: bool) -> u32 {
    let mut mode = facts.mode;
    let is_folder = rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir();
    if !is_folder && (found.st_uid, found.st_gid) != (facts.uid, facts.gid) {
        mode &= !SET_ID;
    }
    let list = facts.attributes.iter().find(|attribute| attribute.name == ACCESS_LIST);
    if let Some(rights) = list.filter(|_| !with_list).and_then(|list| rights_of_group(&list.value)) {
        mode = mode & !0o070 | rights << 3;
    }
    mode
}

/// With an access control list the group bits of the mode are those of its mask (acl(5)); this is what the group may do. A
/// list is a number of four bytes and then entries of a tag, permissions and an ID: two, two and four bytes, little-endian.
fn rights_of_group(list: &[u8]) -> Option<u32> {
    let entry = list.get(4..)?.chunks_exact(8).find(|entry| entry[..2] == [4, 0])?;
    Some(u32::from(entry[2] & 7))
}

/// File systems may leave out without a word what they cannot keep.
fn compare(
    made: Made<'_>,
    facts: &Facts,
    mode: u32,
    keep: Keep,
    lost: &mut dyn FnMut(Loss, io::Error),
) -> io::Result<()> {
    let found = made.stat()?;
    let other = |text: String| io::Error::other(text);
    if keep.owner && found.st_uid != facts.uid {
        lost(Loss::Owner, other(format!("{} should be {}", found.st_uid, facts.uid)));
    }
    if keep.owner && found.st_gid != facts.gid {
        lost(Loss::Group, other(format!("{} should be {}", found.st_gid, facts.gid)));
    }
    if mode & SET_ID != facts.mode & SET_ID {
        lost(Loss::SetId, other("it would act for another owner".to_owned()));
    }
    let found_mode = system::mode_of(&found) & 0o7777;
    if keep.permissions && !matches!(made, Made::Link(..)) && found_mode != mode {
        lost(Loss::Permissions, other(format!("{found_mode:o} should be {mode:o}")));
    }
    if keep.times && modified(&found) != facts.modified {
        lost(Loss::Time, other("the file system keeps it less exactly, or not".to_owned()));
    }
    Ok(())
}

/// What is made in a folder with a default access control list gets it, wanted or not.
pub(super) fn forget_lists(folder: &File) -> io::Result<()> {
    for list in [DEFAULT_LIST, ACCESS_LIST] {
        match folder.remove_xattr(OsStr::from_bytes(list)) {
            Err(error) if !is_absent(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    let absent = [Errno::NODATA, Errno::NOTSUP, Errno::OPNOTSUPP].map(|errno| Some(errno.raw_os_error()));
    absent.contains(&error.raw_os_error())
}

impl Made<'_> {
    pub(super) fn stat(self) -> io::Result<Stat> {
        Ok(match self {
            Self::Open(file) => rustix::fs::fstat(file)?,
            Self::Link(folder, name, _) | Self::Node(folder, name, _) => {
                rustix::fs::statat(folder, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?
            }
        })
    }

    fn attributes(self) -> io::Result<Vec<Attribute>> {
        let listed = match self {
            Self::Open(file) => file.list_xattr(),
            Self::Link(.., path) | Self::Node(.., path) => xattr::list(path),
        };
        let names = match listed {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            listed => listed?,
        };
        let read = |name: std::ffi::OsString| {
            let value = match self {
                Self::Open(file) => file.get_xattr(&name),
                Self::Link(.., path) | Self::Node(.., path) => xattr::get(path, &name),
            };
            let value = value?.ok_or_else(|| io::Error::other("an attribute went while it was read"))?;
            Ok(Attribute { name: name.into_vec(), value })
        };
        let mut attributes: Vec<Attribute> = names.map(read).collect::<io::Result<_>>()?;
        attributes.sort();
        Ok(attributes)
    }

    fn set(self, attribute: &Attribute) -> io::Result<()> {
        let name = OsStr::from_bytes(&attribute.name);
        match self {
            Self::Open(file) => file.set_xattr(name, &attribute.value),
            Self::Link(.., path) | Self::Node(.., path) => xattr::set(path, name, &attribute.value),
        }
    }

    /// Sets owner and group, or the group alone, as far as it is permitted.
    fn give_away(self, facts: &Facts) -> io::Result<()> {
        let (owner, group) = (Uid::from_raw(facts.uid), Gid::from_raw(facts.gid));
        let chown = |owner| match self {
            Self::Open(file) => rustix::fs::fchown(file, owner, Some(group)),
            Self::Link(folder, name, _) | Self::Node(folder, name, _) => {
                rustix::fs::chownat(folder, OsStr::from_bytes(name), owner, Some(group), AtFlags::SYMLINK_NOFOLLOW)
            }
        };
        let is_refused = |error: &Errno| [Errno::PERM, Errno::INVAL, Errno::NOTSUP, Errno::NOSYS].contains(error);
        match chown(Some(owner)) {
            Err(error) if is_refused(&error) => match chown(None) {
                Err(error) if is_refused(&error) => Ok(()),
                result => Ok(result?),
            },
            result => Ok(result?),
        }
    }

    fn permit(self, mode: u32) -> io::Result<()> {
        let mode = system::permissions(mode);
        let done = match self {
            Self::Open(file) => rustix::fs::fchmod(file, mode),
            Self::Node(folder, name, _) => rustix::fs::chmodat(folder, OsStr::from_bytes(name), mode, AtFlags::empty()),
            Self::Link(..) => Ok(()),
        };
        match done {
            Err(Errno::PERM | Errno::NOTSUP) => Ok(()),
            done => Ok(done?),
        }
    }

    fn date(self, time: Time) -> io::Result<()> {
        let time = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        let done = match self {
            Self::Open(file) => rustix::fs::futimens(file, &times),
            Self::Link(folder, name, _) | Self::Node(folder, name, _) => {
                rustix::fs::utimensat(folder, OsStr::from_bytes(name), &times, AtFlags::SYMLINK_NOFOLLOW)
            }
        };
        match done {
            Err(Errno::PERM | Errno::INVAL | Errno::NOTSUP) => Ok(()),
            done => Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests;
