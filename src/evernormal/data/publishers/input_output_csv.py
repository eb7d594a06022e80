"""Input-output tables as their publishers ship them, told apart by what is in the file.

OECD's inter-country tables (CSV), WIOD's national tables (workbook) and world table (CSV), the Bank of
Korea's workbook, a zip file of the parts of one national table, and a table of your own as CSV with the
columns of the kind.  Of a world table only the countries that are asked for are kept: their own deliveries,
what they buy from every other country, and what they export.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.archive import is_zip
from evernormal.data.publishers.input_output_cells import (
    Accounts,
    account_findings,
    check_accounts,
    rows_of,
)
from evernormal.data.publishers.input_output_world import read_icio, read_wiod_world
from evernormal.data.publishers.text import Problems, decode, refuse_non_text
from evernormal.errors import SourceFormatError
from evernormal.result import Finding

__all__ = ["reading"]

_PUBLISHERS = {
    "icio": "OECD, Inter-Country Input-Output tables",
    "wiod2013": "WIOD, release of 2013",
    "wiod2016": "WIOD, release of 2016",
    "bok": "Bank of Korea, input-output tables (산업연관표)",
    "own": "input-output table",
}
_LAYOUTS = (
    "expected OECD ICIO (first column of labels like KOR_C26), WIOD (IndustryCode, Country, RNr ...; or the"
    " sheet 'National IO-tables'), the Bank of Korea's 국산거래표 and 수입거래표, or a CSV with the columns"
    " of the kind input_output"
)


def reading(path: Path, asked: Asked) -> Reading:
    """Return the rows of a file, after its accounts were checked.

    Raises:
        SourceFormatError: names file, row and column of every fault: no number, a delivery below zero, a
            sector that delivers and does not use (or the reverse), sums that miss the output by more than
            a hundredth, a unit that makes the economy too small or too large.
        InputError: the file does not tell when it was knowable, and ``as_of`` was not given.
    """
    asked.progress(path.name)
    found = _read(path, asked)
    problems = Problems(path.name)
    for accounts in found:
        check_accounts(accounts, problems)
    problems.raise_if_any()
    known = require_day(asked, None, path)
    first = found[0]
    title = f"{_PUBLISHERS.get(first.classification, _PUBLISHERS['own'])}, {path.name}"
    table = pl.concat([rows_of(accounts, title, known) for accounts in found])
    findings: list[Finding] = [f for accounts in found for f in account_findings(accounts)]
    regions = sorted({accounts.region for accounts in found})
    stem = re.sub(r"[^a-z0-9]+", "-", f"io-{first.classification}-{'-'.join(regions)}".lower())
    return Reading(table, stem[:61].rstrip("-"), title, known, findings=tuple(findings))


def _read(path: Path, asked: Asked) -> Sequence[Accounts]:
    if is_zip(path):
        import zipfile  # noqa: PLC0415

        with zipfile.ZipFile(path) as archive:
            names = [info.filename.lower() for info in archive.infolist()]
        if any(name.endswith("workbook.xml") for name in names):
            from evernormal.data.publishers.input_output_workbook import read_workbook  # noqa: PLC0415

            return read_workbook(path, asked)
        from evernormal.data.publishers.input_output_parts import read_parts  # noqa: PLC0415

        return read_parts(path, asked)
    with path.open("rb") as stream:
        head = stream.read(65_536)
    refuse_non_text(head[:4096], path.name)
    header = decode(head[: head.find(b"\n") + 1] or head, path.name).strip().split(",")
    cells = [cell.strip().strip('"') for cell in header]
    if {"block", "row", "column", "value"} <= set(cells):
        from evernormal.data.publishers.input_output_parts import read_long  # noqa: PLC0415

        return read_long(path)
    if cells[:3] == ["IndustryCode", "IndustryDescription", "Country"]:
        return read_wiod_world(path, asked)
    if sum(bool(re.fullmatch(r"[A-Z0-9]{3}_[A-Z0-9]+", cell)) for cell in cells) > len(cells) / 2:
        return read_icio(path, asked)
    raise SourceFormatError(
        "this is no input-output table that is known here",
        where=path.name,
        cure=f"Give the publisher's file: {_LAYOUTS}.",
    )
