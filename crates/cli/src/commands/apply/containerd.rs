//! Images that go into a namespace of containerd.

use std::collections::BTreeSet;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild};
use delta_core::error::{Error, Result};
use delta_core::image::Image;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_transport::containerd::{PlannedStock, Stocking, Store};
use delta_transport::reference::Target;

use super::foreseen::Foreseen;
use super::{Done, Errand, Outcome, ids, layers, named, require_room, tell_moved, without_artifacts};
use crate::session::Session;

/// Brings the images of a package into containerd, where `to` says which namespace, and which name if another than they had.
pub(super) fn to_containerd(
    session: &Session,
    errand: &Errand<'_>,
    package: &Package,
    bases: &[Image],
    to: &str,
) -> Result<Done> {
    if errand.placement.output.is_some() {
        return Err(Error::usage(format!("containerd:{to} and -o name two places: give one of them")));
    }
    let (store, name) = session.containerd()?.destination(to)?;
    let all = images(package, &Delivery::Original, &errand.placement.platforms)?;
    let images = named(without_artifacts(session, package, all)?, name.map(Target::Name).as_ref())?;
    let metadata = package.metadata();
    let stocking = Stocking::new(&store, &session.scratch, &session.terminal);
    let plans = images.into_iter().map(|image| stocking.plan(image, errand.anew)).collect::<Result<Vec<_>>>()?;
    let lacking: Wanted = plans.iter().flat_map(|plan| plan.lacking().clone()).collect();
    let mut found = layers(bases);
    let absent: BTreeSet<_> = needed_bases(metadata, &lacking).difference(&ids(&found)).copied().collect();
    found.extend(stocking.base_layers(&metadata.bases, &absent));
    check_bases(metadata, &lacking, &ids(&found)).map_err(|error| {
        error.within(store.label()).with_hint(
            "bring that image into this namespace (`ctr -n NAMESPACE images import FILE`), or name where it is: \
             --base containerd:NAMESPACE/NAME or --base FILE",
        )
    })?;
    require_room(session, metadata, &lacking, (&found, Cost::of(metadata, &lacking).room()))?;
    let of = |images| Done { engine: Some(store.label().to_owned()), output: None, images };
    if errand.is_dry {
        return Ok(of(plans.iter().map(|plan| foreseen(&store, plan).foretold(session, metadata)).collect()));
    }
    let rebuilt = rebuild(package, &lacking, &found, session.context())?;
    let carry_out = |plan: PlannedStock| {
        let foreseen = foreseen(&store, &plan);
        let mut report = foreseen.report(metadata);
        foreseen.tell(session);
        let (label, id, is_there) = (plan.image().label(), report.id, plan.is_there());
        report.moved = stocking.carry_out(plan, &rebuilt)?;
        tell_moved(session, &report.moved, store.label());
        if !is_there {
            let blobs = report.handed_over;
            session.terminal.inform(format_args!("{label} is in {} as {id}: {blobs} blobs sent", store.label()));
            report.outcome = Outcome::Loaded;
        }
        Ok(report)
    };
    plans.into_iter().map(carry_out).collect::<Result<_>>().map(of)
}

fn foreseen<'a>(store: &Store, plan: &'a PlannedStock) -> Foreseen<'a> {
    let (image, id) = (plan.image(), plan.image().root.digest);
    let there = || format!("{} is already in {} as {id}; nothing is sent", image.label(), store.label());
    Foreseen { image, id, lacking: plan.lacking(), pushed_as: Vec::new(), there: plan.is_there().then(there) }
}
