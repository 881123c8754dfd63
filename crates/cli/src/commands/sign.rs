//! `docker_delta sign`

use std::io;

use delta_codec::Reader;
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_transport::destination::{Product, Request};
use delta_transport::inputs::Inputs;
use delta_transport::key_files::with_ending;

use crate::arguments::Sign;
use crate::opening::MINISIG;
use crate::sealing::Signatory;
use crate::session::{PACKAGE, Session, mistaken};

pub(crate) fn run(session: &Session, arguments: &Sign) -> Result<()> {
    let path = arguments.package.as_path();
    if path.as_os_str() == "-" {
        return Err(Error::usage("what comes on standard input cannot be signed in its place").with_hint("name a file"));
    }
    let signatory = Signatory::open(&arguments.key, &arguments.signature)?;
    if signatory.is_detached {
        signatory.sign_beside(path, arguments.force, session)?;
        return session.require_unchanged();
    }
    let beside = with_ending(path, MINISIG);
    if beside.exists() {
        return Err(Error::usage(format!("{} is the signature of the package as it is now", beside.display()))
            .with_hint("remove it, sign, and then sign beside it again with --detached; or only do that"));
    }
    let bytes = session.open_file(path).map_err(|error| mistaken(path, PACKAGE, error))?;
    let within = |error: Error| mistaken(path, PACKAGE, error.within(&path.display().to_string()));
    let signed = signatory.signed_inside(&bytes, session).map_err(within)?;
    // It takes its own place: all of it, and the signature.
    let destination = session.destination(Request {
        product: Product::Package,
        path,
        name: None,
        force: true,
        inputs: &Inputs::of([]),
    })?;
    destination.require(signed.len())?;
    session.require_unchanged()?;
    destination.write_file(&session.scratch, |out| {
        io::copy(&mut Reader::new(&signed), out).map_err(Error::io(format!("writing {destination}")))
    })?;
    session.terminal.inform(format_args!("the signature is in {destination}"));
    signatory.tell(session);
    Ok(())
}
