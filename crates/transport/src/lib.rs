//! Where images live: engines, registries, archives, layouts and folders, and the files that packages are.
//!
//! ```
//! use std::sync::Arc;
//!
//! use delta_core::job::progress::Silent;
//! use delta_transport::reference::Reference;
//! use delta_transport::source::open_path;
//! use delta_transport::spool::TempScratch;
//!
//! # let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/samples/tiny/docker28-classic/v2.tar");
//! let reference: Reference = format!("docker-archive:{archive}").parse()?;
//! let path = reference.path().ok_or("it is no file")?;
//!
//! let images = open_path(path, None, &Arc::new(TempScratch::new(None)?), &Silent)?;
//! assert_eq!(images[0].names[0].to_string(), "t/tiny:v2");
//! assert_eq!(images[0].manifests[0].layers.len(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
#[cfg(test)]
mod fixtures;
mod holes;
#[cfg(target_os = "linux")]
pub mod inbox;
pub mod inputs;
pub mod kept_bases;
pub mod key_files;
mod late;
mod limits;
pub mod lists;
mod nearby;
mod oci_layout;
pub mod output;
mod partial;
mod pick;
mod placed;
pub mod policy;
mod program;
mod reach;
pub mod reference;
mod refusals;
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
pub mod unchanged;
pub mod volumes;
mod walk;
