"""Keep what an ICC profile says about colours, and leave out its texts, such as the name of a person's screen."""

import struct

HEADER_BYTES, ENTRY_BYTES = 128, 12
MOST_TAGS = 100
KINDS = (b"mntr", b"scnr", b"prtr", b"spac")
SPACES = (b"RGB ", b"GRAY", b"CMYK")
CONNECTIONS = (b"XYZ ", b"Lab ")
# The tags that convert colours, and the types of their values, which contain only numbers
COLOURS = {
    b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1",
    b"B2D2", b"B2D3", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"chad",
    b"gamt", b"cicp",
}  # fmt: skip
NUMBERS = (b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet", b"cicp")
# The required description and copyright, in the forms of versions 2 and 4
NAME = b"desc\0\0\0\0" + struct.pack(">I", 4) + b"icc\0" + bytes(78)
TEXT = b"text\0\0\0\0\0"
NAME_4 = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", 6, 28) + "icc".encode("utf-16-be")


def plain_profile(profile: bytes) -> bytes:
    """Return a profile with the same colours as `profile` and without its texts; empty if it is broken: decoders ignore
    it then."""
    size, count = (int.from_bytes(profile[at : at + 4], "big") for at in (0, HEADER_BYTES))
    start = HEADER_BYTES + 4 + ENTRY_BYTES * count
    if count > MOST_TAGS or not start <= size <= len(profile) or profile[36:40] != b"acsp":
        return b""
    if profile[12:16] not in KINDS or profile[16:20] not in SPACES or profile[20:24] not in CONNECTIONS:
        return b""
    entries = struct.iter_unpack(">4sII", profile[HEADER_BYTES + 4 : start])
    spans = {name: (at, at + length) for name, at, length in entries}
    end = start
    for first, last in sorted(set(spans.values())):  # a tag that reaches into another one could contain its text
        if not end <= first <= last <= size:
            return b""
        end = last
    tags = {name: profile[slice(*span)] for name, span in spans.items() if name in COLOURS}
    if any(value[:4] not in NUMBERS for value in tags.values()):
        return b""
    tags |= {b"desc": NAME_4, b"cprt": NAME_4} if profile[8] >= 4 else {b"desc": NAME, b"cprt": TEXT}
    return _build(profile, tags)


def _build(profile: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a profile with `tags`, and with the numbers of the header of `profile`."""
    at = HEADER_BYTES + 4 + ENTRY_BYTES * len(tags)
    table, values, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for name, value in tags.items():
        place = places.setdefault(value, at + len(values))
        if place == at + len(values):
            values += value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, place, len(value))
    size = HEADER_BYTES + len(table + values)
    header = struct.pack(">I4x", size) + profile[8:24] + bytes(12) + b"acsp" + bytes(24) + profile[64:80] + bytes(48)
    return header + table + values
