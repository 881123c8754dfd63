//! Registries (OCI distribution-spec 1.1, and what Docker's distribution did before it), by a small blocking client.
//!
//! A reader of a registry never sees half an image: blobs go first, then manifests by digest, and tags last. What a registry
//! has is not sent again, and what is known by digest is not fetched again.

mod access;
mod address;
mod authorization;
mod blobs;
mod challenge;
mod connection;
mod counting;
mod credentials;
mod crew;
mod downloads;
mod fault;
#[cfg(test)]
mod keeping;
mod manifests;
mod origin;
mod packages;
mod patience;
mod referrers;
mod remote;
#[cfg(test)]
mod scripted;
mod sink;
#[cfg_attr(not(feature = "tls"), path = "registry/trust_absent.rs")]
mod trust;
mod upload;

pub use access::{Access, Referrers, Registries};
pub use address::Address;
pub use packages::{Held, Offer, PackageFile, PlannedPush, PushOutcome, StoredPackage};
pub use sink::{PlannedShipment, Shipped, Shipping};
