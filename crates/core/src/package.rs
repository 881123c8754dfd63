//! The file that travels: a plain tar of members in one strict form.
//!
//! `metadata.json` comes first and lists all others; `closing.json` holds the digest of every byte before it, so that a
//! package that was cut off or altered is known for what it is before anything is taken from it. Every header has the one
//! form that `header` gives, so that no byte of a package is without meaning.

mod closed;
mod documents;
mod faults;
pub mod features;
mod header;
mod member;
pub mod metadata;
pub(crate) mod packed;
mod reader;
pub mod standard;
mod unwrap;
mod writer;

pub use closed::{Closed, KeyId, StoredSignature};
pub use member::Member;
pub use reader::Package;
pub use unwrap::is_wrapped;
pub use writer::write;

use serde::{Deserialize, Serialize};

use crate::digest::BlobDigest;

/// The name of the first member.
pub const METADATA: &str = "metadata.json";

/// The name of the member with the original manifest, as `docker save` writes it.
pub const MANIFEST: &str = "manifest.json";

/// The name of the member that has all documents, where each has none of its own.
pub(crate) const PACKED: &str = "documents.mix";

/// The name of the member that closes the package; only signatures follow it.
pub(crate) const CLOSING: &str = "closing.json";

/// The member that closes the package.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    /// The number of bytes before the header of this member.
    bytes: u64,
    /// Their digest.
    digest: BlobDigest,
}

/// The two blocks of zeros that end a tar (POSIX.1-2017, pax, "ustar Interchange Format").
const TRAILER_BYTES: u64 = 1024;
