"""Tables for unwinding (FORMAT.md, section 10.3; Linux Standard Base 5.0, 10.6 for their form)."""

RELATIVE = (0x1B, 0x9B)
NUMBERS = 4


def search_table(writer, section):
    """`.eh_frame_hdr`."""
    if section.size < 12 or writer.base[section.offset : section.offset + 4] != b"\x01\x1b\x03\x3b":
        return
    writer.distance_from_here(section.offset + 4)
    for at in range(section.offset + 12, section.end - 3, 4):
        writer.distance(at, section.address)


def frames(writer, section):
    """`.eh_frame`: common parts, and frames that point back to them."""
    base, at, has_language_data = writer.base, section.offset, False
    while at + 8 <= section.end:
        length = int.from_bytes(base[at : at + 4], "little")
        end = at + 4 + length
        if length == 0 or length == 0xFFFFFFFF or end > section.end:
            break
        back = int.from_bytes(base[at + 4 : at + 8], "little")
        if back == 0:
            has_language_data = common_part(writer, at, end)
        else:
            frame(writer, at, end, at + 4 - back, has_language_data)
        at = end


def frame(writer, at, end, common, has_language_data):
    """One frame: where its common part, its function and its language's data are."""
    moves = writer.moves
    if common >= 0:
        writer.write(at + 4, 4, moves.offset(at + 4) - moves.offset(common))
    if end < at + 16:
        return
    writer.distance_from_here(at + 8)
    here = writer.here(at + 8)
    if here is not None:
        function = here + writer.signed(at + 8)
        size = int.from_bytes(writer.base[at + 12 : at + 16], "little")
        writer.put_distance(at + 12, moves.address(function), moves.end(function + size))
    if has_language_data and end >= at + 21 and writer.signed(at + 17):
        writer.distance_from_here(at + 17)


def common_part(writer, at, end):
    """Predicts the personality; says whether frames have language data."""
    base = writer.base
    augmentation, _, _ = base[at + 9 : end].partition(b"\0")
    place = at + 10 + len(augmentation) + NUMBERS
    for letter in augmentation[1:]:
        if letter == ord("P") and place + 5 <= end:
            if base[place] in RELATIVE:
                writer.distance_from_here(place + 1)
            place += 5
        else:
            place += 1
    return b"L" in augmentation
