"""Text files of the USGS before anything in them is believed: encoding, quotes, whole rows."""

from __future__ import annotations

import csv
import unicodedata

from evernormal.data.publishers.text import csv_fault, refuse_non_text, refuse_other_tables, refuse_spoiled
from evernormal.data.publishers.usgs_cells import Table
from evernormal.errors import SourceFormatError

__all__ = ["table_of"]

_PRINTED = frozenset("–—−‑‘’“”½¼¾±°§×…\xa0•®™·≤≥²³µ\ufeff\u2009\u200b\u202f")
_AGAIN = "Download it again."


def table_of(content: bytes, name: str) -> Table:
    """Return a CSV file as text cells, without stray spaces.

    Args:
        content: the file.
        name: its name, for messages.

    Raises:
        SourceFormatError: empty, a web page, another encoding, a broken quote, a row cut off, a column twice,
            no rows; names the row.
    """
    rows = _split(_decoded(content, name), name)
    header = tuple(" ".join(cell.split()) for cell in rows[0][1])
    while header and not header[-1]:
        header = header[:-1]
    twice = sorted({cell for cell in header if cell and header.count(cell) > 1})
    if twice:
        raise SourceFormatError(f"column {', '.join(twice)} is there twice", where=name, cure=_AGAIN)
    body = []
    for number, (line, cells) in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(header):
            last = number == len(rows)
            raise SourceFormatError(
                f"row {number} (line {line}) has {len(cells)} cells, the header has {len(header)}"
                + (": the file ends in the middle of a row" if last else f"; it begins {cells[0][:30]!r}"),
                where=name,
                cure="The download was cut off: get the file again." if last else _AGAIN,
            )
        if any(cell.strip() for cell in cells[len(header) :]):
            raise SourceFormatError(
                f"row {number} (line {line}) has {len(cells)} cells, the header has {len(header)}",
                where=name,
                cure="Quote a cell that has a comma; numbers with separators need quotes too.",
            )
        values = {key: _plain(cell) for key, cell in zip(header, cells, strict=False) if key}
        body.append((number, values))
    if not body:
        raise SourceFormatError("the file has a header and no rows", where=name, cure=_AGAIN)
    names = tuple(key for key in header if key)
    refuse_spoiled(((number, list(values.values())) for number, values in body), names, name)
    return Table(name, names, tuple(body))


def _plain(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _decoded(content: bytes, name: str) -> str:
    """Return the text of a file in UTF-8 or, as the publisher also writes, in Windows 1252."""
    refuse_non_text(content[:4096], name)
    if b"\x00" in content:
        row = content.count(b"\n", 0, content.index(b"\x00")) + 1
        raise SourceFormatError(f"row {row} has zero bytes: no text", where=name, cure=_AGAIN)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        cut = error.end >= len(content) and error.reason == "unexpected end of data"
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    strange = next((c for c in text if ord(c) > 127 and not _expected(c)), None)
    if not text or strange or cut:
        likely = "it reads as cp949" if _reads_as(content, "cp949") else "another encoding"
        raise SourceFormatError(
            f"row {row} is neither UTF-8 nor Windows 1252 ({likely})",
            where=name,
            cure="The download was cut off: get the file again."
            if cut
            else "Take the publisher's own file: do not save it from a spreadsheet, or save it as CSV UTF-8.",
        )
    return text


def _expected(character: str) -> bool:
    """Whether the publisher prints such a character: dashes, quotes, fractions, letters of Latin names."""
    return character in _PRINTED or unicodedata.category(character) in ("Ll", "Lu")


def _reads_as(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _split(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV text, each with the line on which it ends."""
    refuse_other_tables(text, name)
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        cut = "unexpected end" in str(error)
        raise SourceFormatError(
            f"row {reader.line_num}: {csv_fault(error)}",
            where=name,
            cure="The download was cut off: get the file again." if cut else _AGAIN,
        ) from error
    if not rows:
        raise SourceFormatError("the file is empty", where=name, cure=_AGAIN)
    return rows
