//! The frame of a package around any members, made without the crate's own writer.

use delta_core::digest::BlobDigest;

/// A package of these members with the right last one, whatever the members say. Made without the crate's own writer.
pub(crate) fn sealed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    members.iter().for_each(|(name, bytes)| append(&mut out, name, bytes));
    let closing = format!(r#"{{"bytes":{},"digest":"{}"}}"#, out.len(), BlobDigest::of(&out));
    append(&mut out, "closing.json", closing.as_bytes());
    out.resize(out.len() + 1024, 0);
    out
}

fn append(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
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
