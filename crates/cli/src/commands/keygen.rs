//! `docker_delta keygen`

use std::path::PathBuf;

use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_core::package::KeyId;
use delta_envelope::key::{NewKeys, require_password};
use delta_transport::key_files;
use serde::Serialize;

use crate::arguments::Keygen;
use crate::password::PASSWORD;
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    key_id: KeyId,
    public_key: String,
    secret_file: PathBuf,
    public_file: PathBuf,
}

pub(crate) fn run(session: &Session, arguments: &Keygen) -> Result<()> {
    key_files::require_absent(&arguments.name)?;
    let password = if arguments.no_password {
        None
    } else {
        let what = format!("{}.key", arguments.name.display());
        let password = PASSWORD.chosen(&what, arguments.password_fd)?;
        require_password(&password)?;
        Some(password)
    };
    let keys = NewKeys::generate(password.as_deref())?;
    let [secret_file, public_file] = key_files::write_new(&arguments.name, &keys)?;
    let (key_id, public_key) = (keys.public.id(), keys.public.line());
    session.terminal.inform(format_args!(
        "key {key_id} is made: {} signs and stays with you, {} goes to whoever checks",
        secret_file.display(),
        public_file.display()
    ));
    if session.common.talk.json {
        return terminal::print_json(&Report { schema: 1, key_id, public_key, secret_file, public_file });
    }
    terminal::print(&format!("{public_key}\n"))
}
