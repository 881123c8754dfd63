//! The one form of an entry in bytes: a pax header for what a plain one has no room for, then a ustar header.
//!
//! POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".

use std::io;

use delta_core::facts::{Attribute, Facts, Time};

use super::entry::{Entry, Kind};

pub(super) const BLOCK: usize = 512;

/// The records of one entry together. Linux lets an entry have about 2 MiB of attributes on ext4 and more on XFS; names of
/// more than some KiB cannot be used.
pub(super) const RECORDS_BYTES: u64 = 16 << 20;

/// The key of an extended attribute, as GNU tar, bsdtar and Docker write it; GNU tar escapes `=` and `%` in the name.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

/// GNU tar's third format of files with holes, which is that of POSIX archives.
const SPARSE: [(&[u8], &[u8]); 2] = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")];
const SPARSE_SIZE: &[u8] = b"GNU.sparse.realsize";

/// The name of all pax headers; nobody needs it.
const PAX_NAME: &[u8] = b"PaxHeaders";

/// The largest number of a field of eight bytes, and of twelve.
const SMALL: u64 = 0o777_7777;
const LARGE: u64 = 0o777_7777_7777;

type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// The header blocks of an entry.
pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    let mut records = Vec::new();
    for (key, value) in records_of(entry) {
        record(&key, &value, &mut records);
    }
    let mut blocks = Vec::new();
    if !records.is_empty() {
        let mut header = Header::new(b'x', PAX_NAME);
        header.number(124, 12, records.len() as u64);
        blocks.extend_from_slice(&header.finish());
        blocks.extend_from_slice(&records);
        blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
    }
    blocks.extend_from_slice(&plain(entry));
    blocks
}

/// What a header and the records before it say. Only [`encode`] tells whether it is in the one form.
pub(super) fn decode(records: &[u8], block: &[u8; BLOCK]) -> io::Result<Entry> {
    let mut kind = match block[156] {
        b'0' => Kind::File(octal(&block[124..136])?),
        b'1' => Kind::HardLink(text(&block[157..257])),
        b'2' => Kind::SymbolicLink(text(&block[157..257])),
        b'3' => Kind::Character(small(&block[329..337])?, small(&block[337..345])?),
        b'4' => Kind::Block(small(&block[329..337])?, small(&block[337..345])?),
        b'5' => Kind::Folder,
        b'6' => Kind::Fifo,
        other => return Err(invalid(format!("an entry of the type {:?}", char::from(other)))),
    };
    let mut facts = Facts {
        mode: small(&block[100..108])?,
        uid: small(&block[108..116])?,
        gid: small(&block[116..124])?,
        modified: Time { seconds: signed(octal(&block[136..148])?)?, nanoseconds: 0 },
        attributes: Vec::new(),
    };
    let mut name = text(&block[..100]);
    let mut rest = records;
    while !rest.is_empty() {
        let (key, value, behind) = split(rest)?;
        rest = behind;
        match (key, &mut kind) {
            (b"path", _) => name = value.to_vec(),
            (b"linkpath", Kind::SymbolicLink(link) | Kind::HardLink(link)) => *link = value.to_vec(),
            (b"size", Kind::File(size) | Kind::Sparse { stored: size, .. }) => *size = number(value)?,
            (b"uid", _) => facts.uid = number(value)?,
            (b"gid", _) => facts.gid = number(value)?,
            (b"mtime", _) => facts.modified = time(value).ok_or_else(|| invalid("a time that is none".to_owned()))?,
            (SPARSE_SIZE, Kind::File(stored)) => kind = Kind::Sparse { size: number(value)?, stored: *stored },
            (key, _) if SPARSE.iter().any(|(sparse, _)| *sparse == key) => {}
            (key, _) => match key.strip_prefix(ATTRIBUTE) {
                Some(name) => {
                    facts.attributes.push(Attribute { name: unescaped(name), value: value.to_vec() });
                }
                None => return Err(invalid(format!("the unknown record `{}`", key.escape_ascii()))),
            },
        }
    }
    facts.check().map_err(|error| invalid(error.to_string()))?;
    match &kind {
        Kind::SymbolicLink(link) if link.is_empty() || link.contains(&0) => {
            Err(invalid("a link to nothing".to_owned()))
        }
        Kind::HardLink(_) if facts != Facts::default() => Err(invalid("a hard link with facts of its own".to_owned())),
        _ => Ok(Entry { name, kind, facts }),
    }
}

fn records_of(entry: &Entry) -> Records {
    let mut records = Records::new();
    let mut add = |key: &[u8], value: Vec<u8>| records.push((key.to_vec(), value));
    if entry.name.len() > 100 {
        add(b"path", entry.name.clone());
    }
    if let Kind::SymbolicLink(link) | Kind::HardLink(link) = &entry.kind
        && link.len() > 100
    {
        add(b"linkpath", link.clone());
    }
    let decimal = |number: u64| number.to_string().into_bytes();
    if entry.kind.stored() > LARGE {
        add(b"size", decimal(entry.kind.stored()));
    }
    for (key, id) in [(&b"uid"[..], entry.facts.uid), (b"gid", entry.facts.gid)] {
        if u64::from(id) > SMALL {
            add(key, decimal(id.into()));
        }
    }
    let modified = entry.facts.modified;
    if modified.nanoseconds != 0 || !(0..=LARGE.cast_signed()).contains(&modified.seconds) {
        add(b"mtime", time_text(modified).into_bytes());
    }
    if let Kind::Sparse { size, .. } = entry.kind {
        SPARSE.iter().for_each(|(key, value)| add(key, value.to_vec()));
        add(SPARSE_SIZE, decimal(size));
    }
    for Attribute { name, value } in &entry.facts.attributes {
        add(&[ATTRIBUTE, &escaped(name)].concat(), value.clone());
    }
    records
}

fn plain(entry: &Entry) -> [u8; BLOCK] {
    let facts = &entry.facts;
    let (kind, link, device) = match &entry.kind {
        Kind::File(_) | Kind::Sparse { .. } => (b'0', &[][..], (0, 0)),
        Kind::HardLink(target) => (b'1', &target[..], (0, 0)),
        Kind::SymbolicLink(target) => (b'2', &target[..], (0, 0)),
        Kind::Character(major, minor) => (b'3', &[][..], (*major, *minor)),
        Kind::Block(major, minor) => (b'4', &[][..], (*major, *minor)),
        Kind::Folder => (b'5', &[][..], (0, 0)),
        Kind::Fifo => (b'6', &[][..], (0, 0)),
    };
    let mut header = Header::new(kind, &entry.name);
    header.number(100, 8, facts.mode.into());
    header.number(108, 8, facts.uid.into());
    header.number(116, 8, facts.gid.into());
    header.number(124, 12, entry.kind.stored());
    header.number(136, 12, u64::try_from(facts.modified.seconds).unwrap_or(0));
    header.text(157, 100, link);
    header.number(329, 8, device.0.into());
    header.number(337, 8, device.1.into());
    header.finish()
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(kind: u8, name: &[u8]) -> Self {
        let mut header = Self([0; BLOCK]);
        header.text(0, 100, name);
        for (at, length) in [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8)] {
            header.number(at, length, 0);
        }
        header.0[156] = kind;
        header.text(257, 8, b"ustar\x0000");
        header
    }

    /// As much of `text` as there is room for; a record says the rest.
    fn text(&mut self, at: usize, room: usize, text: &[u8]) {
        let count = text.len().min(room);
        self.0[at..at + count].copy_from_slice(&text[..count]);
    }

    /// Octal digits and a NUL; the largest number that fits where a record says a larger one.
    fn number(&mut self, at: usize, room: usize, number: u64) {
        let digits = room - 1;
        let most = if room == 8 { SMALL } else { LARGE };
        self.text(at, digits, format!("{:0digits$o}", number.min(most)).as_bytes());
    }

    fn finish(mut self) -> [u8; BLOCK] {
        self.text(148, 8, b"        ");
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.text(148, 8, format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// `LENGTH KEY=VALUE`, newline; the length counts all of the record, its own digits too.
fn record(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// The first record: key, value, and what is behind it.
fn split(records: &[u8]) -> io::Result<(&[u8], &[u8], &[u8])> {
    let parts = || {
        let blank = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = number(&records[..blank]).ok()?;
        let body = records.get(blank + 1..length)?.strip_suffix(b"\n")?;
        let equals = body.iter().position(|byte| *byte == b'=')?;
        Some((&body[..equals], &body[equals + 1..], &records[length..]))
    };
    parts().ok_or_else(|| invalid("a pax record that is none".to_owned()))
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> io::Result<N> {
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| invalid(format!("the number `{}`", digits.escape_ascii())))
}

fn octal(field: &[u8]) -> io::Result<u64> {
    let digits = text(field);
    let number = str::from_utf8(&digits).ok().and_then(|digits| u64::from_str_radix(digits, 8).ok());
    number.ok_or_else(|| invalid(format!("the number `{}`", digits.escape_ascii())))
}

fn small(field: &[u8]) -> io::Result<u32> {
    u32::try_from(octal(field)?).map_err(|error| invalid(error.to_string()))
}

fn signed(number: u64) -> io::Result<i64> {
    i64::try_from(number).map_err(|error| invalid(error.to_string()))
}

/// The bytes up to the first NUL.
fn text(field: &[u8]) -> Vec<u8> {
    field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

/// A decimal number of seconds with nine decimals, negative before 1970.
fn time_text(time: Time) -> String {
    if time.seconds < 0 && time.nanoseconds > 0 {
        let decimals = 1_000_000_000 - time.nanoseconds;
        return format!("-{}.{decimals:09}", (time.seconds + 1).unsigned_abs());
    }
    format!("{}.{:09}", time.seconds, time.nanoseconds)
}

fn time(text: &[u8]) -> Option<Time> {
    let (seconds, decimals) = str::from_utf8(text).ok()?.split_once('.')?;
    let nanoseconds: u32 = decimals.parse().ok().filter(|_| decimals.len() == 9)?;
    let whole: i64 = seconds.parse().ok()?;
    if seconds.starts_with('-') && nanoseconds > 0 {
        return Some(Time { seconds: whole.checked_sub(1)?, nanoseconds: 1_000_000_000_u32.checked_sub(nanoseconds)? });
    }
    Some(Time { seconds: whole, nanoseconds })
}

fn escaped(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'=' => out.extend_from_slice(b"%3D"),
            b'%' => out.extend_from_slice(b"%25"),
            byte => out.push(*byte),
        }
    }
    out
}

fn unescaped(mut name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    while let Some((first, rest)) = name.split_first() {
        let (byte, length) = match name.get(..3) {
            Some(b"%3D") => (b'=', 3),
            Some(b"%25") => (b'%', 3),
            _ => (*first, 1),
        };
        out.push(byte);
        name = if length == 3 { &name[3..] } else { rest };
    }
    out
}

pub(super) fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
