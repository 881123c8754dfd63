//! Checks a package wholly, without any base.

use std::io;

use delta_codec::Reader;
use rayon::prelude::*;
use serde::Serialize;

use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::ManifestKind;
use crate::image::documents::{Pointers, read_config, read_pointers};
use crate::job::context::Context;
use crate::layer::coding;
use crate::package::metadata::{ManifestEntry, MemberEntry, Origin};
use crate::package::{Member, Package};

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Members whose digest was compared.
    pub members: usize,
    /// Documents that were compared with the metadata.
    pub documents: usize,
    /// Layers that were rebuilt because they need no base.
    pub rebuilt_layers: usize,
    /// Layers whose members were read to the end, but which only their base can prove.
    pub readable_layers: usize,
}

/// Compares the digest of every member, every document with the metadata, and rebuilds what needs no base. That the
/// package is complete was found out when it was opened.
///
/// # Errors
/// Content errors that name the first part that is wrong.
pub fn verify(package: &Package, context: Context<'_>) -> Result<VerifyReport> {
    let metadata = package.metadata();
    metadata.members.par_iter().map(|member| verify_member(package, member)).collect::<Result<()>>()?;
    let manifests = metadata.images.iter().flat_map(|image| &image.manifests);
    manifests.clone().try_for_each(|manifest| verify_manifest(package, manifest))?;
    let mut report = VerifyReport {
        members: metadata.members.len(),
        documents: metadata.images.iter().map(|image| image.documents.len()).sum(),
        rebuilt_layers: 0,
        readable_layers: 0,
    };
    for layer in &metadata.layers {
        let Origin::Coded { codec, bases, members, .. } = &layer.origin else { continue };
        let member = |name: &String| Ok(Member { name: name.clone(), bytes: package.member(name)? });
        let members = members.iter().map(member).collect::<Result<Vec<_>>>()?;
        if bases.is_empty() {
            coding::decode(*codec, &[], &members, (layer.diff_id, layer.size), context)?;
            report.rebuilt_layers += 1;
        } else {
            members.iter().try_for_each(read_through)?;
            report.readable_layers += 1;
        }
    }
    Ok(report)
}

fn verify_member(package: &Package, entry: &MemberEntry) -> Result<()> {
    let bytes = package.member(&entry.name)?;
    let (found, _) = BlobDigest::of_reader(&mut Reader::new(bytes))
        .map_err(Error::io(format!("reading the member {}", entry.name)))?;
    if found == entry.digest {
        Ok(())
    } else {
        let (expected, found) = (entry.digest.to_string(), found.to_string());
        Err(Error::Mismatch { what: format!("the member {}", entry.name), expected, found })
    }
}

/// The config and manifest must say of the layers what the metadata says.
fn verify_manifest(package: &Package, entry: &ManifestEntry) -> Result<()> {
    let fault = |what: &str| Err(Error::content(format!("the manifest {}: {what}", entry.digest)));
    let Pointers::Manifest { config, layers } = read_pointers(&package.document(entry.digest)?)? else {
        return fault("it is an index");
    };
    if config.digest != entry.config.into() {
        return fault("it names another config than metadata.json");
    }
    if !layers.iter().map(|layer| layer.digest).eq(entry.layers.iter().map(|layer| layer.blob)) {
        return fault("it names other blobs than metadata.json");
    }
    let config = package.document(config.digest)?;
    if entry.kind == ManifestKind::Image {
        let diff_ids: Vec<DiffId> = entry.layers.iter().map(|layer| layer.diff_id).collect();
        if read_config(&config)?.diff_ids != diff_ids {
            return fault("its config lists other layers than metadata.json");
        }
    }
    Ok(())
}

fn read_through(member: &Member) -> Result<()> {
    io::copy(&mut coding::compressed::plain(member)?, &mut io::sink())
        .map(|_| ())
        .map_err(|error| Error::content(format!("the member {} cannot be decompressed: {error}", member.name)))
}
