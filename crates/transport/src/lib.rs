//! Where images live: engines, archives, layouts and folders, and the files that packages are.

pub mod archive_writer;
pub mod atomic_file;
mod blob;
mod container;
mod docker_archive;
mod docker_manifest;
pub mod engine;
pub mod file;
mod oci_layout;
pub mod output;
pub mod reference;
pub mod source;
mod sourced_image;
pub mod spool;
pub mod volume;
