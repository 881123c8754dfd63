//! Every bound in one place, each with its reason.

/// Documents (config, manifest, index) are held in memory; registries refuse larger manifests than this
/// (OCI distribution-spec, "4 megabytes"), configs of images with thousands of history entries stay far below.
pub const DOCUMENT_BYTES: u64 = 8 << 20;

/// `metadata.json` lists layers and members, about 1 kB each.
pub const METADATA_BYTES: u64 = 64 << 20;

/// Engines stop at 127 layers an image; other tools may not.
pub const LAYERS_PER_IMAGE: usize = 4_096;

/// A layer, file or tree as a package may promise it; no sum of the layers of a package then overflows.
pub const LAYER_BYTES: u64 = 1 << 40;

/// Distinct layers in one package.
pub const LAYERS: usize = 16_384;

/// Members in one package.
pub const MEMBERS: usize = 131_072;

/// Images in one package or archive.
pub const IMAGES: usize = 4_096;

/// An index that names an index that names an index; real ones nest twice.
pub const INDEX_DEPTH: usize = 8;

/// The size of the buffers through which streams are copied.
pub const COPY_BUFFER: usize = 256 << 10;

/// Samples of a layer's content by which layers are compared: some 64 bytes each.
pub const SKETCH_SAMPLES: usize = 16_384;

/// Layers up to this size are coded side by side; larger ones one after the other, as each may take the aligner's 256 MiB
/// and the compressor's window.
pub const PARALLEL_LAYER_BYTES: u64 = 128 << 20;

/// Method `auto` tries BSDIFF40 only on layers up to this size: its bzip2 reads 10 MB/s.
pub const AUTO_BSDIFF_BYTES: u64 = 64 << 20;
