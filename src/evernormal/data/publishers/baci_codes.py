"""The two side tables of a BACI release: its own lists of countries and of products, to check codes with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.geography import aliases, countries
from evernormal.data.publishers.archive import Limits, csv_members, read_member
from evernormal.data.publishers.text import Problems
from evernormal.result import Finding

__all__ = ["CodeTables", "code_tables"]

_COUNTRIES = re.compile(r"country_codes", re.IGNORECASE)
_PRODUCTS = re.compile(r"product_codes", re.IGNORECASE)
_CODES = 1_000_000
_SHOWN = 200


@dataclass(frozen=True)
class CodeTables:
    """What the publisher says its codes are.

    Attributes:
        file: name of the list of products.
        products: whether each six-digit number is a product; None when the archive has no list.
        findings: countries that the publisher's list and our alias table name differently.
    """

    file: str = ""
    products: npt.NDArray[np.bool_] | None = None
    findings: tuple[Finding, ...] = ()

    def require_known(self, rows: pl.DataFrame, first_row: int, name: str, wanted: list[int] | None) -> None:
        """Raise when a row that is kept has a code that the publisher's list of products lacks.

        Raises:
            SourceFormatError: names the first rows.
        """
        if self.products is None or rows.is_empty():
            return
        unknown = ~self.products[rows["code"].to_numpy()]
        if not unknown.any():
            return
        found = rows.with_row_index("row", first_row).filter(pl.Series(unknown))
        if wanted is not None:
            found = found.filter(pl.col("code").is_in(wanted))
        problems = Problems(name)
        for row, code in found.select("row", "code").head(_SHOWN).iter_rows():
            problems.add(row, "k", f"'{code:06d}' is no code of {self.file}")
        problems.raise_if_any(
            "Is the file of another revision? Keep the codes that you need with --code, or correct the file; "
            "nothing was stored."
        )


def code_tables(path: Path, limits: Limits) -> CodeTables:
    """Return the side tables of a zip file; empty where it has none.

    Raises:
        SourceFormatError: the archive is damaged.
    """
    members = csv_members(path, limits)
    file, products, notes = "", None, list[Finding]()
    for name in members:
        if _PRODUCTS.search(Path(name).name):
            codes = set(_product_codes(_rows(read_member(path, name, limits))))
            if codes:
                file, products = Path(name).name, np.zeros(_CODES, dtype=np.bool_)
                products[sorted(codes)] = True
        elif _COUNTRIES.search(Path(name).name):
            notes += _country_notes(_rows(read_member(path, name, limits)), Path(name).name)
    return CodeTables(file, products, tuple(notes))


def _rows(content: bytes) -> Iterator[list[str]]:
    """Yield rows as text; names of older releases are in another encoding, codes are plain."""
    text = content.decode("utf-8-sig", errors="replace")
    return csv.reader(io.StringIO(text, newline=""))


def _product_codes(rows: Iterable[list[str]]) -> Iterator[int]:
    for row in rows:
        code = row[0].strip() if row else ""
        if code.isascii() and code.isdigit() and len(code) <= 6:
            yield int(code)


def _country_notes(rows: Iterator[list[str]], name: str) -> Iterator[Finding]:
    """Yield a finding when the list gives an ISO code that is another country's in our alias table."""
    header = [cell.strip().lower() for cell in next(rows, [])]
    column = next((n for n, cell in enumerate(header) if "iso3" in cell or "iso_3" in cell), None)
    if column is None:
        return
    ours, known = aliases("baci"), set(countries()["iso3"].to_list())
    apart = {}
    for row in rows:
        if len(row) <= column:
            continue
        code, iso3 = row[0].strip(), row[column].strip()
        if iso3 in known and code in ours and ours[code] != iso3:
            apart[code] = (iso3, ours[code])
    if apart:
        shown = ", ".join(f"{code} is {theirs} there, {our} here" for code, (theirs, our) in apart.items())
        text = f"{name} and our table of countries differ: {shown}."
        yield Finding("country-code-differs", "caution", text, {"codes": sorted(apart)})
