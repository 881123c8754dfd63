//! Tables for unwinding the stack (LSB Core, 10.6): `.eh_frame_hdr` and `.eh_frame`.

use super::elf::{Section, number};
use super::output::Output;

/// The encodings of pointers that nearly every compiler chooses: 32 bits, signed, from where the pointer stands, or from
/// the start of the header.
const FROM_HERE: u8 = 0x1b;
const FROM_HEADER: u8 = 0x3b;

/// The header: where the frames are, and a table of the first address of each function and its frame.
pub(super) fn header(output: &mut Output<'_>, section: &Section<'_>) {
    let start = section.offset;
    let encodings = output.base.get(start..start + 4);
    if section.size < 12 || !matches!(encodings, Some([1, FROM_HERE, 3, FROM_HEADER])) {
        return;
    }
    from_here(output, start + 4);
    let Some(moved) = output.space.moved_offset(start as u64) else { return };
    for at in (start + 12..section.end().saturating_sub(3)).step_by(4) {
        output.distance(at, section.address, moved);
    }
}

/// The frames: each says where its common part is, where its function starts, and how long it is.
pub(super) fn frames(output: &mut Output<'_>, section: &Section<'_>) {
    let mut at = section.offset;
    let mut has_more = false;
    while at + 8 <= section.end() {
        let Some(length) = number(output.base, at).filter(|length| *length < u32::MAX) else { return };
        let end = at.saturating_add(4).saturating_add(length as usize);
        if length == 0 || end > section.end() {
            return;
        }
        let field = at + 4;
        match number(output.base, field) {
            Some(0) => has_more = common(output, field + 4, end),
            Some(back) => frame(output, field, back, end, has_more),
            None => return,
        }
        at = end;
    }
}

/// The common part of frames, at its version; whether frames name a table of their own in it.
fn common(output: &mut Output<'_>, at: usize, end: usize) -> bool {
    let Some(augmentation) = output.base.get(at + 1..end).and_then(|rest| rest.split(|byte| *byte == 0).next()) else {
        return false;
    };
    // Behind the augmentation: alignment of code and of data, the register, the length of what follows: one byte each in practice.
    let mut data = at + 2 + augmentation.len() + 4;
    let has_more = augmentation.contains(&b'L');
    for letter in &augmentation[augmentation.len().min(1)..] {
        match letter {
            b'P' if data + 5 <= end => {
                if matches!(output.base[data], 0x1b | 0x9b) {
                    from_here(output, data + 1);
                }
                data += 5;
            }
            _ => data += 1,
        }
    }
    has_more
}

fn frame(output: &mut Output<'_>, field: usize, back: u32, end: usize, has_more: bool) {
    if let Some(common) = field.checked_sub(back as usize) {
        let moves = output.space.moves;
        output.put_distance(field, moves.target(field as u64), moves.target(common as u64));
    }
    let (begin, range) = (field + 4, field + 8);
    if range + 4 > end {
        return;
    }
    from_here(output, begin);
    let start = output.space.address(begin as u64).zip(number(output.base, begin));
    let start = start.map(|(here, distance)| here.wrapping_add_signed(i64::from(distance.cast_signed())));
    if let Some((start, length)) = start.zip(number(output.base, range))
        && let (Some(moved), Some(moved_end)) =
            (output.space.moved(start), output.space.moved_end(start.wrapping_add(u64::from(length))))
    {
        output.put_distance(range, moved_end, moved);
    }
    // The length of what follows is one byte; a table of the function's own is named first.
    if has_more && range + 9 <= end && number(output.base, range + 5) != Some(0) {
        from_here(output, range + 5);
    }
}

fn from_here(output: &mut Output<'_>, at: usize) {
    if let (Some(here), Some(moved)) = (output.space.address(at as u64), output.space.moved_offset(at as u64)) {
        output.distance(at, here, moved);
    }
}
