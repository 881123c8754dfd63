//! Images that go into a namespace of containerd.

use std::collections::BTreeSet;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild};
use delta_core::error::{Error, Result};
use delta_core::image::Image;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::Metadata;
use delta_transport::containerd::{PlannedStock, Stocking, Store};
use delta_transport::file_system;
use delta_transport::reference::Target;

use super::{ImageReport, Outcome, Report, ids, layers, named, report_of, tell_moved, without_artifacts};
use crate::arguments::Apply;
use crate::opening::Seal;
use crate::session::Session;

/// Brings the images of a package into containerd, where `to` says which namespace, and which name if another than they had.
pub(super) fn to_containerd(
    session: &Session,
    arguments: &Apply,
    package: &Package,
    bases: &[Image],
    to: &str,
) -> Result<Report> {
    if arguments.output.is_some() {
        return Err(Error::usage(format!("containerd:{to} and -o name two places: give one of them")));
    }
    let (store, name) = session.containerd()?.destination(to)?;
    let all = images(package, &Delivery::Original, &arguments.platforms)?;
    let images = named(without_artifacts(session, package, all)?, name.map(Target::Name).as_ref())?;
    let metadata = package.metadata();
    let stocking = Stocking::new(&store, &session.scratch, &session.terminal);
    let plans = images.into_iter().map(|image| stocking.plan(image, arguments.force)).collect::<Result<Vec<_>>>()?;
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
    file_system::require(session.scratch.folder(), Cost::of(metadata, &lacking).room(), "rebuilding the layers")?;
    let of = |images| Report {
        schema: 1,
        engine: Some(store.label().to_owned()),
        output: None,
        images,
        seal: Seal::default(),
    };
    if arguments.dry_run {
        return Ok(of(plans.iter().map(|plan| foretold(session, &store, metadata, plan)).collect()));
    }
    let rebuilt = rebuild(package, &lacking, &found, session.context())?;
    let carry_out = |plan: PlannedStock| {
        let mut report = report_planned(metadata, &plan);
        let (label, id, is_there) = (plan.image().label(), report.id, plan.is_there());
        if is_there {
            tell_already_there(session, &store, &plan);
        }
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

fn foretold(session: &Session, store: &Store, metadata: &Metadata, plan: &PlannedStock) -> ImageReport {
    let report = report_planned(metadata, plan);
    if plan.is_there() {
        tell_already_there(session, store, plan);
    } else {
        super::plan(session, std::slice::from_ref(&report));
    }
    report
}

fn report_planned(metadata: &Metadata, plan: &PlannedStock) -> ImageReport {
    let outcome = if plan.is_there() { Outcome::AlreadyThere } else { Outcome::WouldBeDone };
    report_of(metadata, plan.image(), plan.lacking(), outcome)
}

fn tell_already_there(session: &Session, store: &Store, plan: &PlannedStock) {
    let (image, id) = (plan.image().label(), plan.image().root.digest);
    session.terminal.inform(format_args!("{image} is already in {} as {id}; nothing is sent", store.label()));
}
