//! `docker_delta pull`

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName, Platform};
use delta_core::job::progress::Progress;
use delta_transport::content;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::output::Output;
use delta_transport::reference::{Target, stem_of_name};
use delta_transport::registry::{Address, Held, Offer, StoredPackage};
use serde::Serialize;

use super::apply;
use crate::arguments::Pull;
use crate::figures::{self, size};
use crate::opening::{Beside, MINISIG, Opened};
use crate::sealing;
use crate::session::{Session, inputs};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    /// What was asked for.
    image: String,
    /// The image that is made, where it is one.
    target: Option<BlobDigest>,
    packages: Vec<OfferedPackage>,
    /// The package that is taken.
    chosen: BlobDigest,
    /// Bytes of blobs that registries were asked for.
    fetched_bytes: u64,
    /// The file that it is in, where only that is wanted.
    package: Option<String>,
    /// As `apply` reports it.
    applied: Option<apply::Report>,
}

/// A package of the registry.
#[derive(Serialize)]
struct OfferedPackage {
    digest: BlobDigest,
    file: String,
    package_bytes: u64,
    bases: Vec<String>,
    fits: bool,
    /// Whether a signature lies beside it.
    signed_beside: bool,
}

/// What is here already.
struct Here {
    held: Held,
    /// Whether the image is there, so that nothing is needed for it.
    has_target: bool,
    /// Whether it has its names there too, so that nothing is to be done.
    is_done: bool,
    /// Why the engine could not be asked.
    no_engine: Option<Error>,
    /// The platforms that a package must bring.
    platforms: Vec<Platform>,
}

pub(crate) fn run(session: &Session, arguments: &Pull) -> Result<()> {
    require_image_file(arguments.placement.output.as_ref())?;
    let download = arguments.download.as_deref().map(|path| destination(session, arguments, path)).transpose()?;
    let offer = session.registries.packages(&arguments.image)?;
    for odd in &offer.odd {
        session.terminal.inform(format_args!("what hangs on {} is passed over: {odd}", arguments.image));
    }
    if offer.packages.is_empty() {
        return Err(offer.nothing_fits(&arguments.image, &arguments.placement.platforms));
    }
    let [bases] = session.open_images([&arguments.placement.bases])?;
    let here = here(session, arguments, &offer, &bases)?;
    let packages: Vec<OfferedPackage> = offer.packages.iter().map(|package| here.offered(package)).collect();
    if arguments.dry_run && !session.common.talk.json {
        terminal::print(&table(&packages))?;
    }
    let chosen = chosen(arguments, &offer, &packages, &here)?;
    let is_done = here.is_done && !arguments.force;
    if is_done {
        session.terminal.inform(format_args!("{} is already there; nothing is fetched", arguments.image));
    } else {
        tell(session, chosen, arguments.dry_run);
    }
    let mut report = Report {
        schema: 1,
        image: arguments.image.to_string(),
        target: offer.target,
        packages,
        chosen: chosen.digest(),
        fetched_bytes: 0,
        package: download.as_ref().map(ToString::to_string),
        applied: None,
    };
    if !arguments.dry_run && !is_done {
        let bytes = session.registries.fetch_package(&offer, chosen, &session.scratch)?;
        let place = format!("the signature beside the package at {}", arguments.image);
        let beside = session.registries.fetch_signature(&offer, chosen)?.map(|text| Beside::of_registry(text, place));
        let opened = opened(session, arguments, &offer, (&bytes, beside.as_ref()))?;
        match &download {
            Some(destination) => keep(session, destination, (&bytes, beside.as_ref()), arguments.force)?,
            None => report.applied = Some(apply::apply(session, &errand(arguments), opened, &bases)?),
        }
        report.fetched_bytes = session.registries.fetched_bytes();
        session.registries.finish();
    }
    if session.common.talk.json { terminal::print_json(&report) } else { Ok(()) }
}

/// Whoever names a package behind -o means another option.
fn require_image_file(output: Option<&Output>) -> Result<()> {
    let path = output.map(Output::path).filter(|path| path.extension().is_some_and(|ending| ending == "ddelta"));
    path.map_or(Ok(()), |path| {
        Err(Error::usage(format!("-o writes the image, and {} is called like a package", path.display()))
            .with_hint(format!("the package is kept by --download {}", path.display())))
    })
}

impl Here {
    fn offered(&self, package: &StoredPackage) -> OfferedPackage {
        OfferedPackage {
            digest: package.digest(),
            file: package.file().to_owned(),
            package_bytes: package.size(),
            bases: package.bases().to_vec(),
            fits: self.has_target || package.fits(&self.held, &self.platforms),
            signed_beside: package.has_signature(),
        }
    }
}

/// The smallest that fits; where only a package is wanted, the one that is named by its digest.
fn chosen<'a>(
    arguments: &Pull,
    offer: &'a Offer,
    packages: &[OfferedPackage],
    here: &Here,
) -> Result<&'a StoredPackage> {
    let is_named = arguments.download.is_some()
        && arguments.image.digest().is_some_and(|named| offer.packages.iter().all(|package| package.digest() == named));
    let fitting = offer.packages.iter().zip(packages).find(|(_, offered)| is_named || offered.fits);
    fitting.map(|(package, _)| package).ok_or_else(|| {
        let missing = offer.nothing_fits(&arguments.image, &here.platforms);
        match &here.no_engine {
            Some(error) => apply::without_engine(&missing, error),
            None => missing,
        }
    })
}

/// Where the package is kept. Its name is never that which the registry gives it.
fn destination(session: &Session, arguments: &Pull, path: &Path) -> Result<Destination> {
    let name = stem_of_name(&arguments.image.to_string()).map(|stem| format!("{stem}.ddelta"));
    let inputs = &inputs([&arguments.placement.bases])?;
    session
        .destination(Request { product: Product::Package, path, name: name.as_deref(), force: arguments.force, inputs })
        .map_err(|error| match content::describe(path) {
            Some("an image archive" | "an OCI layout") => error.with_hint(format!(
                "--download keeps the package, under another name; the image itself is written by -o {}",
                path.display()
            )),
            _ => error,
        })
}

/// Finds out what is where the image goes, and in the bases; an engine that does not get it is asked only where these do not do.
fn here(session: &Session, arguments: &Pull, offer: &Offer, bases: &[Image]) -> Result<Here> {
    let platforms = arguments.placement.platforms.clone();
    let mut here = Here { held: held(bases), has_target: false, is_done: false, no_engine: None, platforms };
    if let Some(Target::Registry(to)) = &arguments.placement.name {
        here.held.layers.extend(held(&session.registries.base_images(offer, to, &session.scratch)).layers);
        if let Some(target) = offer.target {
            here.has_target = session.registries.has_image(to, target)?;
            here.is_done = here.has_target && is_tagged(session, offer, to, target)?;
        }
        return Ok(here);
    }
    if let Some(Target::Containerd(to)) = &arguments.placement.name {
        let (store, _) = session.containerd()?.store(to)?;
        here.held.layers.extend(store.diff_ids(&session.scratch));
        here.held.images.extend(store.targets());
        here.has_target = offer.target.is_some_and(|target| store.has(target));
        return Ok(here);
    }
    let is_for_engine = arguments.placement.output.is_none() && arguments.download.is_none();
    if is_for_engine && here.platforms.is_empty() {
        here.platforms = offer.platforms_for(session.engine(None)?.platform());
    }
    if !is_for_engine && offer.choose(&here.held, &arguments.placement.platforms).is_some() {
        return Ok(here);
    }
    match session.engine(None).and_then(|engine| engine.inventory()) {
        Ok(inventory) => {
            here.held.layers.extend(inventory.diff_ids());
            here.held.images.extend(inventory.images.iter().map(|image| image.id));
            let configs = if is_for_engine { session.registries.configs(offer)? } else { Vec::new() };
            let ids = offer.target.filter(|_| is_for_engine).into_iter().chain(configs);
            if let Some(image) = ids.filter_map(|id| inventory.with_id(id)).next() {
                let names = names(arguments, offer);
                let has = |name: &ImageName| image.names.iter().any(|other| other.full() == name.full());
                (here.has_target, here.is_done) = (true, !names.is_empty() && names.iter().all(has));
            }
        }
        Err(error) if is_for_engine => return Err(error),
        Err(error) => here.no_engine = Some(error),
    }
    Ok(here)
}

/// The names that an engine is to give to the image.
fn names(arguments: &Pull, offer: &Offer) -> Vec<ImageName> {
    match &arguments.placement.name {
        Some(Target::Name(name)) => vec![name.clone()],
        _ => offer.packages.first().map(StoredPackage::images).unwrap_or_default(),
    }
}

/// Whether a repository has the image under all tags that it is to have.
fn is_tagged(session: &Session, offer: &Offer, to: &Address, target: BlobDigest) -> Result<bool> {
    let of_names = || offer.packages.first().map(StoredPackage::images).unwrap_or_default();
    let addresses: Vec<Address> = match to.tag() {
        Some(_) => vec![to.clone()],
        None => of_names().iter().map(|name| to.with_tag(name.tag())).collect(),
    };
    for address in &addresses {
        if !session.registries.is_named(address, target)? {
            return Ok(false);
        }
    }
    Ok(!addresses.is_empty())
}

fn held(images: &[Image]) -> Held {
    Held { layers: apply::ids(&apply::layers(images)), images: images.iter().map(|image| image.root.digest).collect() }
}

/// Opens a package, which must make what was asked for.
fn opened(
    session: &Session,
    arguments: &Pull,
    offer: &Offer,
    (bytes, beside): (&Arc<dyn ReadAt>, Option<&Beside>),
) -> Result<Opened> {
    let place = format!("the package at {}", arguments.image);
    let opened =
        session.foreign_package(bytes.clone(), beside, &arguments.opening).map_err(|error| error.within(&place))?;
    let package = &opened.package;
    apply::require_images(package, &place)?;
    let roots: Vec<BlobDigest> = package.metadata().images.iter().map(|image| image.root.digest).collect();
    match offer.target {
        Some(target) if !roots.contains(&target) => Err(Error::Mismatch {
            what: place,
            expected: format!("one that makes the image {target}"),
            found: roots.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }),
        _ => Ok(opened),
    }
}

/// Writes a package, and the signature that belongs beside it, where it has a name.
fn keep(
    session: &Session,
    destination: &Destination,
    (bytes, signature): (&Arc<dyn ReadAt>, Option<&Beside>),
    force: bool,
) -> Result<()> {
    destination.require(bytes.len())?;
    let place = match (destination.path(), signature) {
        (Some(path), Some(_)) => Some(sealing::beside(path, MINISIG, force, session)?),
        _ => None,
    };
    let copy = |out: &mut dyn Write| io::copy(&mut Reader::new(bytes.clone()), out);
    destination.write_file(&session.scratch, |out| copy(out).map_err(Error::io(format!("writing {destination}"))))?;
    session.terminal.inform(format_args!("the package is in {destination}"));
    if let (Some(place), Some(signature)) = (&place, signature) {
        sealing::write_text(place, &signature.text, session)?;
        session.terminal.inform(format_args!("the signature beside it is in {place}"));
    }
    if let Some(path) = destination.path() {
        sealing::tell_of_stale(path, if place.is_some() { &[MINISIG] } else { &[] }, session);
    }
    Ok(())
}

/// What shall become of the image once its package is here.
fn errand(arguments: &Pull) -> apply::Errand<'_> {
    apply::Errand {
        placement: &arguments.placement,
        to: None,
        mapping: apply::MappingFormat::Table,
        file: None,
        freshness: arguments.freshness,
        is_dry: false,
        reads_back: false,
        anew: arguments.force,
    }
}

fn table(packages: &[OfferedPackage]) -> String {
    let row = |package: &OfferedPackage| {
        let bases: Vec<String> = package.bases.iter().map(|base| base.escape_debug().to_string()).collect();
        vec![
            package.digest.short(),
            package.file.escape_debug().to_string(),
            size(package.package_bytes),
            if package.fits { "yes" } else { "no" }.to_owned(),
            bases.join(", "),
        ]
    };
    figures::table(&["PACKAGE", "FILE", "SIZE", "FITS", "BASES"], &[2], packages.iter().map(row))
}

fn tell(session: &Session, chosen: &StoredPackage, is_dry: bool) {
    let verb = if is_dry { "would be fetched" } else { "is fetched" };
    let bases = if chosen.bases().is_empty() { "nothing".to_owned() } else { chosen.bases().join(", ") };
    session.terminal.inform(format_args!(
        "{} ({}) {verb}; it was made against {bases}",
        chosen.file(),
        size(chosen.size())
    ));
}
