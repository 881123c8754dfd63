//! What is put around a package that is made here: signatures.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::{Closed, Package, StoredSignature, is_wrapped};
use delta_envelope::claim::{Claim, brought};
use delta_envelope::key::{SecretKey, SecretKeyFile};
use delta_envelope::signature::Signature;
use delta_envelope::trust::{Demand, Known, Trust};
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::file::FileBytes;
use delta_transport::inputs::Inputs;
use delta_transport::key_files::{self, with_ending};

use crate::arguments::{SignatureArguments, Signing};
use crate::opening::MINISIG;
use crate::password;
use crate::session::Session;

/// A key that is ready, and how it signs.
pub(crate) struct Signatory {
    key: SecretKey,
    sequence: u64,
    pub(crate) is_detached: bool,
}

impl Signatory {
    /// The one that was asked for. A wrong password is told of before any long work.
    pub(crate) fn chosen(signing: &Signing) -> Result<Option<Self>> {
        match &signing.key {
            Some(key) => Self::open(key, &signing.signature).map(Some),
            None if signing.signature.detached || signing.signature.sequence.is_some() => {
                Err(Error::usage("--detached and --sequence are for a signature")
                    .with_hint("name the secret key: --sign NAME.key"))
            }
            None => Ok(None),
        }
    }

    pub(crate) fn open(path: &Path, arguments: &SignatureArguments) -> Result<Self> {
        let within = |error: Error| error.within(&path.display().to_string());
        let file = SecretKeyFile::parse(&key_files::read_secret(path)?).map_err(within)?;
        let password = if file.is_locked() {
            password::known(&path.display().to_string(), arguments.password_fd, password::PASSWORD)?
        } else {
            String::new()
        };
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Ok(Self {
            key: file.unlock(&password).map_err(within)?,
            sequence: arguments.sequence.unwrap_or_else(now),
            is_detached: arguments.detached,
        })
    }

    /// The package with a signature inside, opened as its receiver does it.
    pub(crate) fn signed_inside(&self, bytes: &Arc<dyn ReadAt>, session: &Session) -> Result<Arc<dyn ReadAt>> {
        if is_wrapped(bytes)? {
            return Err(Error::usage("the package was compressed as a whole, so nothing can be put into it")
                .with_hint("decompress it first, or sign it with --detached"));
        }
        let closed = Closed::read(bytes.clone(), session.scratch.as_ref())?;
        let claim = self.claim(bytes, session)?.to_string();
        let signature = Signature::make(&self.key, &mut closed.signed(), &claim)?;
        let signed =
            closed.with_signature(StoredSignature { key: signature.key(), text: signature.to_file().into_bytes() })?;
        let own = Known { key: self.key.public().clone(), name: "the key that signed".to_owned(), is_revoked: false };
        let again = Closed::read(signed.clone(), session.scratch.as_ref())?;
        Trust::new(vec![own], Demand::Signed).check(again, Vec::new())?.open()?;
        Ok(signed)
    }

    /// Writes the signature of a file beside it.
    pub(crate) fn sign_beside(&self, path: &Path, force: bool, session: &Session) -> Result<()> {
        let bytes: Arc<dyn ReadAt> = FileBytes::open(path)?;
        self.sign_bytes_beside(path, &bytes, force, session)
    }

    /// Writes the signature of what is called `path`, in one file or in volumes, beside it.
    fn sign_bytes_beside(&self, path: &Path, bytes: &Arc<dyn ReadAt>, force: bool, session: &Session) -> Result<()> {
        let destination = session.destination(Request {
            product: Product::File,
            path: &with_ending(path, MINISIG),
            name: None,
            force,
            inputs: &Inputs::of([path]),
        })?;
        // What is no package, such as a plain difference, can be signed as well.
        let claim = match Package::open(bytes.clone(), session.scratch.as_ref()) {
            Ok(_) => self.claim(bytes, session)?,
            Err(_) => Claim { sequence: Some(self.sequence), ..Claim::default() },
        };
        let signature = Signature::make(&self.key, &mut Reader::new(bytes), &claim.to_string())?;
        signature.check(self.key.public(), &mut Reader::new(bytes))?;
        let text = signature.to_file();
        let write = |out: &mut dyn Write| io::copy(&mut text.as_bytes(), out).map(|_| ());
        destination
            .write_file(&session.scratch, |out| write(out).map_err(Error::io(format!("writing {destination}"))))?;
        session.terminal.inform(format_args!("the signature by key {} is in {destination}", signature.key()));
        Ok(())
    }

    /// What is signed with the package, besides its digest.
    fn claim(&self, bytes: &Arc<dyn ReadAt>, session: &Session) -> Result<Claim> {
        let closed = Closed::read(bytes.clone(), session.scratch.as_ref())?;
        let package = Some(closed.digest());
        let opened = closed.open()?;
        Ok(Claim { package, sequence: Some(self.sequence), brings: Some(brought(opened.metadata())) })
    }

    /// Says who signed.
    pub(crate) fn tell(&self, session: &Session) {
        session.terminal.inform(format_args!(
            "it is signed by key {} as number {}",
            self.key.public().id(),
            self.sequence
        ));
    }
}

/// Fails where a signature would have no place beside what is made.
pub(crate) fn require_place(signatory: Option<&Signatory>, destination: &Destination) -> Result<()> {
    if destination.path().is_none() && signatory.is_some_and(|signatory| signatory.is_detached) {
        return Err(Error::usage(format!("{destination} is no file, so no signature can be beside it"))
            .with_hint("leave --detached, or name a file"));
    }
    Ok(())
}

/// The package as it is written: with its signature inside, where that is asked for.
pub(crate) fn sealed(
    package: &Arc<dyn ReadAt>,
    signatory: Option<&Signatory>,
    session: &Session,
) -> Result<Arc<dyn ReadAt>> {
    match signatory.filter(|signatory| !signatory.is_detached) {
        Some(signatory) => signatory.signed_inside(package, session),
        None => Ok(package.clone()),
    }
}

/// Writes what goes beside a package that was written as `path`, and says who signed. A file of its own is read from there; what is in
/// volumes is given.
pub(crate) fn finish(
    signatory: Option<&Signatory>,
    path: Option<&Path>,
    volumes: Option<&Arc<dyn ReadAt>>,
    force: bool,
    session: &Session,
) -> Result<()> {
    let Some(signatory) = signatory else { return Ok(()) };
    if let Some(path) = path.filter(|_| signatory.is_detached) {
        match volumes {
            Some(whole) => signatory.sign_bytes_beside(path, whole, force, session)?,
            None => signatory.sign_beside(path, force, session)?,
        }
    }
    signatory.tell(session);
    Ok(())
}
