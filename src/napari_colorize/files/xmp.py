"""XMP packets: what a picture file tells of its making, in a form that other programs read too.

A packet of ours holds two properties. One is our record as JSON, in a namespace of the project's
own. The other is the IPTC property *Digital Source Type*; its value "composite with trained
algorithmic media" says that a trained model had a part in a picture that was there before.

A JPEG holds 64 kB in one piece: a longer record goes into an extended packet, cut into pieces.

Sources: XMP Specification Part 3 (Adobe, 2020), "JPEG" and "PNG"; IPTC Photo Metadata Standard,
"Digital Source Type"; https://cv.iptc.org/newscodes/digitalsourcetype/.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PIL import PngImagePlugin

from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NAMESPACE = "urn:x-napari-colorize:record/1.0/"
KEYWORD = "XML:com.adobe.xmp"
"""Name of the text in a PNG that is XMP."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_DIGEST = 32  # hexadecimal digits of the MD5 that names an extended packet
_PIECE = 65_000  # bytes of an extended packet in one marker of a JPEG, which holds 65,533
_LONGEST = 65_504  # bytes of a plain packet in a JPEG
_LARGEST = 200_000_000  # bytes above which a packet is not read


def packet(record: dict[str, Any]) -> bytes:
    """Return the whole packet with a record."""
    return _packet(_mark(), _record(record))


def pillow_options(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which Pillow writes a record; none for a format without a place.

    Parameters
    ----------
    kind : str
        Pillow's name of the format, such as ``"JPEG"``.
    record : dict
        What JSON can hold.
    """
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt(KEYWORD, packet(record).decode())
        return {"pnginfo": texts}
    if kind == "JPEG":
        whole = packet(record)
        return {"xmp": whole} if len(whole) <= _LONGEST else _in_pieces(record)
    return {"xmp": packet(record)} if kind in {"WEBP", "AVIF"} else {}


def record_of(data: bytes, markers: Iterable[bytes] = ()) -> dict[str, Any] | None:
    """Return our record in a packet, None when it holds none.

    Parameters
    ----------
    data : bytes
        The packet.
    markers : iterable of bytes
        Of a JPEG the contents of its APP1 markers, where the pieces of an extended packet are.

    Raises
    ------
    PictureError
        When the packet or the record is broken.
    """
    root = _parsed(data)
    text = _property(root, NAMESPACE, "record")
    digest = _property(root, _NOTE, "HasExtendedXMP")
    if text is None and digest is not None:
        pieces = _joined(markers, digest.strip().encode("ascii", "replace"))
        text = None if pieces is None else _property(_parsed(pieces), NAMESPACE, "record")
    if text is None:
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PictureError("its record is broken") from exc
    if not isinstance(record, dict):
        raise PictureError("its record is broken")
    return record


def _record(record: dict[str, Any]) -> str:
    # ASCII without control characters, which XML could not hold.
    text = json.dumps(record, separators=(",", ":"), allow_nan=False)
    return f'<colorize:record xmlns:colorize="{NAMESPACE}">{escape(text)}</colorize:record>'


def _mark() -> str:
    return (
        f'<Iptc4xmpExt:DigitalSourceType xmlns:Iptc4xmpExt="{_IPTC}">{SOURCE_TYPE}'
        "</Iptc4xmpExt:DigitalSourceType>"
    )


def _packet(*properties: str) -> bytes:
    start, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return "\n".join([start, _tree(*properties), end]).encode()


def _tree(*properties: str) -> str:
    lines = "\n".join(properties)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f'<rdf:RDF xmlns:rdf="{_RDF}">\n<rdf:Description rdf:about="">\n{lines}\n'
        "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>"
    )


def _in_pieces(record: dict[str, Any]) -> dict[str, Any]:
    extended = _tree(_record(record)).encode()
    digest = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    note = f'<xmpNote:HasExtendedXMP xmlns:xmpNote="{_NOTE}">{digest}</xmpNote:HasExtendedXMP>'
    markers = b""
    for start in range(0, len(extended), _PIECE):
        place = struct.pack(">II", len(extended), start)
        body = _EXTENDED + digest.encode() + place + extended[start : start + _PIECE]
        markers += b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body
    return {"xmp": _packet(_mark(), note), "extra": markers}


def _joined(markers: Iterable[bytes], digest: bytes) -> bytes | None:
    """Return the extended packet of this digest; None if a piece lacks, as after an edit."""
    pieces: dict[int, bytes] = {}
    total = 0
    head = len(_EXTENDED) + _DIGEST
    for marker in markers:
        if marker.startswith(_EXTENDED + digest) and len(marker) >= head + 8:
            total, start = struct.unpack(">II", marker[head : head + 8])
            pieces[start] = marker[head + 8 :]
    whole = b"".join(pieces[start] for start in sorted(pieces))
    return whole if whole and len(whole) == total else None


class _Builder(ElementTree.TreeBuilder):
    """Builds a tree of a packet that declares no entities, which could grow without end."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise PictureError("its XMP declares a document type, which no XMP has")


def _parsed(data: bytes) -> ElementTree.Element:
    if len(data) > _LARGEST:
        raise PictureError(f"its XMP is larger than {_LARGEST // 1_000_000} MB")
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        # Padding, which in UTF-16 would be half a character.
        wide = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        parser.feed(data if wide else data.strip(b"\0 \t\r\n"))
        return parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as exc:
        if isinstance(exc, PictureError):
            raise
        raise PictureError(f"its XMP is broken ({exc})") from exc


def _property(root: ElementTree.Element, namespace: str, name: str) -> str | None:
    """Return the text of a property, which may stand as an element or as an attribute."""
    key = f"{{{namespace}}}{name}"
    for description in root.iter(f"{{{_RDF}}}Description"):
        told = description.get(key)
        if told is None:
            told = description.findtext(key)
        if told is not None:
            return told
    return None
