//! Every bound of this crate on memory, each with its reason.

/// A base up to this size is held whole while something is aligned with it, because it is read at random.
pub(crate) const ALIGN_HELD_BASE_BYTES: u64 = 256 << 20;

/// What is read from front to back, with a look around now and then, is held up to this size.
pub(crate) const WALKED_HELD_BYTES: u64 = 4 << 20;

/// What is not held is read through a cache of this many blocks ...
pub(crate) const CACHE_BLOCKS: usize = 4096;

/// ... of this many bytes: 64 MiB. Small blocks, because a probe needs some hundred bytes of its place only.
pub(crate) const CACHE_BLOCK_BYTES: usize = 16 << 10;

/// Windows of the base that the aligner remembers where it looks at every byte, 8 bytes each: 128 MiB. Of a longer base it remembers
/// fewer than all, and where it looks less closely so many times fewer.
pub(crate) const ALIGN_SAMPLES: u64 = 16 << 20;

/// A base is predicted by `exec-1` only where base and target have at most this many bytes each.
pub const PREDICTED_BYTES: u64 = 48 << 20;

/// A base is predicted, and the matches of a patch held, only where base and target have at most this many bytes each: what `exec-2` may
/// do. The base is held while a package is applied, and what is written over it: in practice a tenth of it, at most as much again.
pub const PREDICTED_BYTES_LARGE: u64 = 128 << 20;

/// Where there are more matches nothing is predicted: 72 MiB. Contents of up to [`PREDICTED_BYTES`] cannot have more.
pub const PREDICTED_MATCHES: usize = 3 << 20;

/// Target bytes of one VCDIFF window. Decoders hold one, and xdelta3 refuses more than 16 MiB.
pub(crate) const VCDIFF_WINDOW_BYTES: usize = 4 << 20;

/// The largest window of somebody else's VCDIFF that we decode: what `xdelta3 -W` can make.
pub const VCDIFF_WINDOW_BYTES_MAX: u64 = 16 << 20;

/// Plain bytes that are taken out of one content; what comes behind stays as it is. They go to scratch, not to memory. To make the streams
/// again takes one pass of an encoder over as many bytes, whatever a plan says, so that this bounds work too, without a clock.
pub const DEFLATE_PLAIN_BYTES: u64 = 4 << 30;

/// How deep compressed files are opened inside each other: an archive of packages of archives.
pub const DEFLATE_DEPTH: u32 = 3;

/// Compressed files that are opened inside one content; each takes an open file in scratch.
pub const DEFLATE_NESTED: usize = 128;

/// A shorter deflate stream costs as much to describe as to carry.
pub const DEFLATE_STREAM_BYTES_MIN: u64 = 32;

/// The longest name or comment in the header of a gzip member, in bytes, with the zero behind it.
pub const DEFLATE_HEADER_BYTES: u64 = 64 << 10;

/// Archives stored in an archive that are searched.
pub const DEFLATE_STORED: usize = 1024;

/// The central directories of a zip and of those stored in it, each of which is held whole: some 500,000 members.
pub const DEFLATE_DIRECTORY_BYTES: u64 = 64 << 20;

/// The most IDAT chunks of a png; an encoder that cuts every 8 KiB needs that many for 512 MiB.
pub const DEFLATE_IDAT_CHUNKS: usize = 1 << 16;

/// Streams of up to this many plain bytes are made again side by side ...
pub(crate) const DEFLATE_HELD_BYTES: u64 = 4 << 20;

/// ... as many as come to this many plain bytes, held together with their streams.
pub(crate) const DEFLATE_BATCH_BYTES: u64 = 16 << 20;

/// How a blob is made again: some twenty bytes, or for each file of a layer where each is compressed by itself. Held whole.
pub const RECREATION_PLAN_BYTES: usize = 16 << 20;

/// The first bytes of a blob by which it is seen whether a known encoder may have made it; others differ within some 100 KB.
pub(crate) const RECREATION_LOOK_BYTES: u64 = 1 << 20;

/// Streams of one blob that are looked for; some 60 bytes are held for each.
pub(crate) const RECREATION_STREAMS: usize = 1 << 18;

/// What is copied or hashed goes through memory in pieces of this many bytes.
pub(crate) const COPY_BYTES: usize = 64 << 10;

/// Program headers and section headers of an executable that are looked at; real ones have some ten and some forty. All sections together
/// have at most as many bytes as the file, so that a prediction takes time in proportion to it, and memory of some 10 times its length
/// when it is made for that, a little more than twice its length else.
pub const EXEC_SEGMENTS: usize = 256;
/// See [`EXEC_SEGMENTS`].
pub const EXEC_SECTIONS: usize = 4096;

/// The longest block of pigz; its own default is 128 KiB.
pub const PIGZ_BLOCK_BYTES: usize = 4 << 20;

/// Blocks of pigz that are compressed side by side have at most this many bytes together, held with what is made of them.
pub(crate) const PIGZ_HELD_BYTES: usize = 4 << 20;

/// The window of klauspost's Zstandard encoder at its level "fastest"; twice that is held.
pub(crate) const ZSTANDARD_FASTEST_WINDOW_BYTES: usize = 4 << 20;

/// The same at "default". With 1.3 MiB of tables and some blocks an encoder has at most 18 MiB.
pub(crate) const ZSTANDARD_DEFAULT_WINDOW_BYTES: usize = 8 << 20;

/// The same at "better" up to 1.16.3. With 4 MiB of tables and some blocks an encoder has at most 37 MiB.
pub(crate) const ZSTANDARD_BETTER_WINDOW_BYTES: usize = 16 << 20;

/// The same at "best" up to 1.16.3. With 34 MiB of tables and some blocks an encoder has at most 100 MiB.
pub(crate) const ZSTANDARD_BEST_WINDOW_BYTES: usize = 32 << 20;

/// Pieces of a stream of Go's encoder that are made side by side have at most this many plain bytes together; what is made of them is held,
/// and an encoder of 1 MiB for each core.
pub(crate) const GO_HELD_BYTES: u64 = 32 << 20;

/// Checkpoints of a stream of Go's encoder are this many plain bytes apart, so that eight pieces fill [`GO_HELD_BYTES`] ...
pub(crate) const GO_APART_BYTES: u64 = 4 << 20;

/// ... or fewer where the stream is short, but never fewer than this: to start at one takes work for some 100 KB.
pub(crate) const GO_APART_BYTES_MIN: u64 = 256 << 10;

/// Blocks of pgzip that are compressed side by side have at most this many bytes together, held with what is made of them; an encoder of
/// at most 4 MiB for each besides. A longer block is made by itself.
pub(crate) const PGZIP_HELD_BYTES: u64 = 16 << 20;

/// The highest level of Zstandard's own library: it holds some 95 MB there, and some 160 MB when it works in jobs.
pub const ZSTANDARD_LIBRARY_LEVEL_MAX: i8 = 19;

/// Plain bytes that segments which are mixed have together: at some 3.4 microseconds a byte some 30 seconds of one core. They are held,
/// with at most 32 MiB of contexts and some 10 MiB of what was learned about them.
pub const MIX_BYTES: usize = 8 << 20;

/// Bytes that are shown to a stream that is mixed besides its own: no more are, once it knows so many. Each costs some 0.05 microseconds.
pub const MIX_SEEN_BYTES: usize = 32 << 20;

/// Plain bytes for each coded one, so that a byte of a hostile member asks for about a millisecond of work at most; real streams stay
/// below a tenth of it, and what is more uniform is left to other compressors.
pub const MIX_GROWTH: usize = 256;

/// Segments that are mixed together: the streams of a recipe, and their table.
pub const MIX_SEGMENTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Writer and reader of a package must agree on these: FORMAT.md names each, and another number is another format.
    #[test]
    fn what_the_format_names_is_what_it_says() {
        for (limit, said) in [
            (PREDICTED_BYTES, 50_331_648),
            (PREDICTED_BYTES_LARGE, 134_217_728),
            (PREDICTED_MATCHES as u64, 3_145_728),
            (DEFLATE_PLAIN_BYTES, 4_294_967_296),
            (DEFLATE_DEPTH.into(), 3),
            (DEFLATE_NESTED as u64, 128),
            (DEFLATE_STREAM_BYTES_MIN, 32),
            (DEFLATE_HEADER_BYTES, 65_536),
            (DEFLATE_STORED as u64, 1_024),
            (DEFLATE_DIRECTORY_BYTES, 67_108_864),
            (DEFLATE_IDAT_CHUNKS as u64, 65_536),
            (RECREATION_PLAN_BYTES as u64, 16_777_216),
            (EXEC_SEGMENTS as u64, 256),
            (EXEC_SECTIONS as u64, 4_096),
            (MIX_BYTES as u64, 8_388_608),
            (MIX_GROWTH as u64, 256),
            (MIX_SEEN_BYTES as u64, 33_554_432),
            (MIX_SEGMENTS as u64, 16),
        ] {
            assert_eq!(limit, said);
        }
    }

    /// What xdelta3 reads, and what it can make (`-W`).
    #[test]
    fn windows_of_vcdiff_are_those_of_xdelta3() {
        assert!(VCDIFF_WINDOW_BYTES as u64 <= VCDIFF_WINDOW_BYTES_MAX);
        assert_eq!(VCDIFF_WINDOW_BYTES_MAX, 16_777_216);
    }
}
