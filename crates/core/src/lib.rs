//! What a delta of container images is.
//!
//! No files, no network, no clock, no terminal: images come in as [`image::Image`], whatever they were read from; the
//! package goes out through [`std::io::Write`]; what the user should know goes to [`progress::Progress`].

pub mod apply;
mod coding;
pub mod context;
pub mod create;
pub mod digest;
pub mod documents;
pub mod error;
pub mod image;
pub mod limits;
pub mod matcher;
pub mod metadata;
pub mod method;
pub mod package;
pub mod progress;
pub mod recipe;
pub mod report;
mod similarity;
pub mod span;
pub mod stream;
pub mod tar_index;
pub mod verify;
mod window;

pub use coding::Squeeze;
pub use error::{Error, Kind, Result};

/// The program and its version, as a package names its maker.
fn created_by() -> String {
    concat!("docker_delta ", env!("CARGO_PKG_VERSION")).to_owned()
}
