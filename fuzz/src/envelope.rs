//! What is around a package: keys, signatures, what they claim, headers of what is encrypted, and the program before it.

use std::sync::Arc;

use delta_codec::ReadAt;
use delta_envelope::claim::Claim;
use delta_envelope::encryption::{Identities, Locked, Recipients};
use delta_envelope::key::{PublicKey, SecretKeyFile};
use delta_envelope::self_contained::{Applier, SelfContained};
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

/// A file that may be a package behind a program, and a program. What is taken for either is whole, and comes back as it was.
pub fn self_contained(data: &[u8]) {
    let [program, file]: [&[u8]; 2] = parts(data);
    let bytes: Arc<dyn ReadAt> = Arc::new(file.to_vec());
    if let Ok(Some(read)) = SelfContained::read(&bytes) {
        assert_eq!(read.front_bytes + read.package.len(), bytes.len());
        let again = read.with_package(read.package.clone());
        assert!(matches!(SelfContained::read(&again), Ok(Some(_))));
    }
    if let Ok(applier) = Applier::read(&program.to_vec(), "the program") {
        let _ = applier.front().expect("what was taken can stand before a package");
    }
}
