//! What of a tree is wanted, on systems that keep it and on those that do not.

/// What is given back besides names and contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Owners and groups.
    pub owner: bool,
    /// Permissions.
    pub permissions: bool,
    /// Times of the last change.
    pub times: bool,
    /// Extended attributes, with access control lists and capabilities.
    pub attributes: bool,
    /// Device nodes.
    pub devices: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self { owner: true, permissions: true, times: true, attributes: true, devices: true }
    }
}

/// How much of a folder goes into the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Folders, files and symbolic links by their names, and contents.
    Content,
    /// Also permissions, owners, times to the nanosecond, hard links, holes, extended attributes, named pipes and devices.
    Everything,
}
