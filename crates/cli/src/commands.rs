//! One file a command.

pub(crate) mod apply;
pub(crate) mod compare;
pub(crate) mod create;
pub(crate) mod doctor;
pub(crate) mod file;
pub(crate) mod info;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod list;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod sign;
pub(crate) mod verify;
pub(crate) mod volumes;
#[cfg_attr(not(target_os = "linux"), path = "commands/watch_absent.rs")]
pub(crate) mod watch;
