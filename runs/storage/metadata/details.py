"""The two details we keep from a picture's metadata: its orientation, and whether AI made it.

They are written from scratch, and only if their values are known: a term from IPTC's list of digital source types, and
a number from 1 to 8.
"""

import re
import struct
from dataclasses import dataclass, field
from itertools import islice

# https://cv.iptc.org/newscodes/digitalsourcetype/; if a file has several, the first in this list wins.
SOURCE_TYPES = (
    "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia", "compositeSynthetic",
    "composite", "algorithmicallyEnhanced", "dataDrivenMedia", "virtualRecording", "screenCapture", "digitalCreation",
    "digitalArt", "softwareImage", "humanEdits", "minorHumanEdits", "compositeCapture", "computationalCapture",
    "negativeFilm", "positiveFilm", "print", "digitalCapture",
)  # fmt: skip
LIST = b"http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = re.compile(
    rb"[dD]igitalSourceType.{0,120}?https?://cv\.iptc\.org/newscodes/digitalsourcetype/([A-Za-z]{1,60})",
    re.DOTALL,
)
XMP_ORIENTATION = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|>)([1-8])["'<]""")
SEARCHED_BYTES = 8_000_000  # per piece of metadata
TURNED = range(2, 9)
ORIENTATION = 0x0112
SHORT = 3
MOST_FIELDS = 500


@dataclass
class Details:
    """The details found so far in a picture."""

    source_types: set[str] = field(default_factory=set)
    orientation: int = 1  # as in Exif: 1 is upright
    xmp_orientation: int = 1

    def read_xmp(self, packet: bytes) -> None:
        """Search an XMP packet, or a C2PA manifest, which has the same terms for the AI mark."""
        for found in islice(SOURCE_TYPE.finditer(packet[:SEARCHED_BYTES]), 100):
            self.source_types.add(found[1].decode("ascii"))
        if turned := XMP_ORIENTATION.search(packet, 0, SEARCHED_BYTES):
            self.xmp_orientation = int(turned[1])

    def read_exif(self, exif: bytes) -> None:
        """Read Exif data. The first orientation found counts."""
        if self.orientation == 1:
            self.orientation = orientation_of(exif.removeprefix(b"Exif\0\0"))

    def exif(self) -> bytes:
        """Return Exif data with only the orientation; empty for an upright picture."""
        if self.orientation not in TURNED:
            return b""
        entry = struct.pack("<HHIHH", ORIENTATION, SHORT, 1, self.orientation, 0)
        return struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + bytes(4)

    def xmp(self) -> bytes:
        """Return an XMP packet with the AI mark, and with the orientation if it came from XMP; empty if there is
        neither."""
        # write only terms from the list: anything else could be a prompt
        source_type = next((word for word in SOURCE_TYPES if word in self.source_types), "")
        told = b""
        if source_type:
            told += b' Iptc4xmpExt:DigitalSourceType="' + LIST + source_type.encode() + b'"'
        if self.xmp_orientation in TURNED:
            told += b' tiff:Orientation="%d"' % self.xmp_orientation
        return _packet(told) if told else b""


def _packet(attributes: bytes) -> bytes:
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/"' + attributes + b"/>"
        b'</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def orientation_of(tiff: bytes) -> int:
    """Return the orientation in Exif data, or 1 if it is missing or invalid."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for number in range(min(count, MOST_FIELDS)):
        at = start + 2 + 12 * number
        if at + 12 > len(tiff):
            return 1
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, at)
        if (tag, kind, values) == (ORIENTATION, SHORT, 1):
            return value if value in TURNED else 1
    return 1
