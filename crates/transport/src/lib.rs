//! Where images live: engines, registries, archives, layouts and folders, and the files that packages are.

pub mod applied;
pub mod archive_writer;
mod blob;
mod container;
pub mod containerd;
pub mod content;
pub mod destination;
pub mod digest_file;
mod docker_archive;
mod docker_manifest;
pub mod engine;
pub mod file;
pub mod file_system;
mod holes;
pub mod inputs;
pub mod key_files;
mod late;
mod limits;
pub mod lists;
mod nearby;
mod oci_layout;
pub mod output;
mod partial;
mod pick;
mod program;
mod reach;
pub mod reference;
pub mod registry;
pub mod source;
mod sourced_image;
pub mod spool;
pub mod stdout;
pub mod system;
#[cfg(unix)]
pub mod tree;
#[cfg(not(unix))]
#[path = "tree/absent.rs"]
pub mod tree;
pub mod volumes;
mod walk;
pub mod watch;
