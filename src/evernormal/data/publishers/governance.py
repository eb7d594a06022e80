"""Worldwide Governance Indicators, as the wheel packs them: seven tables, a row per country, a column per
year.

Two editions are packed together.  Up to 2022 the table ``Rank`` is a percentile rank; from 2023 it is a
score, an exact linear function of the estimate, so it is stored under another name.  ``Normalized`` is the
packer's (2.5 - estimate) / 5, cut to 0..1 (equation E10), and holds 0 where there is no estimate: those
cells become unknown.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.geography import country
from evernormal.data.publishers.corrections import Correction, corrections
from evernormal.data.publishers.sqlite import column_names, open_database, quoted, require
from evernormal.data.schema import stored_columns
from evernormal.errors import SourceFormatError

__all__ = ["DIMENSION", "FIRST_YEAR_OF_SCORES", "INDICATORS", "normalized", "read_governance"]

DIMENSION = "political stability"
FIRST_YEAR_OF_SCORES = 2023

_TABLES = {
    "Estimate": "estimate",
    "StdErr": "standard_error",
    "NumSrc": "source_count",
    "Rank": "percentile_rank",
    "Lower": "percentile_rank_lower",
    "Upper": "percentile_rank_upper",
    "Normalized": "normalized",
}
_SCORES = {
    "percentile_rank": "score",
    "percentile_rank_lower": "score_lower",
    "percentile_rank_upper": "score_upper",
}
_UNITS = {
    "estimate": "standard normal units",
    "standard_error": "standard normal units",
    "source_count": "count",
    "percentile_rank": "percent",
    "percentile_rank_lower": "percent",
    "percentile_rank_upper": "percent",
    "score": "points of 100",
    "score_lower": "points of 100",
    "score_upper": "points of 100",
    "normalized": "fraction",
}
INDICATORS = tuple(_UNITS)
_MISSING = {None, "", "nan", "None"}


def normalized(estimate: float) -> float:
    """Return governance risk 0 (best) to 1 (worst) from an estimate, equation E10.

    >>> round(normalized(0.5624), 5), normalized(-3.3), normalized(2.6)
    (0.38752, 1.0, 0.0)
    """
    return min(1.0, max(0.0, (2.5 - estimate) / 5))


def read_governance(path: Path) -> pl.DataFrame:
    """Return the governance table as stored: year, country, dimension, indicator, value, unit, basis.

    Raises:
        SourceFormatError: a table is missing, the tables list other countries, or a cell is no number.
        UnknownNameError: a country code that the alias table lacks.
    """
    with open_database(path) as connection:
        sheets: dict[str, list[dict[str, Any]]] = {}
        for name in _TABLES:
            require(connection, name, ("Country/Territory", "Code"), path)
            columns = column_names(connection, name)
            found = connection.execute(f"SELECT * FROM {quoted(name)} ORDER BY rowid").fetchall()
            sheets[name] = [dict(zip(columns, cells, strict=True)) for cells in found]
    labels = [row["Code"] for row in sheets["Estimate"]]
    for name, rows in sheets.items():
        if [row["Code"] for row in rows] != labels:
            raise SourceFormatError(f"table {name} lists other countries than Estimate", where=path.name)
    records: list[dict[str, Any]] = []
    for number, estimates in enumerate(sheets["Estimate"], start=1):
        rows_of_country = {name: rows[number - 1] for name, rows in sheets.items()}
        records += _country_records(number, estimates["Code"], rows_of_country, path)
    wanted = {c.name: c.stored_dtype for c in stored_columns("governance") if c.table == "governance"}
    table = (
        pl.DataFrame(records, schema_overrides=wanted).select(*wanted).sort("indicator", "country", "year")
    )
    twice = table.filter(table.select("indicator", "country", "year").is_duplicated())
    if not twice.is_empty():
        raise SourceFormatError(f"{twice.row(0, named=True)} is there twice", where=path.name)
    return table


def _country_records(
    number: int, code: str, sheets: dict[str, dict[str, Any]], path: Path
) -> list[dict[str, Any]]:
    where = f"{path.name}, row {number}"
    fixes = [fix for fix in corrections("wgi") if fix.key == str(number)]
    iso3 = _country(code, fixes, where)
    records: list[dict[str, Any]] = []
    for year in (name for name in sheets["Estimate"] if name.isdigit()):
        estimate = _number(sheets["Estimate"][year], f"{where}, {year}")
        unknown = estimate is None or _is_unknown(fixes, year, sheets["Estimate"][year], where)
        for name, indicator in _TABLES.items():
            value = None if unknown else _number(sheets[name][year], f"{where}, {name}, {year}")
            records.append(_record(int(year), iso3, indicator, value))
    return records


def _record(year: int, iso3: str, indicator: str, value: float | None) -> dict[str, Any]:
    late = year >= FIRST_YEAR_OF_SCORES
    name = _SCORES.get(indicator, indicator) if late else indicator
    return {
        "year": year,
        "country": iso3,
        "dimension": DIMENSION,
        "indicator": name,
        "value": value,
        "unit": _UNITS[name],
        "basis": "edition with scores (2023 on)" if late else "edition with percentile ranks (to 2022)",
    }


def _country(code: str, fixes: list[Correction], where: str) -> str:
    for fix in fixes:
        if not fix.year:
            if code != fix.published:
                raise SourceFormatError(
                    f"code {code!r}; the correction expects {fix.published!r}", where=where
                )
            return fix.corrected
    return country(code, source="wgi", where=where)


def _is_unknown(fixes: list[Correction], year: str, cell: str, where: str) -> bool:
    for fix in fixes:
        if fix.year == year:
            if cell != fix.published:
                raise SourceFormatError(
                    f"{year} is {cell!r}; the correction expects {fix.published!r}", where=where
                )
            return True
    return False


def _number(cell: str | None, where: str) -> float | None:
    if cell in _MISSING:
        return None
    try:
        value = float(str(cell))
    except ValueError:
        raise SourceFormatError(f"{cell!r} is no number", where=where) from None
    if not math.isfinite(value):
        raise SourceFormatError(f"{cell!r} is no finite number", where=where)
    return value
