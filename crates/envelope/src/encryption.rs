//! Who may read a package on its way: encryption in the format of age (age-encryption.org/v1).
//!
//! Both ways are streams, and what is encrypted can be read at any place, so that no decrypted copy is ever kept.

mod locked;
mod recipients;

pub use locked::{Identities, Locked, is_encrypted};
pub use recipients::Recipients;

/// Asks for the passphrase of the key that a text describes.
pub type Ask = std::sync::Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;
