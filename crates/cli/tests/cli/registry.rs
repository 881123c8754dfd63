//! Registries as a user sees them: Debian's docker-registry on this machine, and what may stand before it.

mod access;
mod bars;
mod broken;
mod lists;
mod packages;
mod platforms;
mod proxy;
mod referrers;
mod room;
mod sealed;
pub(crate) mod server;
mod sink;
mod source;
mod unread;
