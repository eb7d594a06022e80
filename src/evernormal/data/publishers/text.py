"""User files are hostile until parsed: what a text file must be before anything in it is believed."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evernormal.errors import SourceFormatError

__all__ = [
    "Problems",
    "csv_fault",
    "decode",
    "place_of_byte",
    "read_rows",
    "refuse_json",
    "refuse_non_text",
    "refuse_other_tables",
    "refuse_spoiled",
    "require_header",
    "spoiled",
    "without_end",
]

_SHOWN = 10
_AGAIN = "Download it again."
_MAGIC = {
    b"PK\x03\x04": "a zip file or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<table", b"<?xml", b"<title")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ERRORS = frozenset(
    [
        "#N/A",
        "#N/D",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
    ]
)


@dataclass
class Problems:
    """Every fault of one file, so that all are told at once."""

    file: str
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, row: int, column: str, text: str) -> None:
        """Note a fault; ``row`` counts lines of data from 2, as a spreadsheet shows them."""
        self.found.append((row, column, text))

    def raise_if_any(self, cure: str = "Correct the file and add it again; nothing was stored.") -> None:
        """Raise one error that names file, row and column of the first faults, and how many there are."""
        if not self.found:
            return
        faults = sorted(self.found)
        shown = "; ".join(f"row {row}, column {column}: {text}" for row, column, text in faults[:_SHOWN])
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        if any(unicodedata.east_asian_width(c) == "F" and c.isdigit() for c in shown):
            cure = f"Type digits as 0-9: these are full-width. {cure}"
        raise SourceFormatError(f"{shown}{more}", where=self.file, cure=cure)


def refuse_non_text(head: bytes, name: str) -> None:
    """Raise when the first bytes show that the file is empty, a web page or no text at all."""
    if not head.strip():
        raise SourceFormatError("the file is empty", where=name, cure=_AGAIN)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise SourceFormatError(
                f"this is {kind}, expected CSV", where=name, cure="Save it as CSV (UTF-8)."
            )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<") and any(mark in start for mark in _MARKUP):
        raise SourceFormatError(
            "this is a web page saved under the name of a table",
            where=name,
            cure="The download failed or needs a login: open the address in a browser, save the file itself.",
        )
    if head.startswith(_UTF16) or _alternates(head):
        raise SourceFormatError(
            "this is UTF-16 text, which Excel calls Unicode text; expected UTF-8",
            where=name,
            cure="Save it as 'CSV UTF-8 (comma delimited)'.",
        )
    if b"\x00" in head:
        row = head.count(b"\n", 0, head.index(0)) + 1
        raise SourceFormatError(
            f"row {row} has zero bytes: this is no text",
            where=name,
            cure="Download it again, or save it as CSV (UTF-8).",
        )


def _alternates(head: bytes) -> bool:
    """Whether every other byte is zero, as in UTF-16 without its mark."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    return max(even, odd) > max(0.1 * len(head), 5 * min(even, odd))


def refuse_json(text: str, name: str) -> None:
    """Raise when a text that should be CSV is JSON: it shows what a service answered."""
    first = text[:4096].lstrip("\ufeff \t\r\n").partition("\n")[0].strip()
    if first.startswith(("{", "[")):
        raise SourceFormatError(
            f"this is JSON, expected CSV; it begins {first[:120]}",
            where=name,
            cure="An answer like this often tells why a download failed: get the file itself.",
        )


def refuse_other_tables(text: str, name: str) -> None:
    """Raise when a text that should be CSV is JSON, or has its cells divided by semicolons or tabs."""
    refuse_json(text, name)
    first = text.lstrip("\ufeff \t\r\n").partition("\n")[0].strip()
    other = max(";\t", key=first.count)
    if "," not in first and other in first:
        shown = "semicolons" if other == ";" else "tabs"
        raise SourceFormatError(
            f"cells are separated by {shown}, expected commas",
            where=name,
            cure="A spreadsheet has saved it in another form: take the publisher's own file, or save it as"
            " 'CSV UTF-8 (comma delimited)' with decimal points.",
        )


def spoiled(cell: str) -> str | None:
    """Return what is wrong with a cell that a spreadsheet spoiled: an error value or a formula.

    >>> spoiled("#N/A"), spoiled("=A1*2"), spoiled("12")
    ("'#N/A' is an error of a spreadsheet's formula", "'=A1*2' is a formula, expected its value", None)
    """
    if cell[:1] not in ("#", "="):
        return None
    text = cell.strip()
    if text.upper() in _ERRORS:
        return f"{text!r} is an error of a spreadsheet's formula"
    return f"{text[:40]!r} is a formula, expected its value" if text.startswith("=") and text != "=" else None


def refuse_spoiled(rows: Iterable[tuple[int, Sequence[str]]], header: Sequence[str], name: str) -> None:
    """Raise when a cell of any column is an error value or a formula of a spreadsheet."""
    problems = Problems(name)
    for number, cells in rows:
        for at, cell in enumerate(cells):
            if cell[:1] in ("#", "=") and (fault := spoiled(cell)):
                problems.add(number, header[at] if at < len(header) else str(at + 1), fault)
    problems.raise_if_any("Write the value, or nothing where it is not known, and add the file again.")


def csv_fault(error: csv.Error) -> str:
    """Return in plain words what the reader of CSV found.

    >>> csv_fault(csv.Error("unexpected end of data"))
    'the file ends inside a quoted cell: it was cut off, or a quote is missing'
    """
    text = str(error)
    if "unexpected end" in text:
        return "the file ends inside a quoted cell: it was cut off, or a quote is missing"
    if "field larger" in text:
        return f"a cell has more than {csv.field_size_limit():,} characters, as no table has"
    if "expected after" in text:
        return "a quoted cell goes on after its quote: a quote is missing, or one inside it is not doubled"
    return text


def place_of_byte(content: bytes, at: int) -> tuple[int, str]:
    """Return the row of a byte, and the name of its column as far as the header tells it."""
    row = content.count(b"\n", 0, at) + 1
    start = content.rfind(b"\n", 0, at) + 1
    header = content[: content.find(b"\n") + 1 or len(content)].decode("utf-8-sig", errors="replace")
    before = content[start : min(at, start + 100_000)].decode("ascii", errors="replace")
    try:
        names = next(csv.reader([header]), [])
        place = len(next(csv.reader([before + "x"]), [""])) - 1
    except csv.Error:
        return row, "?"
    known = row > 1 and place < len(names) and names[place].strip()
    return row, names[place].strip() if known else str(place + 1)


def decode(content: bytes, name: str) -> str:
    """Return the text of a UTF-8 file; otherwise name row, column and the likely encoding."""
    refuse_non_text(content[:4096], name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row, column = place_of_byte(content, error.start)
        likely = next(
            (codec for codec in ("cp949", "cp1252") if _reads_as(content, codec)), "another encoding"
        )
        raise SourceFormatError(
            f"row {row}, column {column} is not UTF-8 (it reads as {likely})",
            where=name,
            cure="Save the file as CSV UTF-8 and try again.",
        ) from error


def without_end(path: Path) -> bool:
    """Say whether a text file of rows lacks the end of its last line, as a cut-off download does."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        stream.seek(max(0, stream.seek(0, 2) - 1))
        last = stream.read(1)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    packed = head.startswith(tuple(_MAGIC)) or head.startswith(_UTF16)
    return bool(start) and not packed and not start.startswith((b"{", b"[", b"<")) and last not in b"\r\n"


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a small CSV file as text; raise unless the header has exactly ``columns``."""
    text = decode(path.read_bytes(), path.name)
    refuse_other_tables(text, path.name)
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [cell.strip() for cell in next(reader)]
        require_header(header, columns, path.name)
        rows = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise SourceFormatError(
                    f"row {reader.line_num} has {len(cells)} cells, the header has {len(header)}",
                    where=path.name,
                    cure="Quote a cell that has a comma; a file that was cut off ends like this too.",
                )
            rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise SourceFormatError(
            f"row {reader.line_num}: {csv_fault(error)}", where=path.name, cure=_AGAIN
        ) from error
    if not rows:
        raise SourceFormatError(
            "the file has a header and no rows", where=path.name, cure="Give a file with rows."
        )
    refuse_spoiled(rows, header, path.name)
    return [dict(zip(header, cells, strict=True)) for _, cells in rows]


def require_header(header: Sequence[str], columns: Iterable[str], name: str) -> None:
    """Raise unless the header has every column once."""
    missing = [column for column in columns if column not in header]
    if missing:
        refuse_other_tables(",".join(header) if len(header) > 1 else "".join(header), name)
        shown = ", ".join(header)
        raise SourceFormatError(
            f"column {', '.join(missing)} is missing; the header has {shown[:600]}",
            where=name,
            cure="Give the file as the publisher ships it.",
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise SourceFormatError(
            f"column {', '.join(twice)} is there twice", where=name, cure="Leave one of them out."
        )


def _reads_as(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
