//! The two programs: the only place that prints, exits and reads the environment.
//!
//! `arguments` says what can be typed; one file of `commands` does each command; `terminal` talks to the user; `failure`
//! turns errors into exit codes.

/// musl's own gives memory back to the system with every large buffer, which costs half as much time again in the kernel.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod appliers;
pub mod arguments;
pub mod commands;
mod complete;
mod copies;
pub mod failure;
mod figures;
pub mod file_arguments;
mod freshness;
mod named_images;
mod opening;
mod pages;
mod password;
mod plugin;
pub mod run;
mod sealing;
mod session;
mod stopping;
mod surroundings;
mod terminal;
