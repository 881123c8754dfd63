//! What an entry of a tree is.

use delta_core::facts::Facts;

/// One name of a tree and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The names on the way from the root, joined by `/`; [`ROOT`] for the root.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// All zero where the stream leaves them out: in that of a base, and for a hard link, which has those of its file.
    pub(super) facts: Facts,
}

/// The name of the root.
pub(super) const ROOT: &[u8] = b".";

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file of this many bytes, all of which follow.
    File(u64),
    /// A file with holes: its size, and how many bytes follow, which are the map and what is no hole.
    Sparse { size: u64, stored: u64 },
    /// A folder.
    Folder,
    /// A symbolic link and where it points.
    SymbolicLink(Vec<u8>),
    /// Another name of an entry before it, and the name of that.
    HardLink(Vec<u8>),
    /// A named pipe.
    Fifo,
    /// A character device: major and minor number.
    Character(u32, u32),
    /// A block device: major and minor number.
    Block(u32, u32),
}

impl Kind {
    /// How many bytes follow the headers.
    pub(super) const fn stored(&self) -> u64 {
        match self {
            Self::File(size) => *size,
            Self::Sparse { stored, .. } => *stored,
            _ => 0,
        }
    }
}

/// The text of a name for people: no byte of it reaches a terminal as a control character.
pub(super) fn shown(name: &[u8]) -> String {
    name.utf8_chunks()
        .map(|chunk| format!("{}{}", chunk.valid().escape_debug(), chunk.invalid().escape_ascii()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_a_terminal() {
        assert_eq!(shown("größe".as_bytes()), "größe");
        assert_eq!(shown(b"a\n\x1b[2J\xff"), r"a\n\u{1b}[2J\xff");
    }
}
