"""Input-output tables in workbooks: WIOD's national tables and the Bank of Korea's (산업연관표)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.input_output_cells import IMPORTED, Accounts
from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.workbook import Sheet, column_letter, read_sheets
from evernormal.errors import InputError, SourceFormatError

__all__ = ["read_workbook"]

Floats = NDArray[np.float64]

_NATIONAL = "National IO-tables"
_LARGEST = (4_000, 700)
_UNITS = {"천원": "thousand KRW", "백만원": "million KRW", "십억원": "billion KRW", "억원": "", "원": "KRW"}
_KOREAN = {"국산": "domestic", "수입": "imported", "총": "total"}
_CODE = re.compile(r"[A-Z]{0,2}\d{0,4}|[A-Z]")


def read_workbook(path: Path, asked: Asked) -> Sequence[Accounts]:
    """Return the accounts of a workbook.

    Raises:
        SourceFormatError: no sheet of either publisher; every faulty cell is named by sheet and cell.
    """
    sheets = read_sheets(path, replace(asked.limits, ratio=max(asked.limits.ratio, 200.0)), largest=_LARGEST)
    national = [sheet for sheet in sheets if sheet.name == _NATIONAL]
    if national:
        return _wiod(national[0], path, asked)
    kinds = {kind: sheet for sheet in sheets if (kind := _korean_kind(sheet))}
    if "domestic" in kinds and ("imported" in kinds or "total" in kinds):
        return [_korean(kinds, path)]
    if kinds:
        raise SourceFormatError(
            f"the workbook has the table of {', '.join(sorted(kinds))} transactions only",
            where=path.name,
            cure="Put the sheets 국산거래표 and 수입거래표 (or 총거래표) of one year into one workbook.",
        )
    raise SourceFormatError(
        f"no sheet {_NATIONAL!r} (WIOD) and none of 총거래표, 국산거래표, 수입거래표 (Bank of Korea)",
        where=path.name,
        cure="Give the publisher's workbook.",
    )


# WIOD ---------------------------------------------------------------------------------------------


def _wiod(sheet: Sheet, path: Path, asked: Asked) -> list[Accounts]:
    found = re.match(r"([A-Za-z]{3})_NIOT", path.stem)
    region = found[1].upper() if found else (asked.codes or ("",))[0]
    if region not in aliases("iso3"):
        raise InputError(
            "the country is not in the file's name", where=path.name, cure="Name it like KOR_NIOT_nov16.xlsx."
        )
    top = next((r for r in range(1, 8) if sheet.text(r, 1) == "Year" and sheet.text(r, 2) == "Code"), None)
    if top is None:
        raise SourceFormatError(
            "no header Year, Code, Description, Origin", where=f"{path.name} sheet {sheet.name!r}"
        )
    heads = {c: sheet.text(top, c) for c in range(5, len(sheet.rows[top - 1]) + 1) if sheet.text(top, c)}
    problems = Problems(path.name)
    by_year: dict[int, dict[tuple[str, str], int]] = {}
    names: dict[str, str] = {}
    for r in range(top + 1, len(sheet.rows) + 1):
        if re.fullmatch(r"\d{4}", sheet.text(r, 1)):
            code = sheet.text(r, 2)
            by_year.setdefault(int(sheet.text(r, 1)), {})[code, sheet.text(r, 4)] = r
            names.setdefault(code, sheet.text(r, 3))
    found_years = [
        _wiod_year(sheet, region, year, rows, heads, names, problems)
        for year, rows in sorted(by_year.items())
    ]
    problems.raise_if_any()
    if not found_years:
        raise SourceFormatError("the sheet has no rows of a year", where=f"{path.name} sheet {sheet.name!r}")
    return [accounts for accounts in found_years if accounts is not None]


def _wiod_year(
    sheet: Sheet,
    region: str,
    year: int,
    rows: dict[tuple[str, str], int],
    heads: dict[int, str],
    names: dict[str, str],
    problems: Problems,
) -> Accounts | None:
    sectors = [code for code, origin in rows if origin == "Domestic"]
    column = {head: c for c, head in heads.items()}
    missing = [s for s in sectors if s not in column or (s, "Imports") not in rows]
    missing += [code for code in ("VA", "GO") if (code, "TOT") not in rows]
    if missing:
        problems.add(
            next(iter(rows.values())), "Code", f"{year}: {', '.join(missing)} has no row or no column"
        )
        return None
    columns = [column[s] for s in sectors]
    uses = [h for h in heads.values() if h not in sectors and h not in ("GO", "TOT")]

    def block(origin: str, wanted: list[int]) -> Floats:
        return _block(sheet, [rows[s, origin] for s in sectors], wanted, problems)

    def bottom(code: str) -> Floats:
        return (
            _block(sheet, [rows[code, "TOT"]], columns, problems)[0]
            if (code, "TOT") in rows
            else np.zeros(len(sectors))
        )

    taxes = sum(
        (bottom(code) for code in ("TXSP", "EXP_adj", "PURR", "PURNR", "IntTTM")), np.zeros(len(sectors))
    )
    bottoms = {"value added": rows["VA", "TOT"], "output": rows["GO", "TOT"]}
    return Accounts(
        region, year, "million USD", "wiod2016", tuple(sectors), names, block("Domestic", columns),
        {IMPORTED: block("Imports", columns)}, block("Domestic", [column[u] for u in uses]),
        tuple("exports" if u == "EXP" else u for u in uses), {}, bottom("VA"), taxes, bottom("GO"),
        lambda row, col, origin="": (
            bottoms.get(row, rows.get((row, "Domestic"), 0)),
            column_letter(column.get(col, column.get("GO", 1))),
        ),
    )  # fmt: skip


# Bank of Korea ------------------------------------------------------------------------------------


def _korean_kind(sheet: Sheet) -> str:
    """Say which table of transactions a sheet is, by its title or its first rows."""
    words = sheet.name + " " + " ".join(sheet.text(r, c) for r in range(1, 6) for c in range(1, 5))
    bare = words.replace(" ", "")
    return next((kind for word, kind in _KOREAN.items() if f"{word}거래표" in bare), "")


def _korean(kinds: dict[str, Sheet], path: Path) -> Accounts:
    problems = Problems(path.name)
    tables = {kind: _KoreanSheet(sheet, path) for kind, sheet in kinds.items()}
    home = tables["domestic"]
    for kind, table in tables.items():
        if table.sectors != home.sectors:
            differ = sorted(set(table.sectors) ^ set(home.sectors))
            raise SourceFormatError(
                f"the tables list different sectors: {', '.join(differ[:5]) or 'another order'}",
                where=f"{path.name} sheets {home.sheet.name!r} and {table.sheet.name!r} ({kind})",
            )
    domestic = home.square(problems)
    other = tables["imported"] if "imported" in tables else tables["total"]
    imported = other.square(problems) - (0.0 if "imported" in tables else domestic)
    uses, final = home.finals(problems)
    added, output = home.bottom(("부가가치계",), problems), home.bottom(("총투입계", "총투입액"), problems)
    taxes = home.bottom(("순생산물세", "생산물세(보조금공제)"), problems, needed=False)
    problems.raise_if_any()
    year, unit = home.year(path), home.unit(path)
    return Accounts(
        "KOR", year, unit, "bok", home.sectors, home.names, domestic, {IMPORTED: imported}, final, uses, {},
        added, taxes, output, home.place, home.blanks,
    )  # fmt: skip


class _KoreanSheet:
    """One table of transactions: where its sectors, final uses and bottom rows stand."""

    def __init__(self, sheet: Sheet, path: Path) -> None:
        self.sheet = sheet
        self.where = f"{path.name} sheet {sheet.name!r}"
        self.blanks = 0
        self._columns, self._rows = self._find()
        self.sectors = tuple(self._rows)
        self.names = {code: self._name(code) for code in self.sectors}
        missing = sorted(set(self._columns) ^ set(self._rows))
        if missing:
            side = "row and no column" if missing[0] in self._rows else "column and no row"
            raise SourceFormatError(f"sector {', '.join(missing[:5])} has a {side}", where=self.where)
        self._last_row, self._last_column = max(self._rows.values()), max(self._columns.values())

    def _find(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return sector to column and sector to row; codes stand in one row and in one column."""
        sheet = self.sheet
        width = max(len(row) for row in sheet.rows)
        for r in range(1, min(len(sheet.rows), 15) + 1):
            codes: dict[str, int] = {}
            for c in range(2, width + 1):
                text = sheet.text(r, c)
                if codes and not text:
                    break
                if text and (not _CODE.fullmatch(text) or self._is_sum(r, c)):
                    break
                if text:
                    codes[text] = c
            if len(codes) < 2:
                continue
            first = min(codes.values())
            for c in range(1, first):
                rows = {
                    sheet.text(k, c): k
                    for k in range(r + 1, len(sheet.rows) + 1)
                    if sheet.text(k, c) in codes
                }
                if len(rows) >= 2:
                    extra = self._unmatched(r, c, codes)
                    return codes, {**rows, **extra}
        raise SourceFormatError(
            "no block of sector codes was found in rows and columns",
            where=self.where,
            cure="Give the transactions table as the Bank of Korea ships it.",
        )

    def _is_sum(self, row: int, column: int) -> bool:
        """Whether a column with a code of its own is a sum or a final use."""
        names = [self.sheet.text(row + k, column).replace(" ", "") for k in (-1, 1)]
        return any(
            re.search(r"수요계|소계|지출|자본형성|재고|귀중품|수출|총산출|공급계", name) for name in names
        )

    def _unmatched(self, top: int, column: int, codes: dict[str, int]) -> dict[str, int]:
        """Return rows inside the block whose code no column has."""
        sheet = self.sheet
        found = {}
        for k in range(top + 1, len(sheet.rows) + 1):
            text = sheet.text(k, column)
            if self._label(k) in ("중간투입계", "국산중간투입계", "수입중간투입계"):
                break
            if text and _CODE.fullmatch(text) and text not in codes:
                found[text] = k
        return found

    def _label(self, row: int) -> str:
        texts = [self.sheet.text(row, c) for c in range(1, min(self.sheet_first(), 5))]
        return next(
            (
                t.replace(" ", "").replace("국산품", "국산").replace("수입품", "수입")
                for t in texts
                if re.search("[가-힣]", t)
            ),
            "",
        )

    def sheet_first(self) -> int:
        """Column in which numbers begin."""
        return min(self._columns.values()) if hasattr(self, "_columns") else 3

    def _name(self, code: str) -> str:
        return self._label(self._rows[code])

    def square(self, problems: Problems) -> Floats:
        """(n, n) deliveries between sectors."""
        columns = [self._columns[s] for s in self.sectors]
        return self._cells([self._rows[s] for s in self.sectors], columns, problems)

    def _cells(self, rows: list[int], columns: list[int], problems: Problems) -> Floats:
        self.blanks += sum(self.sheet.at(r, c) in (None, "") for r in rows for c in columns)
        return _block(self.sheet, rows, columns, problems)

    def finals(self, problems: Problems) -> tuple[tuple[str, ...], Floats]:
        """Return the final uses and what sectors deliver to them; sums and subtractions are left out."""
        found: dict[str, int] = {}
        for c in range(self._last_column + 1, max(len(row) for row in self.sheet.rows) + 1):
            for r in range(1, min(self._rows.values())):
                text = self.sheet.text(r, c).replace(" ", "")
                if re.search("[가-힣]", text) and not re.search(r"계$|총산출|총수요|공제|총공급", text):
                    found[text] = c
        if not found:
            raise SourceFormatError(
                "no column of final use (민간소비지출, 수출 ...) was found", where=self.where
            )
        rows = [self._rows[s] for s in self.sectors]
        uses = tuple("exports" if name == "수출" else name for name in found)
        return uses, self._cells(rows, list(found.values()), problems)

    def bottom(self, labels: tuple[str, ...], problems: Problems, *, needed: bool = True) -> Floats:
        """(n,) row below the sectors that has one of the labels."""
        columns = [self._columns[s] for s in self.sectors]
        for r in range(self._last_row + 1, len(self.sheet.rows) + 1):
            if self._label(r) in labels:
                return np.asarray(self._cells([r], columns, problems)[0])
        if needed:
            raise SourceFormatError(f"the row {labels[0]} is missing", where=self.where)
        return np.zeros(len(columns))

    def place(self, row: str, column: str, origin: str = "") -> tuple[int, str]:
        """Name a cell by row and column letters."""
        wanted = {"value added": ("부가가치계",), "output": ("총투입계", "총투입액")}.get(row, ())
        r = next(
            (k for k in range(self._last_row + 1, len(self.sheet.rows) + 1) if self._label(k) in wanted), 0
        )
        r = self._rows.get(row, r)
        return (
            r,
            f"{column_letter(self._columns.get(column, self._last_column + 1))} of sheet {self.sheet.name!r}",
        )

    def _top(self) -> str:
        height = min(self._rows.values())
        width = max(len(row) for row in self.sheet.rows)
        return " ".join(self.sheet.text(r, c) for r in range(1, height) for c in range(1, width + 1))

    def year(self, path: Path) -> int:
        """Calendar year in the title, the sheet's name or the file's name."""
        for text in (self._top(), self.sheet.name, path.stem):
            found = re.findall(r"(?<!\d)(19[6-9]\d|20[0-4]\d)(?!\d)", text)
            if found:
                return int(found[0])
        raise InputError(
            "the year of the table is not told", where=self.where, cure="Put it into the file's name."
        )

    def unit(self, path: Path) -> str:
        """Currency and size, from the words that follow 단위."""
        found = re.search(r"단위[:：)]?\s*(천|백만|십억|억)?\s*원", self._top())
        unit = _UNITS.get(f"{found[1] or ''}원", "") if found else ""
        if not unit:
            said = f"the unit {found[0]!r} is not read" if found else "no unit (단위: 백만원) is told"
            raise SourceFormatError(
                said, where=self.where, cure="Write 단위: 백만원 or 십억원 above the table."
            )
        return unit


def _block(sheet: Sheet, rows: list[int], columns: list[int], problems: Problems) -> Floats:
    """Return cells as numbers, an empty one as zero; every other cell that holds none is named."""
    out = np.zeros((len(rows), len(columns)))
    for a, r in enumerate(rows):
        for b, c in enumerate(columns):
            value = sheet.at(r, c)
            if isinstance(value, str):
                bare = value.strip().replace(",", "")
                if not bare or bare == "-":
                    continue
                try:
                    value = float(bare)
                except ValueError:
                    said = "a formula" if (r, c) in sheet.formulas else repr(value[:40])
                    problems.add(r, f"{column_letter(c)} of sheet {sheet.name!r}", f"{said} is no number")
                    continue
            if value is not None:
                out[a, b] = float(value)
    return out
