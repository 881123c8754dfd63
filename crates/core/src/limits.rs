//! Every bound in one place, each with its reason.

/// Documents (config, manifest, index) are held in memory. Registries take manifests of 4 MB (OCI distribution-spec), containerd
/// imports documents of 20 MiB, and Docker loads configs of any size.
pub const DOCUMENT_BYTES: u64 = 32 << 20;

/// Documents that are mixed have at most this many bytes together, which takes three to four seconds; more travel as they are.
pub const PACKED_DOCUMENT_BYTES: usize = 1 << 20;

/// `metadata.json` lists layers and members, about 1 kB each.
pub const METADATA_BYTES: u64 = 64 << 20;

/// Engines stop at 127 layers an image; other tools may not.
pub const LAYERS_PER_IMAGE: usize = 4_096;

/// A layer, file or tree as a package may promise it; no sum of the layers of a package then overflows.
pub const LAYER_BYTES: u64 = 1 << 40;

/// Layers that the manifests of a package name, all together and repeated ones counted, where `metadata.json` does not list them: 64 bytes
/// are held for each.
pub const IMPLIED_LAYERS: usize = 131_072;

/// Distinct layers in one package.
pub const LAYERS: usize = 16_384;

/// `closing.json` has some 110 bytes.
pub const CLOSING_BYTES: u64 = 4_096;

/// Signatures inside of a package: its maker, and those who handed it on. The end of a package is searched for `closing.json` as far as
/// that takes.
pub const SIGNATURES: usize = 16;

/// One signature: minisign takes comments of 1 and 8 kB.
pub const SIGNATURE_BYTES: u64 = 12 << 10;

/// Layers of all bases that a package names, those that several have counted for each.
pub const BASE_LAYERS: usize = 131_072;

/// Members in one package.
pub const MEMBERS: usize = 131_072;

/// Images in one package or archive.
pub const IMAGES: usize = 4_096;

/// An index that names an index that names an index; real ones nest twice.
pub const INDEX_DEPTH: usize = 8;

/// The size of the buffers through which streams are copied.
pub const COPY_BUFFER: usize = 256 << 10;

/// Samples of a layer's content by which layers are compared: some 64 bytes each.
pub(crate) const SKETCH_SAMPLES: usize = 16_384;

/// Layers up to this size are coded side by side; larger ones one after the other, as each may take the aligner's 256 MiB
/// and the compressor's window.
pub(crate) const PARALLEL_LAYER_BYTES: u64 = 128 << 20;

/// The encoder of a longer layer is made sure of while layers are coded; shorter ones before, so that no layer is coded that need not be.
pub(crate) const SURE_LAYER_BYTES: u64 = 16 << 20;

/// Method `auto` tries the other methods too on layers up to this size, where that costs nothing.
pub(crate) const COMPARED_BYTES: u64 = 1 << 20;

/// About what a member costs besides its bytes: a header, padding, a line in `metadata.json`.
pub(crate) const MEMBER_OVERHEAD: u64 = 1_000;

/// Streams of a recipe up to this length stand in its first member.
pub const INLINE_STREAM_BYTES: u64 = 32 << 10;

/// The dictionary of xz where it is tried at the usual level: some 190 MB are held for it, and layers are coded side by side.
pub const XZ_DICTIONARY_BYTES: u64 = 16 << 20;

/// The same where the smallest is looked for: half of what zstd's window may have, and as much of some 700 MB as the stream is long.
pub const XZ_DICTIONARY_BYTES_THOROUGH: u64 = 64 << 20;

/// xz is tried at the usual level on streams from this length on, for half a second ...
pub const XZ_STREAM_BYTES_MIN: u64 = 1 << 20;

/// ... that are at least one in so many bytes of their layer ...
pub const XZ_SHARE_MIN: u64 = 32;

/// ... and at most one in so many.
pub const XZ_SHARE_MAX: u64 = 2;

/// What a stream may have besides what its layer accounts for: one byte for each entry, and what stands in the first member.
pub(crate) const BEYOND_STREAM: u64 = 1 << 20;

/// Entries that a layer is split into; the rest of it is one piece. An index holds some 150 bytes for each.
pub const ENTRIES_PER_LAYER: usize = 1 << 20;

/// Bytes of a path that entries are found by; longer ones are cut.
pub(crate) const INDEXED_PATH_BYTES: usize = 4_096;

/// A long name or the pax records of one entry; longer ones are not looked into.
pub const DESCRIPTION_BYTES: u64 = 1 << 20;

/// Blocks of sparse spans behind one header, 21 spans in 512 bytes; what comes behind them is found as the next entry is.
pub const SPARSE_BYTES: u64 = 512 << 10;

/// Bytes of a content that its sketch is made of: enough to tell contents apart, read again for every content.
pub(crate) const SKETCHED_BYTES: u64 = 128 << 10;

/// Contents, with their bases, that are patched at the same time, unless one alone is larger. The aligner holds them and
/// an index of four times the base's length.
pub(crate) const PATCH_BATCH_BYTES: u64 = 64 << 20;

/// Predicting from a content of a base, and opening it, takes work in proportion to it, and to its plain bytes. All such work for one
/// layer is on at most this many times the bytes of the bases, of the layer, and of what is compressed again in it; real ones stay below two ...
pub const BASE_WORK_TIMES: u64 = 8;

/// ... and so many bytes more, for contents that are small when they are compressed.
pub const BASE_WORK_BYTES: u64 = 128 << 20;

/// The piece of each base layer that is held while a layer is rebuilt from many.
pub(crate) const BASE_WINDOW: usize = 64 << 10;

/// The description of how one opened content is closed again: some ten bytes a stream.
pub const PLAN_BYTES: usize = 16 << 20;

/// What the prediction of one content is told: some five numbers for each loaded part of an executable.
pub const HINT_BYTES: usize = 16 << 10;

/// About how many times its length a compressed content has when it is opened; what batches are filled by.
pub(crate) const OPENED_GROWTH: u64 = 4;

/// Bytes of each stream that are compressed to see whether opening a content pays.
pub(crate) const WEIGHED_BYTES: u64 = 4 << 20;

/// Plans of blobs up to this size stand in `metadata.json`; longer ones are worth a member, where they are compressed.
pub(crate) const INLINE_PLAN_BYTES: usize = 400;

/// The bytes of a base layer under one hash of 8 bytes, by which they are compared when they are read again: headers are read in pieces of this
/// size, and a file of hashes has one byte for 500 of the layer.
pub(crate) const BASE_BLOCK: usize = 4 << 10;

/// Of base layers whose blobs are shorter nothing is kept: they are read in less than a millisecond.
pub const KEPT_BASE_BYTES: u64 = 1 << 20;

/// What is kept of one base layer: enough for 20 GB of layer, or 500,000 entries.
pub const BASE_INDEX_BYTES: u64 = 64 << 20;
