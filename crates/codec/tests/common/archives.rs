//! Compressed files with what may stand in them.

use std::io::Write;

use delta_codec::flate::zlib;

use super::noise;

pub(crate) fn text(seed: u64, count: usize) -> Vec<u8> {
    noise(seed, count).into_iter().map(|byte| b"etaoin shrdlu\n"[usize::from(byte) % 14]).collect()
}

/// A gzip member (RFC 1952, 2.3) around a deflate stream of `plain`.
pub(crate) fn member(stream: &[u8], plain: &[u8]) -> Vec<u8> {
    let length = plain.len().to_le_bytes();
    [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], stream, &crc(plain).to_le_bytes(), &length[..4]].concat()
}

pub(crate) fn gzipped(plain: &[u8]) -> Vec<u8> {
    member(&deflated(plain).0, plain)
}

pub(crate) fn zlibbed(plain: &[u8]) -> Vec<u8> {
    let (one, two) = plain.iter().fold((1_u32, 0), |(one, two), byte| {
        let one = (one + u32::from(*byte)) % 65_521;
        (one, (two + one) % 65_521)
    });
    [&b"\x78\x9c"[..], &deflated(plain).0, &(two << 16 | one).to_be_bytes()].concat()
}

/// The deflate stream of C zlib for `plain`, and their CRC-32.
pub(crate) fn deflated(plain: &[u8]) -> (Vec<u8>, u32) {
    let settings = zlib::Settings::new(6, 15, 8, 0).unwrap();
    let mut encoder = zlib::Encoder::new(settings, Vec::new()).unwrap();
    encoder.write_all(plain).unwrap();
    (encoder.finish().unwrap(), crc(plain))
}

fn crc(plain: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    crc.sum()
}

/// A zip whose members' sizes and offsets the directory gives as `lie` says; `None` puts them into zip64 fields.
pub(crate) fn zip(members: &[(&str, Vec<u8>)], lie: impl Fn(u32, u32) -> Option<(u32, u32)>) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, plain) in members {
        let (stream, crc) = deflated(plain);
        let offset = u32::try_from(out.len()).unwrap();
        let [packed, whole] = [stream.len(), plain.len()].map(|size| u32::try_from(size).unwrap());
        let name_length = u16::try_from(name.len()).unwrap();
        // Flag 8: the sizes follow the stream in a data descriptor.
        out.extend(b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0");
        out.extend([0; 12]);
        out.extend(name_length.to_le_bytes());
        out.extend([0; 2]);
        out.extend(name.as_bytes());
        out.extend(&stream);
        out.extend(b"PK\x07\x08");
        for number in [crc, packed, whole] {
            out.extend(number.to_le_bytes());
        }
        let stated = lie(packed, offset);
        let (packed_stated, offset_stated) = stated.unwrap_or((u32::MAX, u32::MAX));
        let whole_stated = if stated.is_some() { whole } else { u32::MAX };
        let wide: Vec<u8> = match stated {
            Some(_) => Vec::new(),
            // In this order (APPNOTE.TXT, 4.5.3).
            None => [b"\x01\0\x18\0".to_vec()]
                .into_iter()
                .chain([whole, packed, offset].map(|number| u64::from(number).to_le_bytes().to_vec()))
                .flatten()
                .collect(),
        };
        directory.extend(b"PK\x01\x02\x14\0\x14\0\x08\0\x08\0\0\0\0\0");
        for number in [crc, packed_stated, whole_stated] {
            directory.extend(number.to_le_bytes());
        }
        directory.extend(name_length.to_le_bytes());
        directory.extend(u16::try_from(wide.len()).unwrap().to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(offset_stated.to_le_bytes());
        directory.extend(name.as_bytes());
        directory.extend(wide);
    }
    let [count, offset, size] =
        [members.len(), out.len(), directory.len()].map(|number| u32::try_from(number).unwrap());
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for number in [count, count] {
        out.extend(&number.to_le_bytes()[..2]);
    }
    for number in [size, offset] {
        out.extend(number.to_le_bytes());
    }
    out.extend([0; 2]);
    out
}
