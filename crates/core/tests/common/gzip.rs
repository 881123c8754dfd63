//! gzip members of zlib's own streams, which come back.

use std::io::Write;

use delta_codec::flate;

/// A gzip member with the stream that C zlib makes.
pub(crate) fn gzipped(bytes: &[u8], level: u8) -> Vec<u8> {
    let settings = flate::zlib::Settings::new(level, 15, 8, 0).unwrap();
    let mut encoder = flate::zlib::Encoder::new(settings, Vec::new()).unwrap();
    encoder.write_all(bytes).unwrap();
    gzip(&encoder.finish().unwrap(), bytes)
}

/// A gzip member with this stream (RFC 1952, 2.3), as from Unix.
pub(crate) fn gzip(stream: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
    }
    let length = u32::try_from(bytes.len()).unwrap();
    [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], stream, &(!crc).to_le_bytes(), &length.to_le_bytes()].concat()
}
