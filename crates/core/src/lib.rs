//! What a delta of container images is.
//!
//! No files, no network, no clock, no terminal: images come in as [`image::Image`], whatever they were read from; the
//! package goes out through [`std::io::Write`]; what the user should know goes to [`job::progress::Progress`].

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
