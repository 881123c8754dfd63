//! The compressor of C zlib, called as a program of the time would have called it. The only unsafe code of this crate.
//!
//! A stream can be made again only by the very code that made it, and nearly every zip, jar, wheel and png was made by
//! C zlib, whose output for one setting has been the same for twenty years. The Rust ports write other streams and offer no
//! other settings than the level. It is safe because the state lives in one heap block that never moves, is used by one
//! owner, is handed only slices with their own lengths, and is freed exactly once.

#![allow(unsafe_code, reason = "C zlib has no other interface")]

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

use libz_sys::{
    Z_BUF_ERROR, Z_DEFLATED, Z_FINISH, Z_NO_FLUSH, Z_OK, Z_STREAM_END, deflate, deflateEnd, deflateInit2_, z_stream,
};

const VERSION: &CStr = c"1.2.3";

/// What a caller of `deflateInit2` chooses; always in the range that zlib takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Settings {
    level: u8,
    window_bits: u8,
    memory_level: u8,
    strategy: u8,
}

impl Settings {
    /// Level 0 to 9, window of 2^9 to 2^15 bytes, memory level 1 to 9, strategy 0 (default) to 4 (fixed codes).
    pub(super) fn new(level: u8, window_bits: u8, memory_level: u8, strategy: u8) -> Option<Self> {
        let known = level <= 9 && (9..=15).contains(&window_bits) && (1..=9).contains(&memory_level) && strategy <= 4;
        known.then_some(Self { level, window_bits, memory_level, strategy })
    }

    pub(super) const fn to_bytes(self) -> [u8; 2] {
        [self.strategy << 4 | self.level, self.memory_level << 4 | self.window_bits]
    }

    pub(super) fn from_bytes([first, second]: [u8; 2]) -> Option<Self> {
        Self::new(first & 15, second & 15, second >> 4, first >> 4)
    }
}

/// One raw deflate stream on its way.
pub(super) struct Deflater(Box<z_stream>);

// SAFETY: the state is reachable through this value only and holds nothing that belongs to a thread.
unsafe impl Send for Deflater {}

impl Deflater {
    /// Starts a stream; `None` when there is no memory for it.
    pub(super) fn new(settings: Settings) -> Option<Self> {
        let mut stream = Box::new(MaybeUninit::<z_stream>::zeroed());
        let size = c_int::try_from(size_of::<z_stream>()).ok()?;
        // SAFETY: zlib asks for a zeroed structure, in which it then sets its own allocator; the version is a C string and
        // the size the structure's own. The negative window size means no header and no trailer.
        let status = unsafe {
            deflateInit2_(
                stream.as_mut_ptr(),
                c_int::from(settings.level),
                Z_DEFLATED,
                -c_int::from(settings.window_bits),
                c_int::from(settings.memory_level),
                c_int::from(settings.strategy),
                VERSION.as_ptr(),
                size,
            )
        };
        if status != Z_OK {
            return None;
        }
        // SAFETY: after success every field is set; the block stays where it is, which zlib checks by a back pointer.
        Some(Self(unsafe { Box::from_raw(Box::into_raw(stream).cast::<z_stream>()) }))
    }

    /// Takes bytes from `input`, puts compressed bytes into `output` and returns how many; the flag says that the stream has
    /// ended, which needs `is_last`. `None` when zlib reports an error.
    pub(super) fn step(&mut self, input: &mut &[u8], output: &mut [u8], is_last: bool) -> Option<(usize, bool)> {
        let given = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let room = u32::try_from(output.len()).unwrap_or(u32::MAX);
        let is_all = given as usize == input.len();
        self.0.next_in = input.as_ptr().cast_mut();
        self.0.avail_in = given;
        self.0.next_out = output.as_mut_ptr();
        self.0.avail_out = room;
        // SAFETY: both pointers are good for the lengths beside them, and zlib never writes through `next_in`.
        let status = unsafe { deflate(&raw mut *self.0, if is_last && is_all { Z_FINISH } else { Z_NO_FLUSH }) };
        *input = &input[(given - self.0.avail_in) as usize..];
        match status {
            Z_OK | Z_BUF_ERROR | Z_STREAM_END => Some(((room - self.0.avail_out) as usize, status == Z_STREAM_END)),
            _ => None,
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: the state was made by `deflateInit2_` and is freed here only.
        unsafe { deflateEnd(&raw mut *self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_nonsense_is_refused() {
        let settings = Settings::new(9, 15, 8, 1).unwrap();
        assert_eq!(Settings::from_bytes(settings.to_bytes()), Some(settings));
        for (level, window, memory, strategy) in [(10, 15, 8, 0), (6, 8, 8, 0), (6, 15, 0, 0), (6, 15, 8, 5)] {
            assert_eq!(Settings::new(level, window, memory, strategy), None);
        }
        assert!((0..=u16::MAX).all(|bytes| {
            Settings::from_bytes(bytes.to_be_bytes()).is_none_or(|settings| Deflater::new(settings).is_some())
        }));
    }

    #[test]
    fn pieces_of_any_size_give_one_stream() {
        let plain: Vec<u8> = (0..100_000_u32).map(|number| (number % 7 * (number / 900)).to_le_bytes()[0]).collect();
        let streams = [1000, 100_000].map(|size| {
            let mut deflater = Deflater::new(Settings::new(6, 15, 8, 0).unwrap()).unwrap();
            let mut out = Vec::new();
            let mut buffer = [0; 500];
            let mut ended = false;
            for (number, mut piece) in plain.chunks(size).enumerate() {
                let is_last = (number + 1) * size >= plain.len();
                while !piece.is_empty() || (is_last && !ended) {
                    let (count, end) = deflater.step(&mut piece, &mut buffer, is_last).unwrap();
                    out.extend_from_slice(&buffer[..count]);
                    ended = end;
                }
            }
            out
        });
        assert_eq!(streams[0], streams[1]);
        let mut back = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&streams[0][..]), &mut back).unwrap();
        assert_eq!(back, plain);
    }
}
