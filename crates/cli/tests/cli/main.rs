//! The programs as a user sees them: stdout, stderr and exit code.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod asking;
mod calls;
mod compressed;
mod containerd;
mod durable;
mod encrypted;
mod engines;
mod failures;
mod faults;
mod file_facts;
mod files;
mod help;
mod images;
mod journey;
mod kept_bases;
mod killed;
mod large;
mod layouts;
mod odd;
mod outputs;
mod printing;
mod progress;
mod recreated;
mod registry;
mod self_contained;
mod signed;
mod sources;
mod standards;
mod support;
mod trees;
mod volumes;
mod watch;
mod words;
