//! What a delta of container images is.
//!
//! No files, no network, no clock, no terminal: images come in as [`image::Image`], whatever they were read from; the
//! package goes out through [`std::io::Write`]; what the user should know goes to [`job::progress::Progress`].
//!
//! A package of one file, which is the smallest that there is; images go the same way by [`create::create`] and [`apply::rebuild`]:
//!
//! ```
//! use std::sync::Arc;
//!
//! use delta_codec::compress::Compression;
//! use delta_codec::{MemoryScratch, ReadAt, Reader};
//! use delta_core::apply::apply_stream;
//! use delta_core::create::create_stream;
//! use delta_core::job::choices::{CompressionOptions, Method};
//! use delta_core::job::context::Context;
//! use delta_core::job::progress::Silent;
//! use delta_core::package::{Package, metadata::StreamKind};
//!
//! let context = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };
//! let old: Arc<dyn ReadAt> = Arc::new(b"some words that stay, ".repeat(200));
//! let new: Arc<dyn ReadAt> = Arc::new([b"new ones, ".to_vec(), b"some words that stay, ".repeat(200)].concat());
//!
//! let choices = (Method::Auto, CompressionOptions::usual(Compression::Zstd));
//! let mut package = Vec::new();
//! create_stream((StreamKind::File, None), old.clone(), new.clone(), choices, context)?.write(&mut package)?;
//!
//! let package = Package::open(Arc::new(package), &MemoryScratch)?;
//! let again = apply_stream(&package, old, context)?;
//! assert_eq!(std::io::read_to_string(Reader::new(again.bytes().clone()))?, std::io::read_to_string(Reader::new(new))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::disallowed_methods, clippy::disallowed_types, reason = "it does not touch the world")]

// From the ground up: each module uses only those before it, which a test keeps.
pub mod digest;
pub mod error;
pub mod facts;
pub mod limits;
mod named;
pub mod span;

pub mod job;

pub mod image;

pub mod package;

pub mod layer;

pub mod apply;

pub mod verify;

pub mod create;
pub mod report;

pub use error::{Error, Kind, Result};

/// The program and its version, as a package names its maker.
fn created_by() -> String {
    concat!("docker_delta ", env!("CARGO_PKG_VERSION")).to_owned()
}
