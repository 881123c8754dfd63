//! The frame of a package around any members, made without the crate's own writer.

use delta_core::digest::BlobDigest;

/// A package of these members with the right last one, whatever the members say. Made without the crate's own writer.
pub(crate) fn sealed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    closed_by(members, |bytes, digest| closing(bytes, &digest.to_string()).into_bytes(), &[])
}

/// What `closing.json` says of so many bytes with this digest.
pub(crate) fn closing(bytes: usize, digest: &str) -> String {
    format!(r#"{{"bytes":{bytes},"digest":"{digest}"}}"#)
}

/// A package of these members, closed by what `close` makes of their length and digest, and with more members `behind` that.
pub(crate) fn closed_by(
    members: &[(String, Vec<u8>)],
    close: impl FnOnce(usize, BlobDigest) -> Vec<u8>,
    behind: &[(String, Vec<u8>)],
) -> Vec<u8> {
    let mut out = Vec::new();
    members.iter().for_each(|(name, bytes)| append(&mut out, name, bytes));
    let closing = close(out.len(), BlobDigest::of(&out));
    append(&mut out, "closing.json", &closing);
    behind.iter().for_each(|(name, bytes)| append(&mut out, name, bytes));
    out.resize(out.len() + 1024, 0);
    out
}

/// Adds a member to an archive that has not ended yet.
pub(crate) fn append(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let mut header = [0_u8; 512];
    let mut field = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    field(0, name.as_bytes());
    field(100, b"0000444\0");
    field(108, b"0000000\0");
    field(116, b"0000000\0");
    field(124, format!("{:011o}\0", bytes.len()).as_bytes());
    field(136, b"00000000000\0");
    field(148, b"        ");
    field(156, b"0");
    field(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
}
