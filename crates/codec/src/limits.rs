//! Every bound of this crate on memory, each with its reason.

/// Up to this many bytes of a base or target are held whole while they are aligned; two of them at a time.
pub const ALIGN_HELD_BYTES: u64 = 64 << 20;

/// Larger ones are read through a cache of this many blocks ...
pub const ALIGN_CACHE_BLOCKS: usize = 512;

/// ... of this many bytes: 64 MiB for the base and as much for the target.
pub const ALIGN_BLOCK_BYTES: usize = 128 << 10;

/// Windows of the base that the aligner remembers, 8 bytes each: 128 MiB. A longer base is sampled more coarsely.
pub const ALIGN_SAMPLES: u64 = 16 << 20;

/// A base is predicted, and the matches of a patch held, only where base and target have at most this many bytes each. Of
/// the matches that can be at most 192 MiB; in practice it is below 1 MiB.
pub const PREDICTED_BYTES: u64 = 128 << 20;

/// Target bytes of one VCDIFF window. Decoders hold one, and xdelta3 refuses more than 16 MiB.
pub const VCDIFF_WINDOW_BYTES: usize = 4 << 20;

/// The largest window of somebody else's VCDIFF that we decode: what `xdelta3 -W` can make.
pub const VCDIFF_WINDOW_BYTES_MAX: u64 = 16 << 20;
