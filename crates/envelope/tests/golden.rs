//! What was signed and encrypted stays readable, and what was refused stays refused. The keys are for these tests alone.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{MemoryScratch, ReadAt};
use delta_core::error::Result;
use delta_core::package::{Closed, Package};
use delta_envelope::encryption::{Identities, Locked, is_encrypted};
use delta_envelope::key::PublicKey;
use delta_envelope::trust::{Demand, NamedKey, Signer, Standing, Trust};

fn file(name: &str) -> Vec<u8> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1");
    std::fs::read(folder.join(name)).unwrap()
}

/// Opens a package that must be signed by the key of these tests.
fn opened(bytes: Arc<dyn ReadAt>) -> Result<(Package, Vec<Signer>)> {
    let key = PublicKey::parse(&file("sealed/vendor.pub")).unwrap();
    let known = NamedKey { key, name: "vendor.pub".to_owned(), is_revoked: false };
    let trust = Trust::new(vec![known], Demand::Signed);
    trust.check(Closed::read(bytes, &MemoryScratch)?, Vec::new())?.open()
}

#[test]
fn what_was_signed_is_checked() {
    let (package, signers) = opened(Arc::new(file("accept/signed.ddelta"))).unwrap();
    assert!(!package.metadata().images.is_empty());
    let standing: Vec<Standing> = signers.iter().map(Signer::standing).collect();
    assert_eq!(standing, [Standing::Trusted, Standing::Unknown]);
    assert_eq!((signers[0].sequence(), signers[1].sequence()), (Some(7), None));
}

#[test]
fn what_was_encrypted_is_opened() {
    let bytes: Arc<dyn ReadAt> = Arc::new(file("sealed/encrypted.ddelta"));
    assert!(is_encrypted(&bytes).unwrap());
    let mut identities = Identities::default();
    identities.add_file(&file("sealed/identity.age"), "identity.age", &(Arc::new(|_: &str| None) as _)).unwrap();
    let plain = Locked::read(bytes).unwrap().unlock(&identities).unwrap();
    let mut held = vec![0; usize::try_from(plain.len()).unwrap()];
    plain.read_exact_at(&mut held, 0).unwrap();
    assert_eq!(held, file("accept/signed.ddelta"));
}

#[test]
fn what_was_refused_is_refused_for_its_reason() {
    for (name, reason) in [
        ("sealed/other-bytes.ddelta", "is not that of these bytes"),
        ("sealed/other-claim.ddelta", "the package that the signature names"),
        ("sealed/unknown-claim.ddelta", "in no form that is known here"),
        ("sealed/other-form.ddelta", "no other blanks"),
        ("sealed/other-key.ddelta", "is one by key"),
        ("accept/layer.ddelta", "it is not signed"),
    ] {
        let error = opened(Arc::new(file(name))).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(reason), "{name}: {error}");
    }
}
