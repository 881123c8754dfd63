//! Images that go into a registry.

use std::collections::BTreeSet;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild};
use delta_core::error::{Error, Result};
use delta_core::image::Image;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::Metadata;
use delta_transport::file_system;
use delta_transport::reference::Reference;
use delta_transport::registry::{Address, PlannedShipment, Shipped, Shipping};

use super::destinations::{Destined, Place, destinations};
use super::mapping::{self, Mapped, MappingFormat};
use super::{ImageReport, Outcome, Report, ids, layers, report_of};
use crate::arguments::Apply;
use crate::figures::size;
use crate::opening::Seal;
use crate::session::Session;
use crate::terminal;

/// Writes the images of a package into a repository, or into as many as they need.
pub(super) fn to_registry(
    session: &Session,
    arguments: &Apply,
    package: &Package,
    bases: &[Image],
    place: Place<'_>,
) -> Result<Report> {
    if let (Place::Repository(to), true) = (place, arguments.output.is_some()) {
        return Err(Error::usage(format!("{to} and -o name two places: give one of them")));
    }
    let destined = destinations(images(package, &Delivery::Original, &arguments.platforms)?, place)?;
    let metadata = package.metadata();
    let shipping = Shipping::new(&session.registries, &addresses(arguments)?, &session.scratch, &session.terminal)?;
    let mut plans = Vec::new();
    let mut mapping = Vec::new();
    for Destined { image, to, from } in destined {
        let planned = shipping.plan(image, &to, arguments.force)?;
        if let Some(from) = from {
            let is_plain = session.registries.is_plain(&to)?;
            mapping.push(Mapped::new(&from, &to, planned.names(), planned.image().root.digest, is_plain));
        }
        plans.push(planned);
    }
    let lacking: Wanted = plans.iter().flat_map(|plan| plan.lacking().clone()).collect();
    let mut found = layers(bases);
    let absent: BTreeSet<_> = needed_bases(metadata, &lacking).difference(&ids(&found)).copied().collect();
    found.extend(shipping.base_layers(&plans, &metadata.bases, &absent)?);
    check_bases(metadata, &lacking, &ids(&found)).map_err(|error| {
        error.with_hint(
            "push that image into the registry, or name where it is: --base docker://REGISTRY/NAME or --base FILE",
        )
    })?;
    file_system::require(session.scratch.folder(), Cost::of(metadata, &lacking).room(), "rebuilding the layers")?;
    let of =
        |images| Report { schema: 1, engine: None, output: Some(place.to_string()), images, seal: Seal::default() };
    let print = || match (place, session.common.talk.json) {
        (Place::Prefix(_), false) => {
            terminal::print(&mapping::text(&mapping, arguments.mapping.unwrap_or(MappingFormat::Table))?)
        }
        _ => Ok(()),
    };
    if arguments.dry_run {
        print()?;
        return Ok(of(plans.iter().map(|plan| foretold(session, metadata, plan)).collect()));
    }
    let rebuilt = rebuild(package, &lacking, &found, session.context())?;
    let carry_out = |plan: &PlannedShipment| {
        let shipped = shipping.carry_out(plan, &rebuilt)?;
        tell(session, plan, shipped);
        let outcome = if plan.is_there() { Outcome::AlreadyThere } else { Outcome::Pushed };
        Ok(ImageReport { shipped: Some(shipped), ..report_planned(metadata, plan, outcome) })
    };
    let reports = plans.iter().map(carry_out).collect::<Result<_>>()?;
    print()?;
    Ok(of(reports))
}

/// The registries among the bases, which may have blobs too.
fn addresses(arguments: &Apply) -> Result<Vec<Address>> {
    let references = arguments.bases.iter().map(|text| text.parse()).collect::<Result<Vec<Reference>>>()?;
    let address = |reference| match reference {
        Reference::Registry(address) => Some(address),
        _ => None,
    };
    Ok(references.into_iter().filter_map(address).collect())
}

fn foretold(session: &Session, metadata: &Metadata, plan: &PlannedShipment) -> ImageReport {
    let outcome = if plan.is_there() { Outcome::AlreadyThere } else { Outcome::WouldBeDone };
    let report = report_planned(metadata, plan, outcome);
    match plan.is_there() {
        true => tell(session, plan, Shipped::default()),
        false => super::plan(session, std::slice::from_ref(&report)),
    }
    report
}

fn report_planned(metadata: &Metadata, plan: &PlannedShipment, outcome: Outcome) -> ImageReport {
    ImageReport { pushed_as: plan.names(), ..report_of(metadata, plan.image(), plan.lacking(), outcome) }
}

fn tell(session: &Session, plan: &PlannedShipment, shipped: Shipped) {
    let (names, id) = (plan.names().join(", "), plan.image().root.digest);
    if plan.is_there() {
        return session.terminal.inform(format_args!("{names} is already there as {id}; nothing is sent"));
    }
    let Shipped { present, mounted, sent, sent_bytes } = shipped;
    session.terminal.inform(format_args!(
        "{names} is pushed as {id}: {sent} blobs ({}) sent, {mounted} taken over from another repository, {present} were there",
        size(sent_bytes)
    ));
}
