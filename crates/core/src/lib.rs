//! What a delta of container images is.
//!
//! No files, no network, no clock, no terminal: images come in as [`image::Image`], whatever they were read from; the
//! package goes out through [`std::io::Write`]; what the user should know goes to [`progress::Progress`].

pub mod digest;
pub mod error;
pub mod image;
pub mod limits;
pub mod progress;
pub mod span;

pub use error::{Error, Kind, Result};
