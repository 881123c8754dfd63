//! In the place of `watch`, where there is no Linux: what keeps others from changing a package behind its check is Linux's.

use delta_core::error::{Error, Result};

use crate::arguments::Watch;
use crate::session::Session;

pub(crate) fn run(_session: &Session, arguments: &Watch) -> Result<()> {
    let folder = arguments.folder.display();
    Err(Error::usage(format!("watching {folder}: that needs Linux"))
        .with_hint("let a scheduler of the system run `docker_delta apply`"))
}
