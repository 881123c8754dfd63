//! What is around a package: keys, signatures, what they claim, and headers of what is encrypted.

use std::sync::Arc;

use delta_envelope::claim::Claim;
use delta_envelope::encryption::{Identities, Locked, Recipients};
use delta_envelope::key::{PublicKey, SecretKeyFile};
use delta_envelope::signature::Signature;

use crate::parts;

/// A public and a secret key, a signature with what it signs, a claim, and something encrypted.
pub fn signature(data: &[u8]) {
    let [public, secret, signature, claim, encrypted]: [&[u8]; 5] = parts(data);
    let public = PublicKey::parse(public);
    if let Ok(secret) = SecretKeyFile::parse(secret)
        && !secret.is_locked()
    {
        let _ = secret.unlock("");
    }
    if let (Ok(public), Ok(signature)) = (public, Signature::parse(signature)) {
        let _ = signature.check(&public, &mut &claim[..]);
    }
    if let Ok(Some(claim)) = Claim::parse(&String::from_utf8_lossy(claim)) {
        assert_eq!(Claim::parse(&claim.to_string()).ok().flatten(), Some(claim));
    }
    let _ = Recipients::default().add_file(claim);
    let mut identities = Identities::default();
    let _ = identities.add_file(secret, "identity", &(Arc::new(|_: &str| None) as _));
    if let Ok(locked) = Locked::read(Arc::new(encrypted.to_vec())) {
        let _ = locked.unlock(&identities);
    }
}
