//! Images that go into a registry.

use std::collections::BTreeSet;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild};
use delta_core::error::{Error, Result};
use delta_core::image::Image;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_transport::reference::Reference;
use delta_transport::registry::{Address, PlannedShipment, Shipped, Shipping};

use super::destinations::{Destined, Place, destinations};
use super::foreseen::Foreseen;
use super::mapping::{self, Mapped};
use super::{Done, Errand, ImageReport, Outcome, ids, layers, require_room};
use crate::figures::size;
use crate::session::Session;
use crate::terminal;

/// Writes the images of a package into a repository, or into as many as they need.
pub(super) fn to_registry(
    session: &Session,
    errand: &Errand<'_>,
    package: &Package,
    bases: &[Image],
    place: Place<'_>,
) -> Result<Done> {
    if let (Place::Repository(to), true) = (place, errand.placement.output.is_some()) {
        return Err(Error::usage(format!("{to} and -o name two places: give one of them")));
    }
    let destined = destinations(images(package, &Delivery::Original, &errand.placement.platforms)?, place)?;
    let metadata = package.metadata();
    let shipping = Shipping::new(&session.registries, &addresses(errand)?, &session.scratch, &session.terminal)?;
    let mut plans = Vec::new();
    let mut mapping = Vec::new();
    for Destined { image, to, from } in destined {
        let planned = shipping.plan(image, &to, errand.anew)?;
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
    require_room(session, metadata, &lacking, (&found, Cost::of(metadata, &lacking).room()))?;
    let of = |images| Done { engine: None, output: Some(place.to_string()), images };
    let print = || match (place, session.common.talk.json) {
        (Place::Prefix(_), false) => terminal::print(&mapping::text(&mapping, errand.mapping)?),
        _ => Ok(()),
    };
    if errand.is_dry {
        print()?;
        return Ok(of(plans.iter().map(|plan| foreseen(plan).foretold(session, metadata)).collect()));
    }
    let rebuilt = rebuild(package, &lacking, &found, session.context())?;
    let carry_out = |plan: &PlannedShipment| {
        let shipped = shipping.carry_out(plan, &rebuilt)?;
        let foreseen = foreseen(plan);
        foreseen.tell(session);
        let mut report = ImageReport { shipped: Some(shipped), ..foreseen.report(metadata) };
        if !plan.is_there() {
            tell(session, plan, shipped);
            report.outcome = Outcome::Pushed;
        }
        Ok(report)
    };
    let reports = plans.iter().map(carry_out).collect::<Result<_>>()?;
    print()?;
    Ok(of(reports))
}

/// The registries among the bases, which may have blobs too.
fn addresses(errand: &Errand<'_>) -> Result<Vec<Address>> {
    let references = errand.placement.bases.iter().map(|text| text.parse()).collect::<Result<Vec<Reference>>>()?;
    let address = |reference| match reference {
        Reference::Registry(address) => Some(address),
        _ => None,
    };
    Ok(references.into_iter().filter_map(address).collect())
}

fn foreseen(plan: &PlannedShipment) -> Foreseen<'_> {
    let (image, id) = (plan.image(), plan.image().root.digest);
    let there = || format!("{} is already there as {id}; nothing is sent", plan.names().join(", "));
    Foreseen { image, id, lacking: plan.lacking(), pushed_as: plan.names(), there: plan.is_there().then(there) }
}

fn tell(session: &Session, plan: &PlannedShipment, shipped: Shipped) {
    let (names, id) = (plan.names().join(", "), plan.image().root.digest);
    let Shipped { present, mounted, sent, sent_bytes } = shipped;
    session.terminal.inform(format_args!(
        "{names} is pushed as {id}: {sent} blobs ({}) sent, {mounted} taken over from another repository, {present} were there",
        size(sent_bytes)
    ));
}
