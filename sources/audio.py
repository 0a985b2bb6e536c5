"""What a recording is, by its first bytes and by what a server calls it."""

from __future__ import annotations

import codecs

SNIFFED_BYTES = 512
"""So many tell what it is; a text may begin with much white space."""

_SIGNATURES = (
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"#!AMR", "amr"),
    (0, b".snd", "au"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (8, b"WAVE", "wav"),
    (4, b"ftypM4A", "m4a"),
    (4, b"ftyp", "mp4"),
)

_MEDIA_TYPES = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "application/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/basic": "au",
    "audio/webm": "webm",
    "video/webm": "webm",
    "video/mp4": "mp4",
}

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/xhtml")


def kind(first: bytes) -> str | None:
    """The extension that the first bytes of a file call for, or None where they say nothing."""
    for offset, signature, extension in _SIGNATURES:
        if first.startswith(signature, offset):
            return extension
    if len(first) > 2 and first[0] == 0xFF and first[1] & 0xF6 == 0xF0:
        return "aac"
    # An MPEG frame of layer II or III; what no frame may hold tells it from other files that begin with FF.
    is_frame = len(first) > 2 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0
    if is_frame and first[1] & 0x18 != 0x08 and first[1] & 0x06 in (2, 4) and first[2] & 0x0C != 0x0C:
        return "mp3"
    return None


def extension(first: bytes, content_type: str) -> str:
    """The extension of a file: its bytes are believed more than its type; `bin` where neither is known."""
    return kind(first) or _MEDIA_TYPES.get(content_type, "bin")


def is_text(first: bytes, content_type: str) -> bool:
    """Whether an answer is a message for somebody to read rather than a recording, whatever it is called."""
    return kind(first) is None and (content_type.startswith(_TEXT_TYPES) or _is_markup(first))


def _is_markup(first: bytes) -> bool:
    """Whether it begins as JSON, XML or HTML do, and goes on as texts do: sound may begin so by chance."""
    mark = next((mark for mark in _BYTE_ORDER_MARKS if first.startswith(mark)), b"")
    text = first.removeprefix(mark).decode(_BYTE_ORDER_MARKS.get(mark, "utf-8"), "replace").lstrip()
    return text.startswith(("{", "[", "<")) and not any(c < " " and not c.isspace() for c in text)
