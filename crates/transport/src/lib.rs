//! Where images live: engines, registries, archives, layouts and folders, and the files that packages are.

pub mod archive_writer;
mod blob;
mod container;
pub mod content;
pub mod destination;
mod docker_archive;
mod docker_manifest;
pub mod engine;
pub mod file;
mod holes;
pub mod inputs;
pub mod lists;
mod nearby;
mod oci_layout;
pub mod output;
mod partial;
mod pick;
mod reach;
pub mod reference;
pub mod registry;
pub mod source;
mod sourced_image;
pub mod spool;
pub mod stdout;
pub mod tree;
pub mod volume;
pub mod watch;
