"""User files are hostile until parsed: what a text file must be before anything in it is believed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evernormal.errors import SourceFormatError

__all__ = ["Problems", "decode", "read_rows", "refuse_non_text"]

_SHOWN = 10
_MAGIC = {
    b"PK\x03\x04": "a zip file or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
}


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
        raise SourceFormatError(f"{shown}{more}", where=self.file, cure=cure)


def refuse_non_text(head: bytes, name: str) -> None:
    """Raise when the first bytes show that the file is empty, a web page or no text at all."""
    if not head.strip():
        raise SourceFormatError("the file is empty", where=name, cure="Download it again.")
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise SourceFormatError(
                f"this is {kind}, expected CSV", where=name, cure="Save it as CSV (UTF-8)."
            )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        raise SourceFormatError(
            "this is a web page saved under the name of a table",
            where=name,
            cure="The download failed or needs a login: open the address in a browser, save the file itself.",
        )
    if b"\x00" in head:
        raise SourceFormatError(
            "this is no UTF-8 text (it has zero bytes)", where=name, cure="Save it as CSV (UTF-8)."
        )


def decode(content: bytes, name: str) -> str:
    """Return the text of a UTF-8 file; otherwise name the row and the likely encoding."""
    refuse_non_text(content[:4096], name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        likely = next(
            (codec for codec in ("cp949", "cp1252") if _reads_as(content, codec)), "another encoding"
        )
        raise SourceFormatError(
            f"row {row} is not UTF-8 (it reads as {likely})",
            where=name,
            cure="Save the file as CSV UTF-8 and try again.",
        ) from error


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a small CSV file as text; raise unless the header has exactly ``columns``."""
    text = decode(path.read_bytes(), path.name)
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
                )
            rows.append(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise SourceFormatError(f"row {reader.line_num}: {error}", where=path.name) from error
    if not rows:
        raise SourceFormatError("the file has a header and no rows", where=path.name)
    return rows


def require_header(header: Sequence[str], columns: Iterable[str], name: str) -> None:
    """Raise unless the header has every column once."""
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceFormatError(
            f"column {', '.join(missing)} is missing; the header has {', '.join(header)}",
            where=name,
            cure="Give the file as the publisher ships it.",
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise SourceFormatError(f"column {', '.join(twice)} is there twice", where=name)


def _reads_as(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
