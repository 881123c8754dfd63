//! What is around a package on its way: who made it, who may read it, and in how many parts it travels.
//!
//! Bytes and keys; no files, no terminal. What is inside is `delta_core`'s.
//!
//! ```
//! use delta_envelope::key::{NewKeys, SecretKeyFile};
//! use delta_envelope::signature::Signature;
//!
//! let keys = NewKeys::generate(None)?;
//! let secret = SecretKeyFile::parse(keys.secret_file.as_bytes())?.unlock("")?;
//! let signature = Signature::make(&secret, &mut &b"what is signed"[..], "and what is said of it")?;
//!
//! assert_eq!(signature.check(&keys.public, &mut &b"what is signed"[..])?, "and what is said of it");
//! assert!(signature.check(&keys.public, &mut &b"something else"[..]).is_err());
//! # Ok::<(), delta_core::Error>(())
//! ```

#![warn(clippy::disallowed_methods, clippy::disallowed_types, reason = "it does not touch the world")]

pub mod claim;
pub mod encryption;
pub mod key;
pub mod limits;
pub mod self_contained;
pub mod signature;
pub mod trust;
pub mod volumes;
