//! Gzip headers, zips and pngs, field by field, so that each may be what it should not be.

use super::archives::{deflated, member};

/// A gzip header (RFC 1952, 2.3) with the parts that `flags` name, as a time, a level and a system of nobody.
pub(crate) fn gzip_header(flags: u8, extra: &[u8], name: &[u8], comment: &[u8]) -> Vec<u8> {
    let mut header = [&b"\x1f\x8b\x08"[..], &[flags], &[0; 4], &[0, 3]].concat();
    if flags & 4 != 0 {
        header.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
        header.extend(extra);
    }
    for (flag, text) in [(8, name), (16, comment)] {
        if flags & flag != 0 {
            header.extend(text);
            header.push(0);
        }
    }
    if flags & 2 != 0 {
        header.extend(b"cc");
    }
    header
}

/// A gzip member with this header.
pub(crate) fn gzip_member(header: &[u8], plain: &[u8]) -> Vec<u8> {
    [header, &member(&deflated(plain).0, plain)[10..]].concat()
}

/// A deflate stream of one block that is not compressed (RFC 1951, 3.2.4).
pub(crate) fn stored_block(plain: &[u8]) -> Vec<u8> {
    let length = u16::try_from(plain.len()).unwrap();
    [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), plain].concat()
}

/// A member of a zip.
#[derive(Clone)]
pub(crate) struct ZipMember {
    pub(crate) name: &'static str,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) local_extra: Vec<u8>,
    pub(crate) central_extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// Its bytes as they stand in the zip.
    pub(crate) stream: Vec<u8>,
    /// Its plain size, its size in the zip and its offset as the directory says them; the true ones where there is none.
    pub(crate) stated: [Option<u32>; 3],
    pub(crate) plain_size: u32,
}

impl ZipMember {
    pub(crate) fn deflated(name: &'static str, plain: &[u8]) -> Self {
        Self { stream: deflated(plain).0, method: 8, ..Self::stored(name, plain) }
    }

    pub(crate) fn stored(name: &'static str, plain: &[u8]) -> Self {
        Self {
            name,
            method: 0,
            flags: 0,
            local_extra: Vec::new(),
            central_extra: Vec::new(),
            comment: Vec::new(),
            stream: plain.to_vec(),
            stated: [None; 3],
            plain_size: u32::try_from(plain.len()).unwrap(),
        }
    }

    fn lengths(parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().flat_map(|part| u16::try_from(part.len()).unwrap().to_le_bytes()).collect()
    }

    /// The local header (APPNOTE.TXT, 4.3.7), which nobody asks for sizes.
    fn local(&self) -> Vec<u8> {
        let lengths = Self::lengths(&[self.name.as_bytes(), &self.local_extra]);
        let fixed =
            [&b"PK\x03\x04\x14\0"[..], &self.flags.to_le_bytes(), &self.method.to_le_bytes(), &[0; 16], &lengths];
        [&fixed.concat()[..], self.name.as_bytes(), &self.local_extra, &self.stream].concat()
    }

    /// The record of the directory (4.3.12).
    fn central(&self, offset: u32) -> Vec<u8> {
        let true_ones = [self.plain_size, u32::try_from(self.stream.len()).unwrap(), offset];
        let [plain, packed, offset] = [0, 1, 2].map(|at| self.stated[at].unwrap_or(true_ones[at]).to_le_bytes());
        let mut record = b"PK\x01\x02\x14\0\x14\0".to_vec();
        record.extend([self.flags, self.method].iter().flat_map(|number| number.to_le_bytes()));
        record.extend([0; 8]);
        record.extend([packed, plain].concat());
        record.extend(Self::lengths(&[self.name.as_bytes(), &self.central_extra, &self.comment]));
        record.extend([0; 8]);
        record.extend(offset);
        [&record[..], self.name.as_bytes(), &self.central_extra, &self.comment].concat()
    }
}

/// A zip, before it is bytes.
pub(crate) struct ZipParts {
    members: Vec<ZipMember>,
    /// The numbers of the members in the order of the directory.
    pub(crate) listed: Vec<usize>,
    /// Whether a zip64 record and its locator say where the directory is (4.3.14), and the end record does not.
    pub(crate) is_wide: bool,
}

impl ZipParts {
    pub(crate) fn new(members: impl IntoIterator<Item = ZipMember>) -> Self {
        let members: Vec<_> = members.into_iter().collect();
        Self { listed: (0..members.len()).collect(), members, is_wide: false }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (mut out, mut offsets) = (Vec::new(), Vec::new());
        for member in &self.members {
            offsets.push(u32::try_from(out.len()).unwrap());
            out.extend(member.local());
        }
        let directory: Vec<u8> =
            self.listed.iter().flat_map(|number| self.members[*number].central(offsets[*number])).collect();
        let [size, offset] = [directory.len(), out.len()].map(|number| u32::try_from(number).unwrap());
        out.extend(directory);
        if self.is_wide {
            let record = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44_u64.to_le_bytes());
            out.extend([0; 28]);
            out.extend([size, offset].map(u64::from).iter().flat_map(|number| number.to_le_bytes()));
            out.extend([&b"PK\x06\x07\0\0\0\0"[..], &record.to_le_bytes(), &[1, 0, 0, 0]].concat());
        }
        let stated = if self.is_wide { [u32::MAX; 2] } else { [size, offset] };
        out.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        out.extend(stated.iter().flat_map(|number| number.to_le_bytes()));
        out.extend([0; 2]);
        out
    }
}

/// A png of these chunks between its header and its end.
pub(crate) struct Png {
    pub(crate) chunks: Vec<([u8; 4], Vec<u8>)>,
}

impl Png {
    /// Image data that is cut into chunks of these sizes.
    pub(crate) fn of(mut data: &[u8], cuts: &[usize]) -> Self {
        let mut chunks = Vec::new();
        for size in cuts {
            let (chunk, rest) = data.split_at(*size);
            chunks.push((*b"IDAT", chunk.to_vec()));
            data = rest;
        }
        assert!(data.is_empty());
        Self { chunks }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let around = |name: &[u8; 4], data: &[u8]| (*name, data.to_vec());
        let (head, end) = (around(b"IHDR", &[0; 13]), around(b"IEND", b""));
        let chunks = std::iter::once(&head).chain(&self.chunks).chain([&end]);
        let chunks = chunks.flat_map(|(name, data)| {
            let named = [&name[..], data].concat();
            let mut crc = flate2::Crc::new();
            crc.update(&named);
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &named, &crc.sum().to_be_bytes()].concat()
        });
        b"\x89PNG\r\n\x1a\n".iter().copied().chain(chunks).collect()
    }
}
