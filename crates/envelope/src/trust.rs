//! Whose signature counts, and the one way from the end of a package to its content: past that question.

use std::io::Read;

use delta_core::error::{Error, Result};
use delta_core::package::{Closed, KeyId, Package};
use serde::Serialize;

use crate::claim::Claim;
use crate::key::PublicKey;
use crate::signature::Signature;

/// A key that somebody named.
#[derive(Clone, Debug)]
pub struct NamedKey {
    /// The key.
    pub key: PublicKey,
    /// Where it was named, for people.
    pub name: String,
    /// Whether nothing that it signed counts any more.
    pub is_revoked: bool,
}

/// What is asked of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing; a signature of a known key must fit all the same.
    Nothing,
    /// That it is not signed by revoked keys alone.
    Unrevoked,
    /// A signature by a trusted key.
    Signed,
}

/// The keys that are known here, and what is asked.
#[derive(Clone, Debug)]
pub struct Trust {
    known: Vec<NamedKey>,
    demand: Demand,
}

/// Where a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the package.
    Inside,
    /// In a file beside it.
    Beside,
}

/// What a key is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is trusted, and the signature fits.
    Trusted,
    /// It was trusted once; the signature fits.
    Revoked,
    /// Nobody here knows it, so nobody could check the signature.
    Unknown,
}

/// Who signed, as far as that is known. Only [`Trust`] makes one.
#[derive(Clone, Debug, Serialize)]
pub struct Signer {
    key_id: KeyId,
    place: Place,
    standing: Standing,
    known_as: Option<String>,
    comment: String,
    trusted_comment: Option<String>,
    sequence: Option<u64>,
    #[serde(skip)]
    claim: Option<Claim>,
}

impl Signer {
    /// The key by which the signature is, or says to be.
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Where the signature is.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What the key is here.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Where the key was named.
    pub fn known_as(&self) -> Option<&str> {
        self.known_as.as_deref()
    }

    /// What anybody may have written about the signature.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// What the key signed besides; nothing where the signature could not be checked.
    pub fn trusted_comment(&self) -> Option<&str> {
        self.trusted_comment.as_deref()
    }

    /// Which of several packages this is; nothing where the signature could not be checked.
    pub const fn sequence(&self) -> Option<u64> {
        self.sequence
    }
}

/// A package whose signatures were judged, and found to be enough. Only [`Trust::check`] makes one.
pub struct Checked {
    closed: Closed,
    signers: Vec<Signer>,
}

impl Checked {
    /// Opens the package, which must bring what its signatures say.
    ///
    /// # Errors
    /// Content errors when it does not, or its parts contradict each other.
    pub fn open(self) -> Result<(Package, Vec<Signer>)> {
        let package = self.closed.open()?;
        for claim in self.signers.iter().filter_map(|signer| signer.claim.as_ref()) {
            claim.require_brought(package.metadata())?;
        }
        Ok((package, self.signers))
    }
}

impl Trust {
    /// Takes keys and what is asked of packages. A key that is revoked anywhere is revoked.
    pub fn new(keys: Vec<NamedKey>, demand: Demand) -> Self {
        let mut known: Vec<NamedKey> = Vec::new();
        for key in keys {
            match known.iter_mut().find(|same| same.key.is(&key.key)) {
                Some(same) if key.is_revoked => *same = key,
                Some(_) => {}
                None => known.push(key),
            }
        }
        Self { known, demand }
    }

    /// Whether a signature by a trusted key is asked for.
    pub fn is_demanded(&self) -> bool {
        self.demand == Demand::Signed
    }

    /// Compares a signature that lies beside a file with the file.
    ///
    /// # Errors
    /// A content error when a key that is known here did not make it of these bytes.
    pub fn judge_beside(&self, signature: &Signature, bytes: &mut dyn Read) -> Result<Signer> {
        let known: Vec<&NamedKey> = self.with_id(signature.key()).collect();
        // One reading does for one key; that two keys have one ID is nobody's usual day.
        match known.as_slice() {
            [] => Self::signer(signature, Place::Beside, None),
            [known] => Self::signer(signature, Place::Beside, Some((known, signature.check(&known.key, bytes)?))),
            _ => Err(two_with_one_id(signature.key())),
        }
    }

    /// Judges the signatures inside of a package, with those that lay `beside` it.
    ///
    /// # Errors
    /// Content errors when a signature by a known key does not fit, or what is asked for is not there.
    pub fn check(&self, closed: Closed, beside: Vec<Signer>) -> Result<Checked> {
        let mut signers = beside;
        for stored in closed.signatures() {
            let signature = Signature::parse_exactly(&stored.text)?;
            if signature.key() != stored.key {
                return Err(Error::content(format!(
                    "a signature that is called {} is one by key {}",
                    stored.key,
                    signature.key()
                )));
            }
            signers.push(self.judge_inside(&signature, closed.signed())?);
        }
        for claim in signers.iter().filter_map(|signer| signer.claim.as_ref()) {
            claim.require_digest(closed.digest())?;
        }
        self.require(&signers)?;
        Ok(Checked { closed, signers })
    }

    fn judge_inside(&self, signature: &Signature, signed: &[u8]) -> Result<Signer> {
        let known: Vec<&NamedKey> = self.with_id(signature.key()).collect();
        match known.as_slice() {
            [] => Self::signer(signature, Place::Inside, None),
            [known] => {
                let comment = signature.check(&known.key, &mut &signed[..])?;
                Self::signer(signature, Place::Inside, Some((known, comment)))
            }
            _ => Err(two_with_one_id(signature.key())),
        }
    }

    /// Fails where what is asked for is not there.
    ///
    /// # Errors
    /// Content errors that name the keys.
    pub fn require(&self, signers: &[Signer]) -> Result<()> {
        let is_trusted = signers.iter().any(|signer| signer.standing == Standing::Trusted);
        if is_trusted || self.demand == Demand::Nothing {
            return Ok(());
        }
        if let Some(revoked) = signers.iter().find(|signer| signer.standing == Standing::Revoked) {
            let name = revoked.known_as.as_deref().unwrap_or_default();
            return Err(Error::content(format!("it is signed by key {}, which is revoked ({name})", revoked.key_id))
                .with_hint("ask its maker for one that is signed by another key"));
        }
        if self.demand == Demand::Unrevoked {
            return Ok(());
        }
        let trusted = self.known.iter().filter(|known| !known.is_revoked);
        let trusted: Vec<String> = trusted.map(|known| format!("{} ({})", known.key.id(), known.name)).collect();
        let trusted = trusted.join(", ");
        let signed: Vec<String> = signers.iter().map(|signer| signer.key_id.to_string()).collect();
        Err(match signed.as_slice() {
            [] => Error::content(format!("it is not signed; expected a signature by {trusted}"))
                .with_hint("ask its maker for a signed one, or for the PACKAGE.minisig that belongs beside it"),
            _ => Error::content(format!(
                "it is signed by key {}, which is not trusted here; expected a signature by {trusted}",
                signed.join(", ")
            ))
            .with_hint("name the public key with --trust if you know whose it is"),
        })
    }

    fn with_id(&self, id: KeyId) -> impl Iterator<Item = &NamedKey> {
        self.known.iter().filter(move |known| known.key.id() == id)
    }

    fn signer(signature: &Signature, place: Place, checked: Option<(&NamedKey, String)>) -> Result<Signer> {
        let claim = checked.as_ref().map(|(_, comment)| Claim::parse(comment)).transpose()?.flatten();
        let standing = match &checked {
            None => Standing::Unknown,
            Some((known, _)) if known.is_revoked => Standing::Revoked,
            Some(_) => Standing::Trusted,
        };
        let (known_as, trusted_comment) = checked.map(|(known, comment)| (known.name.clone(), comment)).unzip();
        Ok(Signer {
            key_id: signature.key(),
            place,
            standing,
            known_as,
            comment: signature.untrusted_comment(),
            trusted_comment,
            sequence: claim.as_ref().and_then(|claim| claim.sequence),
            claim,
        })
    }
}

fn two_with_one_id(id: KeyId) -> Error {
    Error::usage(format!("two different keys with the ID {id} are known here, so none can be chosen"))
        .with_hint("name one of them with --trust")
}
