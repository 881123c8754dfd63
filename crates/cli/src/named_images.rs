//! The images that a command line names, itself and by lists.

use delta_core::error::{Error, Kind, Result};
use delta_core::image::Image;
use delta_core::job::progress::Progress;
use delta_transport::lists::{self, Listed};
use delta_transport::reference::Reference;
use delta_transport::registry::Referrers;

use crate::arguments::{Create, ListArguments};
use crate::session::Session;

/// What `create` is to bring, and what the other side has.
pub(crate) struct NamedImages {
    pub(crate) targets: Vec<Image>,
    pub(crate) bases: Vec<Image>,
}

/// Opens all of them; what is missing in a list is told at once.
pub(crate) fn open(session: &Session, arguments: &Create) -> Result<NamedImages> {
    let ListArguments { images, bases: base_lists, compose, kubernetes, pull } = &arguments.lists;
    let environment = |name: &str| std::env::var(name).ok();
    let mut listed = Vec::new();
    for path in images {
        listed.extend(lists::plain(path)?);
    }
    for path in compose {
        listed.extend(lists::compose(path, &environment)?);
    }
    for path in kubernetes {
        listed.extend(lists::kubernetes(path)?);
    }
    let mut listed_bases = Vec::new();
    for path in base_lists {
        listed_bases.extend(lists::plain(path)?);
    }
    for Listed { image, place } in &listed {
        session.terminal.detail(format_args!("{place}: {image}"));
    }
    let referrers = if arguments.no_referrers { Referrers::Left } else { Referrers::Taken };
    let [mut targets, mut bases] =
        session.open_with([&arguments.images, &arguments.bases], [referrers, Referrers::Left])?;
    let mut missing = Vec::new();
    targets.extend(open_listed(session, &listed, (*pull, referrers), &mut missing));
    bases.extend(open_listed(session, &listed_bases, (*pull, Referrers::Left), &mut missing));
    match missing.as_slice() {
        [] => Ok(NamedImages { targets, bases }),
        all => Err(told(all, listed.len() + listed_bases.len())),
    }
}

/// Those that are there; of the others, why not. All are opened together, so that an engine saves a layer of several images once; only
/// where that fails each is asked for alone.
fn open_listed(
    session: &Session,
    listed: &[Listed],
    (pull, referrers): (bool, Referrers),
    missing: &mut Vec<Error>,
) -> Vec<Image> {
    let texts: Result<Vec<String>> = listed.iter().map(|one| reference(&one.image, pull)).collect();
    if let Ok([images]) = texts.and_then(|texts| session.open_with([&texts], [referrers])) {
        return images;
    }
    let mut found = Vec::new();
    for Listed { image, place } in listed {
        match reference(image, pull).and_then(|text| session.open_with([std::slice::from_ref(&text)], [referrers])) {
            Ok([images]) => found.extend(images),
            Err(error) => missing.push(error.within(&format!("{place}: {image}"))),
        }
    }
    found
}

/// What a list names, as it would be typed.
fn reference(image: &str, pull: bool) -> Result<String> {
    match image.parse()? {
        Reference::Engine { kind: None, .. } if pull => Ok(format!("docker://{image}")),
        Reference::Stdin => Err(Error::usage("a list cannot name standard input")),
        _ => Ok(image.to_owned()),
    }
}

/// One error for all, of the kind that most concerns the user.
fn told(missing: &[Error], of: usize) -> Error {
    let lines: Vec<String> = missing.iter().map(|error| format!("\n  {error}")).collect();
    let message = format!("{} of the {of} images that the lists name cannot be had:{}", missing.len(), lines.concat());
    let kinds: Vec<Kind> = missing.iter().map(Error::kind).collect();
    let error = if kinds.iter().all(|kind| *kind == Kind::Usage) {
        Error::usage(message)
    } else if kinds.iter().all(|kind| *kind == Kind::Content) {
        Error::content(message)
    } else {
        Error::environment(message)
    };
    let mut hints: Vec<&str> = missing.iter().filter_map(Error::hint).collect();
    hints.dedup();
    if hints.is_empty() { error } else { error.with_hint(hints.join("; ")) }
}
