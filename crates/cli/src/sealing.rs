//! What is put around a package that is made here: signatures, and what only some can read.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use delta_codec::{ReadAt, Reader};
use delta_core::digest::{BlobDigest, Hasher};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::{Closed, StoredSignature, is_wrapped};
use delta_envelope::claim::{Claim, brought};
use delta_envelope::encryption::{Recipients, is_encrypted};
use delta_envelope::key::{SecretKey, SecretKeyFile};
use delta_envelope::self_contained::{self, Applier, SelfContained};
use delta_envelope::signature::Signature;
use delta_envelope::trust::{Demand, NamedKey, Trust};
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::digest_file;
use delta_transport::file::FileBytes;
use delta_transport::inputs::Inputs;
use delta_transport::key_files::{self, with_ending};

use crate::arguments::{EncryptionArguments, SignatureArguments, Signing};
use crate::opening::MINISIG;
use crate::password::{PASSPHRASE, PASSWORD};
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
            PASSWORD.known(&path.display().to_string(), arguments.password_fd)?
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
        if let Some(around) = SelfContained::read(bytes)? {
            return self.signed_inside(&around.package, session).map(|signed| around.with_package(signed));
        }
        if is_encrypted(bytes)? {
            return Err(Error::usage("the package is encrypted, so nothing can be put into it")
                .with_hint("sign it with --detached; `create --sign KEY --encrypt-to RECIPIENT` signs inside first"));
        }
        if is_wrapped(bytes)? {
            return Err(Error::usage("the package was compressed as a whole, so nothing can be put into it")
                .with_hint("decompress it first, or sign it with --detached"));
        }
        let closed = Closed::read(bytes.clone(), session.scratch.as_ref())?;
        let claim = self.claim(&closed)?.to_string();
        let signature = Signature::make(&self.key, &mut closed.signed(), &claim)?;
        let signed =
            closed.with_signature(StoredSignature { key: signature.key(), text: signature.to_file().into_bytes() })?;
        let own =
            NamedKey { key: self.key.public().clone(), name: "the key that signed".to_owned(), is_revoked: false };
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
        let destination = beside(path, MINISIG, force, session)?;
        // What is no package, such as a plain difference, can be signed as well.
        let package = self_contained::package_of(bytes)?;
        let claim = Closed::read(package, session.scratch.as_ref()).and_then(|closed| self.claim(&closed));
        let claim = claim.unwrap_or_else(|_| Claim { sequence: Some(self.sequence), ..Claim::default() });
        let signature = Signature::make(&self.key, &mut Reader::new(bytes), &claim.to_string())?;
        signature.check(self.key.public(), &mut Reader::new(bytes))?;
        write_text(&destination, signature.to_file().as_bytes(), session)?;
        session.terminal.inform(format_args!("the signature by key {} is in {destination}", signature.key()));
        Ok(())
    }

    /// What is signed with the package, besides its digest.
    fn claim(&self, closed: &Closed) -> Result<Claim> {
        let opened = closed.clone().open()?;
        Ok(Claim {
            package: Some(closed.digest()),
            sequence: Some(self.sequence),
            brings: Some(brought(opened.metadata())),
        })
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

/// What is put around what is made: a signature, what only some can read, and a program that applies it.
pub(crate) struct Sealing {
    /// What stands before it.
    front: Vec<u8>,
    signatory: Option<Signatory>,
    recipients: Option<Recipients>,
    /// Whether files beside it may be replaced.
    force: bool,
}

/// What was written, with all that is around it.
#[derive(Clone, Copy)]
pub(crate) struct Sealed {
    pub(crate) bytes: u64,
    pub(crate) digest: BlobDigest,
}

impl Sealing {
    /// What was asked for, if there is a place for it.
    pub(crate) fn chosen(
        (signing, encryption): (&Signing, &EncryptionArguments),
        (shown, path): (&dyn fmt::Display, Option<&Path>),
        force: bool,
        session: &Session,
    ) -> Result<Self> {
        let (signatory, recipients) = (Signatory::chosen(signing)?, recipients(encryption)?);
        let sealing = Self { front: Vec::new(), signatory, recipients, force };
        for ending in sealing.endings() {
            match path {
                Some(path) => drop(beside(path, ending, force, session)?),
                None if ending == MINISIG => {
                    return Err(Error::usage(format!("{shown} is no file, so no signature can be beside it"))
                        .with_hint("leave --detached, or name a file"));
                }
                None => {}
            }
        }
        Ok(sealing)
    }

    /// The same behind a program.
    pub(crate) fn behind(self, applier: &Applier) -> Result<Self> {
        Ok(Self { front: applier.front()?, ..self })
    }

    /// What goes beside it.
    fn endings(&self) -> Vec<&'static str> {
        let signature = self.signatory.iter().filter(|signatory| signatory.is_detached).map(|_| MINISIG);
        signature.chain(self.recipients.iter().map(|_| digest_file::ENDING)).collect()
    }

    /// Whether a signature goes into it.
    pub(crate) fn signs_inside(&self) -> bool {
        self.signatory.as_ref().is_some_and(|signatory| !signatory.is_detached)
    }

    /// The package with its signature inside, where that is asked for.
    pub(crate) fn signed(&self, package: &Arc<dyn ReadAt>, session: &Session) -> Result<Arc<dyn ReadAt>> {
        match self.signatory.as_ref().filter(|signatory| !signatory.is_detached) {
            Some(signatory) => signatory.signed_inside(package, session),
            None => Ok(package.clone()),
        }
    }

    /// About how many bytes there are when so many are written.
    pub(crate) fn length(&self, bytes: u64) -> u64 {
        // Sixteen for each piece of 65536, and a header.
        let bytes = bytes.saturating_add(self.front.len() as u64);
        if self.recipients.is_some() { bytes.saturating_add(bytes / 4_096).saturating_add(4_096) } else { bytes }
    }

    /// How much stands before it.
    pub(crate) const fn front_bytes(&self) -> u64 {
        self.front.len() as u64
    }

    /// Writes it: behind a program and encrypted, where that is asked for.
    pub(crate) fn write(&self, bytes: &Arc<dyn ReadAt>, out: &mut dyn Write) -> Result<Sealed> {
        let mut out = Hasher::new(out);
        out.write_all(&self.front).map_err(Error::io("writing the program"))?;
        let mut reader = Reader::new(bytes);
        match &self.recipients {
            Some(recipients) => recipients.encrypt(&mut reader, &mut out)?,
            None => io::copy(&mut reader, &mut out).map_err(Error::io("writing the package"))?,
        };
        let (_, digest, bytes) = out.finish();
        Ok(Sealed { bytes, digest: digest.into() })
    }

    /// All of it as it is written, for what is cut.
    pub(crate) fn whole(&self, bytes: &Arc<dyn ReadAt>, session: &Session) -> Result<Arc<dyn ReadAt>> {
        match &self.recipients {
            Some(_) => session.context().spool("encrypting the package", |out| self.write(bytes, out).map(drop)),
            None => Ok(bytes.clone()),
        }
    }

    /// Writes what goes beside what was `written` to `path`, and says who signed. A file of its own is read from there to be signed; what is
    /// in volumes is given.
    pub(crate) fn finish(
        &self,
        path: Option<&Path>,
        (written, volumes): (Sealed, Option<&Arc<dyn ReadAt>>),
        session: &Session,
    ) -> Result<()> {
        if let Some(path) = path {
            match (self.signatory.as_ref().filter(|signatory| signatory.is_detached), volumes) {
                (Some(signatory), Some(whole)) => signatory.sign_bytes_beside(path, whole, self.force, session)?,
                (Some(signatory), None) => signatory.sign_beside(path, self.force, session)?,
                (None, _) => {}
            }
            if self.recipients.is_some() {
                self.write_digest(path, written.digest, session)?;
            }
            tell_of_stale(path, &self.endings(), session);
        }
        if let Some(signatory) = &self.signatory {
            signatory.tell(session);
        }
        Ok(())
    }

    /// The digest of what is encrypted, so that whoever cannot read it can tell a bad copy.
    fn write_digest(&self, path: &Path, digest: BlobDigest, session: &Session) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let destination = beside(path, digest_file::ENDING, self.force, session)?;
        write_text(&destination, digest_file::line(digest, &name).as_bytes(), session)?;
        session.terminal.inform(format_args!("it is encrypted; its digest is in {destination}"));
        Ok(())
    }
}

/// Says what stands beside a file and belongs to what was there before: all that was not `written` with it.
pub(crate) fn tell_of_stale(path: &Path, written: &[&str], session: &Session) {
    let stale = [MINISIG, digest_file::ENDING].into_iter().filter(|ending| !written.contains(ending));
    for path in stale.map(|ending| with_ending(path, ending)).filter(|path| path.exists()) {
        session.terminal.inform(format_args!("{} is of what was there before; remove it", path.display()));
    }
}

/// Where something goes that belongs beside a file.
pub(crate) fn beside(path: &Path, ending: &str, force: bool, session: &Session) -> Result<Destination> {
    session.destination(Request {
        product: Product::File,
        path: &with_ending(path, ending),
        name: None,
        force,
        inputs: &Inputs::of([path]),
    })
}

/// Writes what goes beside a file.
pub(crate) fn write_text(destination: &Destination, text: &[u8], session: &Session) -> Result<()> {
    let write = |out: &mut dyn Write| io::copy(&mut &text[..], out).map(|_| ());
    destination.write_file(&session.scratch, |out| write(out).map_err(Error::io(format!("writing {destination}"))))
}

/// Those who may read it, if not everybody may.
fn recipients(arguments: &EncryptionArguments) -> Result<Option<Recipients>> {
    if arguments.encrypt_passphrase {
        let passphrase = PASSPHRASE.chosen("the package", arguments.passphrase_fd)?;
        return Recipients::of_passphrase(passphrase).map(Some);
    }
    if arguments.encrypt_to.is_empty() {
        return Ok(None);
    }
    let mut recipients = Recipients::default();
    for text in &arguments.encrypt_to {
        if Recipients::is_meant(text) {
            recipients.add(text)?;
        } else {
            let text = key_files::read_public(Path::new(text))
                .and_then(|list| recipients.add_file(&list).map_err(|error| error.within(text)));
            text?;
        }
    }
    Ok(Some(recipients))
}
