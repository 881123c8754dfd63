//! The one way from a path to a package: volumes joined, signatures beside it, then what it is encrypted with, then signatures inside, then
//! its content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::{Closed, Package, is_wrapped};
use delta_envelope::encryption::{Ask, Identities, Locked, is_encrypted};
use delta_envelope::self_contained::SelfContained;
use delta_envelope::signature::Signature;
use delta_envelope::trust::{Demand, NamedKey, Place, Signer, Standing, Trust};
use delta_transport::file::is_pipe;
use delta_transport::key_files::{self, with_ending};
use delta_transport::volumes::{Depth, VolumeName};
use serde::Serialize;

use crate::arguments::Opening;
use crate::figures::size;
use crate::password::PASSPHRASE;
use crate::session::{PACKAGE, Session, mistaken};
use crate::terminal::Terminal;

/// What the name of a signature beside a package ends in, behind the package's.
pub(crate) const MINISIG: &str = ".minisig";

/// A package that was opened, and what was around it.
pub(crate) struct Opened {
    pub(crate) package: Package,
    pub(crate) seal: Seal,
}

/// A signature that lies beside a package.
pub(crate) struct Beside {
    /// As minisign writes it.
    pub(crate) text: Vec<u8>,
    /// Where it lies, for errors.
    place: String,
}

impl Beside {
    /// The one that a registry keeps with a package.
    pub(crate) const fn of_registry(text: Vec<u8>, place: String) -> Self {
        Self { text, place }
    }

    /// The one beside a file, if there is one.
    pub(crate) fn of(path: &Path) -> Result<Option<Self>> {
        if path == Path::new("-") || is_pipe(path) {
            return Ok(None);
        }
        // Beside a volume it is called like the package that all volumes make.
        let names = [path.to_owned(), VolumeName::stem(path)];
        let beside = names.iter().map(|name| with_ending(name, MINISIG)).find(|beside| beside.exists());
        let read = |path: PathBuf| Ok(Self { text: key_files::read_public(&path)?, place: path.display().to_string() });
        beside.map(read).transpose()
    }

    /// Whose it is, of these bytes.
    fn judged(&self, bytes: &Arc<dyn ReadAt>, trust: &Trust, terminal: &Terminal) -> Result<Signer> {
        let task = terminal.begin(&format!("Checking {}", self.place), Some(bytes.len()));
        let signature = Signature::parse(&self.text);
        let signer = signature.and_then(|signature| trust.judge_beside(&signature, &mut Reader::new(bytes)));
        task.advance(bytes.len());
        signer.map_err(|error| error.within(&self.place))
    }
}

/// What was around a package, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Seal {
    pub(crate) encrypted: bool,
    /// The program before it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applier: Option<FoundApplier>,
    pub(crate) signatures: Vec<Signer>,
}

/// A program that stands before a package.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct FoundApplier {
    machine: &'static str,
    /// Bytes before the package.
    bytes: u64,
}

/// The plain bytes of a package, or of another difference, of which nothing was looked at but what is beside and around them.
pub(crate) struct Unopened {
    pub(crate) bytes: Arc<dyn ReadAt>,
    is_encrypted: bool,
    applier: Option<FoundApplier>,
    trust: Trust,
    signers: Vec<Signer>,
}

impl Session {
    /// Opens a package in a file, in volumes, a pipe or on standard input.
    pub(crate) fn open_package(&self, path: &Path, opening: &Opening) -> Result<Opened> {
        self.package(path, self.open_whole(path, Depth::Needed)?.bytes, opening)
    }

    /// Opens a package whose bytes came from a file.
    pub(crate) fn package(&self, path: &Path, bytes: Arc<dyn ReadAt>, opening: &Opening) -> Result<Opened> {
        let beside = Beside::of(path).map_err(|error| error.within(&path.display().to_string()))?;
        self.package_with(path, bytes, beside.as_ref(), opening)
    }

    /// Opens a package whose bytes came from a file, and what lies beside that.
    pub(crate) fn package_with(
        &self,
        path: &Path,
        bytes: Arc<dyn ReadAt>,
        beside: Option<&Beside>,
        opening: &Opening,
    ) -> Result<Opened> {
        let opened = self.foreign_package(bytes, beside, opening);
        opened.map_err(|error| mistaken(path, PACKAGE, error.within(&path.display().to_string())))
    }

    /// Opens a package that is no file here.
    pub(crate) fn foreign_package(
        &self,
        bytes: Arc<dyn ReadAt>,
        beside: Option<&Beside>,
        opening: &Opening,
    ) -> Result<Opened> {
        self.unopened(bytes, beside, opening)?.open(self)
    }

    /// Looks at what is beside a package, before anything in it.
    pub(crate) fn unopened(
        &self,
        bytes: Arc<dyn ReadAt>,
        beside: Option<&Beside>,
        opening: &Opening,
    ) -> Result<Unopened> {
        let (trust, signers) = self.judged_beside(beside, &bytes, opening)?;
        Unopened::new(bytes, trust, signers, opening)
    }

    /// Whose signatures count, and whose the one beside is.
    pub(crate) fn judged_beside(
        &self,
        beside: Option<&Beside>,
        bytes: &Arc<dyn ReadAt>,
        opening: &Opening,
    ) -> Result<(Trust, Vec<Signer>)> {
        let trust = trust(opening)?;
        let signers = beside.map(|beside| beside.judged(bytes, &trust, &self.terminal)).transpose()?;
        Ok((trust, signers.into_iter().collect()))
    }
}

impl Unopened {
    fn new(bytes: Arc<dyn ReadAt>, trust: Trust, signers: Vec<Signer>, opening: &Opening) -> Result<Self> {
        let around = SelfContained::read(&bytes)?;
        let applier = around.as_ref().map(|it| FoundApplier { machine: it.machine.name(), bytes: it.front_bytes });
        let bytes = around.map_or(bytes, |it| it.package);
        let is_encrypted = is_encrypted(&bytes)?;
        let bytes = if is_encrypted { decrypted(bytes, opening)? } else { bytes };
        Ok(Self { bytes, is_encrypted, applier, trust, signers })
    }

    /// Whether a signature is asked for that is not there yet: it can only be inside.
    pub(crate) fn needs_signature_inside(&self) -> bool {
        self.trust.require(&self.signers).is_err()
    }

    /// Opens what must be a package.
    pub(crate) fn open(self, session: &Session) -> Result<Opened> {
        if self.trust.is_demanded() && self.needs_signature_inside() && is_wrapped(&self.bytes)? {
            return Err(Error::content(
                "it was compressed as a whole, and a signature inside can be checked only without that",
            )
            .with_hint("decompress it first, or get the PACKAGE.minisig that belongs beside it"));
        }
        let closed = Closed::read(self.bytes, session.scratch.as_ref())?;
        let (package, signatures) = self.trust.check(closed, self.signers)?.open()?;
        Ok(Opened { package, seal: Seal { encrypted: self.is_encrypted, applier: self.applier, signatures } })
    }

    /// Takes what is no package, for which a signature beside it must do.
    pub(crate) fn without_package(self) -> Result<Seal> {
        self.trust.require(&self.signers)?;
        Ok(Seal { encrypted: self.is_encrypted, applier: self.applier, signatures: self.signers })
    }
}

/// What was encrypted, as it was before; it is decrypted where it is read, and no copy of it is kept.
fn decrypted(bytes: Arc<dyn ReadAt>, opening: &Opening) -> Result<Arc<dyn ReadAt>> {
    let locked = Locked::read(bytes)?;
    let mut identities = Identities::default();
    let descriptor = opening.passphrase_fd;
    for path in &opening.identity_files {
        let name = path.display().to_string();
        let asked = name.clone();
        let ask: Ask = Arc::new(move |_| PASSPHRASE.known(&asked, descriptor).ok());
        let text = key_files::read_secret(path)?;
        identities.add_file(&text, &name, &ask).map_err(|error| error.within(&name))?;
    }
    if locked.takes_passphrase() {
        identities.add_passphrase(PASSPHRASE.known("the package", descriptor)?);
    } else if opening.identity_files.is_empty() {
        return Err(Error::usage("it is encrypted, and no identity was named")
            .with_hint("name the file with yours, of `age-keygen` or of ssh: --identity-file FILE"));
    }
    locked.unlock(&identities)
}

/// Which keys count, and what is asked for: what was typed, else what the machine says.
fn trust(opening: &Opening) -> Result<Trust> {
    let machine = key_files::of_machine()?;
    if opening.allow_unsigned {
        return Ok(Trust::new(machine, Demand::Nothing));
    }
    if opening.trust.is_empty() {
        let is_asked = machine.iter().any(|known| !known.is_revoked);
        return Ok(Trust::new(machine, if is_asked { Demand::Signed } else { Demand::Unrevoked }));
    }
    let mut known: Vec<NamedKey> = machine.into_iter().filter(|known| known.is_revoked).collect();
    for text in &opening.trust {
        known.extend(key_files::named(text)?);
    }
    Ok(Trust::new(known, Demand::Signed))
}

impl Seal {
    /// Says who signed.
    pub(crate) fn tell(&self, terminal: &Terminal) {
        if self.encrypted {
            terminal.detail(format_args!("it is encrypted"));
        }
        for signer in &self.signatures {
            terminal.inform(format_args!("signed by {}", described(signer)));
        }
    }

    /// Lines for a table: what each is called, and what it is.
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        if self.encrypted {
            rows.push(("Encrypted", "yes".to_owned()));
        }
        if let Some(FoundApplier { machine, bytes }) = self.applier {
            rows.push(("Program", format!("{} before it that applies it, for Linux on {machine}", size(bytes))));
        }
        for signer in &self.signatures {
            rows.push(("Signed", described(signer).escape_debug().to_string()));
            let comment = signer.trusted_comment().map(|comment| ("  says", comment.escape_debug().to_string()));
            rows.extend(comment);
            rows.push(("  comment", signer.comment().escape_debug().to_string()));
        }
        if self.signatures.is_empty() {
            rows.push(("Signed", "by nobody".to_owned()));
        }
        rows
    }
}

fn described(signer: &Signer) -> String {
    let place = match signer.place() {
        Place::Inside => "inside",
        Place::Beside => "beside",
    };
    let known_as = signer.known_as().unwrap_or_default();
    let standing = match signer.standing() {
        Standing::Trusted => format!("trusted here ({known_as})"),
        Standing::Revoked => format!("REVOKED here ({known_as})"),
        Standing::Unknown => "not known here, so nobody checked it".to_owned(),
    };
    let sequence = signer.sequence().map(|number| format!(", number {number}")).unwrap_or_default();
    format!("key {}, {standing}{sequence}, {place}", signer.key_id())
}
