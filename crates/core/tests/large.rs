//! Executables beyond what `exec-1` predicts: a feature of its own.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::path::Path;

use common::{applied, edited, error, open};
use delta_core::apply::Delivery;

/// The golden package of such an executable, which was made once.
fn golden() -> Vec<u8> {
    let path = "../../testdata/golden/v1/accept/large.ddelta";
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn a_large_prediction_is_asked_for_by_name() {
    let package = golden();
    let required = open(&package).unwrap().metadata().requires.clone();
    assert!(required.contains("exec-1") && required.contains("exec-2"), "{required:?}");
    assert_eq!(applied(&open(&package).unwrap(), &Delivery::Original, &[]).unwrap().len(), 1);
}

#[test]
fn a_large_prediction_that_is_not_asked_for_is_refused() {
    let unrequired = edited(&golden(), |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "exec-2");
    });
    let refused = error(applied(&open(&unrequired).unwrap(), &Delivery::Original, &[])).to_string();
    assert!(refused.contains("does not require `exec-2`, which it uses"), "{refused}");
}
