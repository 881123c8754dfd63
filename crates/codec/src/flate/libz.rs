//! The compressor of C zlib, called as a program of the time would have called it. The only unsafe code of this crate.
//!
//! A stream can be made again only by the very code that made it, and nearly every zip, jar, wheel and png was made by
//! C zlib, whose output for one setting has been the same for twenty years. The Rust ports write other streams and offer no
//! other settings than the level. It is safe because the state lives in one heap block that never moves, is used by one
//! owner, is handed only slices with their own lengths, and is freed exactly once.

#![allow(unsafe_code, reason = "C zlib has no other interface")]

use std::ffi::{CStr, c_int, c_uint};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::ptr;

use libz_sys::{
    Z_BLOCK, Z_BUF_ERROR, Z_DEFLATED, Z_FINISH, Z_FULL_FLUSH, Z_NO_FLUSH, Z_OK, Z_STREAM_END, Z_SYNC_FLUSH, deflate,
    deflateEnd, deflateInit2_, deflatePrime, deflateSetDictionary, z_stream, z_streamp,
};

use super::zlib::Settings;

const VERSION: &CStr = c"1.2.3";

/// Bytes that come out at a time; far more than a flush marker, which would come twice if it filled them.
const OUTPUT: u32 = 32 << 10;

unsafe extern "C" {
    /// In zlib since 1.2.6; the bindings leave it out.
    fn deflatePending(stream: z_streamp, pending: *mut c_uint, bits: *mut c_int) -> c_int;
}

/// What happens behind the bytes given.
#[derive(Clone, Copy)]
pub(super) enum Flush {
    /// More will come.
    More = Z_NO_FLUSH as isize,
    /// The block ends, at any bit.
    Block = Z_BLOCK as isize,
    /// The block ends, and an empty stored block goes to the next byte.
    Sync = Z_SYNC_FLUSH as isize,
    /// The same, and what was before is forgotten.
    Full = Z_FULL_FLUSH as isize,
    /// The stream ends.
    Finish = Z_FINISH as isize,
}

/// One raw deflate stream on its way.
pub(super) struct Deflater {
    stream: Box<z_stream>,
    output: Vec<u8>,
}

// SAFETY: the state is reachable through this value only and holds nothing that belongs to a thread.
unsafe impl Send for Deflater {}

impl Deflater {
    /// Starts a stream; fails when there is no memory for it.
    pub(super) fn new(settings: Settings) -> io::Result<Self> {
        let mut stream = Box::new(MaybeUninit::<z_stream>::zeroed());
        let size = c_int::try_from(size_of::<z_stream>()).map_err(io::Error::other)?;
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
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        // SAFETY: after success every field is set; the block stays where it is, which zlib checks by a back pointer.
        let stream = unsafe { Box::from_raw(Box::into_raw(stream).cast::<z_stream>()) };
        Ok(Self { stream, output: vec![0; OUTPUT as usize] })
    }

    /// Makes `dictionary` what matches may lead to; only before the first byte. zlib uses its last 32 KiB.
    pub(super) fn set_dictionary(&mut self, dictionary: &[u8]) -> io::Result<()> {
        let length = c_uint::try_from(dictionary.len()).map_err(io::Error::other)?;
        // SAFETY: the pointer is good for the length beside it, and zlib copies what it needs.
        check(unsafe { deflateSetDictionary(&raw mut *self.stream, dictionary.as_ptr(), length) })
    }

    /// Takes all of `input`, then does what `flush` says; writes what comes out of it to `out`.
    pub(super) fn run(&mut self, mut input: &[u8], flush: Flush, out: &mut impl Write) -> io::Result<()> {
        loop {
            let count = self.step(&mut input, flush)?;
            out.write_all(&self.output[..count])?;
            if count < self.output.len() && input.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes bytes from `input`, puts compressed bytes into the output and returns how many.
    fn step(&mut self, input: &mut &[u8], flush: Flush) -> io::Result<usize> {
        let given = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let flush = if given as usize == input.len() { flush } else { Flush::More };
        self.stream.next_in = input.as_ptr().cast_mut();
        self.stream.avail_in = given;
        self.stream.next_out = self.output.as_mut_ptr();
        self.stream.avail_out = OUTPUT;
        // SAFETY: both pointers are good for the lengths beside them, and zlib never writes through `next_in`.
        let status = unsafe { deflate(&raw mut *self.stream, flush as c_int) };
        *input = &input[(given - self.stream.avail_in) as usize..];
        match status {
            Z_BUF_ERROR | Z_STREAM_END => {}
            _ => check(status)?,
        }
        Ok((OUTPUT - self.stream.avail_out) as usize)
    }

    /// How many bits are left of a byte that is not full; only when all that came out was taken.
    pub(super) fn pending_bits(&mut self) -> io::Result<u8> {
        let mut bits = 0;
        // SAFETY: zlib leaves out what has no place and writes one number to the other.
        check(unsafe { deflatePending(&raw mut *self.stream, ptr::null_mut(), &raw mut bits) })?;
        u8::try_from(bits).map_err(io::Error::other)
    }

    /// Puts `count` bits, at most 16, into the stream.
    pub(super) fn push_bits(&mut self, bits: u8, count: u8) -> io::Result<()> {
        // SAFETY: zlib refuses what does not fit.
        check(unsafe { deflatePrime(&raw mut *self.stream, c_int::from(count), c_int::from(bits)) })
    }
}

fn check(status: c_int) -> io::Result<()> {
    if status == Z_OK { Ok(()) } else { Err(io::Error::other(format!("zlib fails with status {status}"))) }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: the state was made by `deflateInit2_` and is freed here only.
        unsafe { deflateEnd(&raw mut *self.stream) };
    }
}

#[cfg(test)]
mod tests;
