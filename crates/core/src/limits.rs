//! Every bound in one place, each with its reason.

/// Documents (config, manifest, index) are held in memory; registries refuse larger manifests than this
/// (OCI distribution-spec, "4 megabytes"), configs of images with thousands of history entries stay far below.
pub const DOCUMENT_BYTES: u64 = 8 << 20;

/// `metadata.json` lists layers and members, about 1 kB each.
pub const METADATA_BYTES: u64 = 64 << 20;

/// Engines stop at 127 layers an image; other tools may not.
pub const LAYERS_PER_IMAGE: usize = 4_096;

/// Images in one package or archive.
pub const IMAGES: usize = 4_096;

/// An index that names an index that names an index; real ones nest twice.
pub const INDEX_DEPTH: usize = 8;

/// The size of the buffers through which streams are copied.
pub const COPY_BUFFER: usize = 256 << 10;
