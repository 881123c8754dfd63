//! An image as a source gives it.

use std::collections::BTreeSet;

use delta_core::image::Image;

/// An image and what it is called besides its names.
pub(crate) struct SourcedImage {
    pub(crate) image: Image,
    /// Tags without a repository, as OCI layouts have them.
    pub(crate) tags: BTreeSet<String>,
}
