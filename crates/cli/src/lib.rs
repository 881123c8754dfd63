//! The two programs: the only place that prints, exits and reads the environment.
//!
//! `arguments` says what can be typed; one file of `commands` does each command; `terminal` talks to the user; `failure`
//! turns errors into exit codes.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(&folder)?;
//! use std::process::ExitCode;
//!
//! let type_it = |words: &str| docker_delta::run::file_delta(words.split(' ').map(Into::into).collect());
//! std::fs::write("old", "some words that stay, ".repeat(200))?;
//! std::fs::write("new", "some words that stay, ".repeat(200) + "and new ones")?;
//!
//! assert_eq!(type_it("file_delta create old new update.delta"), ExitCode::SUCCESS);
//! assert_eq!(type_it("file_delta apply old update.delta again"), ExitCode::SUCCESS);
//! assert_eq!(std::fs::read("again")?, std::fs::read("new")?);
//! assert_eq!(type_it("file_delta apply new update.delta other"), ExitCode::from(4));
//! # Ok::<(), std::io::Error>(())
//! ```

#![allow(
    unreachable_pub,
    reason = "only `run` can be seen from outside; in the others `pub` is what this crate shares"
)]

/// musl's own gives memory back to the system with every large buffer, which costs half as much time again in the kernel.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod appliers;
mod arguments;
mod commands;
mod complete;
mod copies;
mod failure;
mod figures;
mod file_arguments;
mod freshness;
mod named_images;
mod opening;
mod pages;
mod password;
mod plugin;
pub mod run;
mod sealing;
mod session;
#[cfg(unix)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only a watch takes requests over, which needs Linux"))]
mod signals;
mod stopping;
mod surroundings;
mod terminal;
