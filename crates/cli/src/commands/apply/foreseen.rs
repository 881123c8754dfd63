//! An image as it stands before anything is written, whatever it goes into: what is reported and said of it.

use delta_core::apply::Wanted;
use delta_core::digest::BlobDigest;
use delta_core::image::RebuiltImage;
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;

use super::{ImageReport, Outcome, plan, report_of};
use crate::session::Session;

pub(super) struct Foreseen<'a> {
    pub(super) image: &'a RebuiltImage,
    /// What it is known by in its place.
    pub(super) id: BlobDigest,
    /// The blobs that must be made for it.
    pub(super) lacking: &'a Wanted,
    /// The names that it has in a registry.
    pub(super) pushed_as: Vec<String>,
    /// What is said when all of it is there.
    pub(super) there: Option<String>,
}

impl Foreseen<'_> {
    pub(super) fn report(&self, metadata: &Metadata) -> ImageReport {
        let outcome = if self.there.is_some() { Outcome::AlreadyThere } else { Outcome::WouldBeDone };
        let report = report_of(metadata, self.image, self.lacking, outcome);
        ImageReport { id: self.id, pushed_as: self.pushed_as.clone(), ..report }
    }

    /// Says that all of it is there, if it is.
    pub(super) fn tell(&self, session: &Session) {
        if let Some(there) = &self.there {
            session.terminal.inform(format_args!("{there}"));
        }
    }

    /// The report of a dry run, which says what would be done.
    pub(super) fn foretold(&self, session: &Session, metadata: &Metadata) -> ImageReport {
        let report = self.report(metadata);
        match &self.there {
            Some(_) => self.tell(session),
            None => plan(session, std::slice::from_ref(&report)),
        }
        report
    }
}
