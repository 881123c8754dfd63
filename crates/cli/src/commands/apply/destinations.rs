//! Into which repositories the images of a package go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::documents::read_about;
use delta_core::image::{ImageName, RebuiltImage};
use delta_transport::registry::Address;

/// What the user said.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// One repository, for the only image.
    Repository(&'a Address),
    /// A registry, or a part of one, where every image keeps its path.
    Prefix(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(to) => to.fmt(formatter),
            Self::Prefix(prefix) => formatter.write_str(prefix),
        }
    }
}

/// One image on its way to one repository.
pub(super) struct Destined {
    pub(super) image: RebuiltImage,
    pub(super) to: Address,
    /// The name that it had, where there is one.
    pub(super) from: Option<ImageName>,
}

/// Says for each image where it goes; what hangs on one goes with it, and first, so that nobody finds the image without it.
pub(super) fn destinations(images: Vec<RebuiltImage>, place: Place<'_>) -> Result<Vec<Destined>> {
    let (artifacts, images): (Vec<_>, Vec<_>) = images.into_iter().partition(RebuiltImage::is_artifact);
    // What is no image can be what is meant.
    let (artifacts, images) = if images.is_empty() { (Vec::new(), artifacts) } else { (artifacts, images) };
    let destined = match place {
        Place::Repository(to) => only(images, to)?,
        Place::Prefix(prefix) => mapped(images, prefix)?,
    };
    let beside = beside(artifacts, &destined);
    Ok(beside.into_iter().chain(destined).collect())
}

fn only(images: Vec<RebuiltImage>, to: &Address) -> Result<Vec<Destined>> {
    if images.len() != 1 {
        let labels: Vec<String> = images.iter().map(RebuiltImage::label).collect();
        return Err(Error::usage(format!(
            "{to} cannot name {} images: the package brings {}",
            images.len(),
            labels.join(", ")
        ))
        .with_hint(format!("give all of them names in one registry: --to {}/", to.registry())));
    }
    let destined = |image: RebuiltImage| Destined { from: image.names.first().cloned(), to: to.clone(), image };
    Ok(images.into_iter().map(destined).collect())
}

fn mapped(images: Vec<RebuiltImage>, prefix: &str) -> Result<Vec<Destined>> {
    let mut destined: Vec<Destined> = Vec::new();
    for image in images {
        if image.names.is_empty() {
            return Err(Error::usage(format!("the image {} has no name that --to could map", image.label()))
                .with_hint("give it one: docker_delta apply PACKAGE docker://REGISTRY/NAME:TAG"));
        }
        for name in &image.names {
            let to = address(prefix, name)?;
            if let Some(other) = destined.iter().find(|other| other.to == to) {
                let (a, b) = (other.from.as_ref().map(ToString::to_string).unwrap_or_default(), name);
                return Err(Error::usage(format!("{a} and {b} would both become {to}"))
                    .with_hint("apply them from packages of their own, each --to another place"));
            }
            destined.push(Destined { image: image.clone(), to, from: Some(name.clone()) });
        }
    }
    Ok(destined)
}

/// The path that an image had in its registry, behind the prefix.
fn address(prefix: &str, name: &ImageName) -> Result<Address> {
    let full = name.full();
    let (_, path) = full.split_once('/').unwrap_or(("", &full));
    let place = prefix.strip_prefix("docker://").unwrap_or(prefix).trim_end_matches('/');
    let host = place.split('/').next().unwrap_or_default();
    if !(host.contains(['.', ':']) || host == "localhost") {
        return Err(Error::usage(format!("expected a registry, with a path or not, behind --to, found `{prefix}`"))
            .with_hint("for example: --to registry.local:5000/mirror/"));
    }
    format!("docker://{place}/{path}").parse()
}

/// Where what hangs on images goes: to all that it is about, or is about something that is about them.
fn beside(artifacts: Vec<RebuiltImage>, destined: &[Destined]) -> Vec<Destined> {
    let mut places: BTreeMap<BlobDigest, Vec<Address>> = BTreeMap::new();
    for one in destined {
        let digests: BTreeSet<BlobDigest> =
            one.image.documents.keys().copied().chain([one.image.root.digest]).collect();
        for digest in digests {
            places.entry(digest).or_default().push(one.to.clone());
        }
    }
    let mut left = artifacts;
    let mut found: Vec<Destined> = Vec::new();
    loop {
        let is_about =
            |artifact: &RebuiltImage| subjects(artifact).into_iter().find_map(|digest| places.get(&digest).cloned());
        let at = left.iter().position(|artifact| is_about(artifact).is_some());
        let (artifact, addresses) = match (at, left.is_empty()) {
            (_, true) => return found,
            (Some(at), _) => {
                let artifact = left.remove(at);
                let addresses = is_about(&artifact).unwrap_or_default();
                (artifact, addresses)
            }
            // What is about nothing here goes where everything goes.
            (None, _) => (left.remove(0), destined.iter().map(|one| one.to.clone()).collect()),
        };
        let mut once: Vec<Address> = Vec::new();
        for to in addresses {
            if !once.iter().any(|known| known.registry() == to.registry() && known.repository() == to.repository()) {
                once.push(to);
            }
        }
        places.insert(artifact.root.digest, once.clone());
        found.extend(once.into_iter().map(|to| Destined { image: artifact.clone(), to: to.without_tag(), from: None }));
    }
}

/// What an artifact says that it is about, itself or by its tag.
fn subjects(artifact: &RebuiltImage) -> Vec<BlobDigest> {
    let of_tag = |name: &ImageName| {
        let tag = name.tag().strip_prefix("sha256-")?;
        format!("sha256:{}", tag.split('.').next()?).parse().ok()
    };
    let said = artifact.documents.get(&artifact.root.digest).and_then(|document| read_about(document).subject);
    artifact.names.iter().filter_map(of_tag).chain(said).collect()
}
