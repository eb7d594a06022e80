"""A copy of a firm's workbook in which every faulty cell is coloured and says what would be right.

What could act when the copy is opened is made plain text: formulas are written as the text that they are, and
a text that begins like a formula is marked as text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.firm_workbook import Fault, faults_of
from evernormal.data.publishers.workbook import open_book, require_size
from evernormal.errors import InputError
from evernormal.result import Finding, Input, Lineage, Result, sha256_of
from evernormal.storage import written

__all__ = ["mark_faults"]

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def mark_faults(path: str | Path, out: str | Path, *, limits: Limits | None = None) -> Result:
    """Write a copy of a firm's workbook with every faulty cell coloured and commented, all or nothing.

    Args:
        path: the workbook that the firm filled in.
        out: where the copy goes (.xlsx); not the workbook itself.
        limits: what the zip file inside it may hold.

    Returns:
        Result ``firm-faults`` with table ``faults``: sheet, cell, heading, what, cure.

    Raises:
        SourceFormatError: the workbook is not safe to open, or is another one.
        InputError: there is no such file, or ``out`` is the workbook itself or does not end in .xlsx.
        StorageError: the copy cannot be written.
    """
    source, target = Path(path), Path(out)
    if not source.is_file():
        raise InputError("there is no such file", where=str(source), cure="Give the path of the workbook.")
    if target.suffix.lower() != ".xlsx" or target.resolve() == source.resolve():
        raise InputError(
            f"{target.name} cannot be the marked copy",
            where="out",
            cure="Give another file that ends in .xlsx.",
        )
    faults = faults_of(source, limits)
    book = open_book(source, limits or Limits())
    _disarm(book, source.name)
    _mark(book, faults)

    def write(folder: Path) -> Path:
        book.save(folder / target.name)
        return folder / target.name

    written(target.parent, {target.name: write})
    return _told(source, target, faults)


def _disarm(book: Any, name: str) -> None:
    """Make every formula, link and text that begins like a formula plain text."""
    for sheet in book.worksheets:
        require_size(sheet, name)
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.hyperlink is not None:
                    cell.hyperlink = None
                text = getattr(cell.value, "text", cell.value)
                if cell.data_type == "f" or (isinstance(text, str) and text.startswith(_ACTIVE)):
                    cell.value = str(text)
                    cell.data_type = "s"
                    cell.quotePrefix = True
    for defined in list(book.defined_names):
        del book.defined_names[defined]


def _mark(book: Any, faults: list[Fault]) -> None:
    from openpyxl.cell.cell import MergedCell  # noqa: PLC0415 - an extra
    from openpyxl.comments import Comment  # noqa: PLC0415
    from openpyxl.styles import PatternFill  # noqa: PLC0415

    fill = PatternFill("solid", start_color="FFC7CE")
    told: dict[tuple[str, str], list[str]] = {}
    for fault in faults:
        told.setdefault((fault.sheet, fault.cell), []).append(f"{fault.what}: {fault.cure}")
    for (sheet, place), texts in told.items():
        cell = book[sheet][place]
        if isinstance(cell, MergedCell):
            continue
        cell.fill = fill
        comment = Comment("\n".join(texts)[:2000], "evernormal")
        comment.width, comment.height = 320, 120
        cell.comment = comment


def _told(source: Path, target: Path, faults: list[Fault]) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    columns = ("sheet", "cell", "heading", "what", "cure")
    table = pl.DataFrame(
        [[getattr(fault, name) for name in columns] for fault in faults],
        schema=dict.fromkeys(columns, pl.String()),
        orient="row",
    )
    pinned = Input(source.name, sha256_of(source), "the firm's own workbook")
    found = f"{len(faults)} cells are marked" if faults else "no cell is faulty"
    finding = Finding("cells-marked", "info", f"{found} in {target.name}.", {"cells": len(faults)})
    return Result("firm-faults", {"faults": table}, {}, Lineage(__version__, (pinned,)), (finding,))
