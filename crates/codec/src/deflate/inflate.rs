//! One deflate stream (RFC 1951) to its plain bytes, with the exact place where it ends.

use std::io::{self, BufRead, Write};

use flate2::{Decompress, FlushDecompress, Status};

use super::checksum::{Summing, Sums};

/// A whole stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The bytes of the deflate stream, padding bits of the last one included.
    pub(crate) compressed: u64,
    /// Of the plain bytes.
    pub(crate) sums: Sums,
}

/// Inflates the stream at the start of `source`; `None` when it is no deflate stream, is cut, or holds more than `most`
/// plain bytes. What was written to `out` until then stays there; `written` counts it.
pub(crate) fn inflate(
    mut source: impl BufRead,
    out: &mut dyn Write,
    most: u64,
    written: &mut u64,
) -> io::Result<Option<Ended>> {
    let mut inflater = Decompress::new(false);
    let mut summing = Summing::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let input = source.fill_buf()?;
        let is_end = input.is_empty();
        let (taken, given) = (inflater.total_in(), inflater.total_out());
        let Ok(status) = inflater.decompress(input, &mut buffer, FlushDecompress::None) else { return Ok(None) };
        let taken = usize::try_from(inflater.total_in() - taken).unwrap_or_default();
        let given = usize::try_from(inflater.total_out() - given).unwrap_or_default();
        source.consume(taken);
        if inflater.total_out() > most {
            return Ok(None);
        }
        out.write_all(&buffer[..given])?;
        *written += given as u64;
        summing.update(&buffer[..given]);
        match status {
            Status::StreamEnd => return Ok(Some(Ended { compressed: inflater.total_in(), sums: summing.sums() })),
            _ if is_end && given == 0 => return Ok(None),
            _ if taken == 0 && given == 0 => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::noise;

    /// A stream of these bytes as they are (RFC 1951, 3.2.4).
    fn stored(plain: &[u8]) -> Vec<u8> {
        let length = u16::try_from(plain.len()).unwrap();
        [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), plain].concat()
    }

    fn compressed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// How long the stream at the start of `source` is, its plain bytes, and what was written of them.
    fn inflated(source: &[u8], most: u64) -> (Option<(u64, u64)>, Vec<u8>) {
        let (mut out, mut written) = (Vec::new(), 7);
        let ended = inflate(source, &mut out, most, &mut written).unwrap();
        assert_eq!(written, 7 + out.len() as u64);
        if let Some(ended) = ended {
            let mut summing = Summing::new();
            summing.update(&out);
            assert_eq!(ended.sums, summing.sums());
        }
        (ended.map(|ended| (ended.compressed, ended.sums.length)), out)
    }

    #[test]
    fn a_stream_ends_where_its_last_block_does() {
        for plain in [Vec::new(), b"plain".to_vec(), noise(1, 60_000), vec![7; 60_000]] {
            for stream in [stored(&plain), compressed(&plain)] {
                let length = stream.len() as u64;
                let expected = (Some((length, plain.len() as u64)), plain.clone());
                assert!(inflated(&stream, u64::MAX) == expected);
                assert!(inflated(&[&stream[..], b"and more"].concat(), u64::MAX) == expected);
                // Read a byte at a time.
                let mut out = Vec::new();
                let slowly = io::BufReader::with_capacity(1, &stream[..]);
                assert_eq!(inflate(slowly, &mut out, u64::MAX, &mut 0).unwrap().unwrap().compressed, length);
                assert!(out == plain);
            }
        }
    }

    #[test]
    fn no_more_plain_bytes_come_than_may() {
        let plain = noise(1, 200_000);
        let stream = compressed(&plain);
        assert!(inflated(&stream, 200_000).0.is_some());
        for most in [0, 1, 65_535, 65_536, 65_537, 199_999] {
            let (ended, out) = inflated(&stream, most);
            assert_eq!(ended, None, "{most}");
            assert!(out.len() as u64 <= most && plain.starts_with(&out));
        }
        // Many of few: what a bound is for.
        assert_eq!(inflated(&compressed(&vec![0; 5 << 20]), 1 << 20).0, None);
    }

    #[test]
    fn what_is_cut_or_none_is_none() {
        for stream in [stored(b"plain"), compressed(&noise(1, 500))] {
            for length in 0..stream.len() {
                assert_eq!(inflated(&stream[..length], u64::MAX).0, None, "cut to {length} bytes");
            }
        }
        for other in [&[7][..], &[1, 5, 0, 0, 0], b"text", &[0xff; 100]] {
            assert_eq!(inflated(other, u64::MAX).0, None, "{other:?}");
        }
    }

    #[test]
    fn a_failure_to_read_or_write_is_one() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no disk"))
            }
        }
        let error = inflate(io::BufReader::new(Broken), &mut io::sink(), 9, &mut 0).unwrap_err();
        assert_eq!(error.to_string(), "no disk");
        let error = inflate(&stored(b"plain")[..], &mut &mut [0; 3][..], 9, &mut 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
