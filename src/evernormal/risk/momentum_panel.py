"""Imports of every country by form, supplier and year, summed in one pass over trade.

Values are summed as whole thousandths of a dollar and tonnes as whole grams, so that no order of rows can
change a result (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.trade_table import TradeTable, trade_table
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.form_tables import SHIPPED_REVISION
from evernormal.network.forms import form, form_names
from evernormal.network.load import codes_in
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS, reporters

__all__ = ["countries_asked", "form_codes", "import_sums", "last_year", "opened", "union_of", "whole_years"]

_MILLI, _GRAMS = 1_000, 1_000_000


def opened(dataset: str | None, folder: str | Path | None, as_of: date | str | None) -> TradeTable:
    """Return the trade table of a question; see :func:`evernormal.data.trade` for the arguments."""
    return trade_table(dataset, folder, as_of)


def form_codes(names: Iterable[str] | None, chosen: TradeTable) -> dict[str, tuple[str, ...]]:
    """Return the codes by which the trade table shows each form.

    Args:
        names: forms; None for every form that the table shows.
        chosen: the trade table.

    Raises:
        UnknownNameError: no such form; the nearest is named.
        NotCoveredError: the table shows none of a form's codes.
        InputError: no form at all.
    """
    held = {f"{code:06d}" for code in chosen.codes}
    wanted = list(
        dict.fromkeys([names] if isinstance(names, str) else form_names() if names is None else names)
    )
    found: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        one = form(name)
        codes = one.trade_codes if chosen.revision == SHIPPED_REVISION else codes_in(one, chosen.revision)
        kept = tuple(code for code in codes if code in held)
        if kept:
            found[name] = kept
        elif names is not None:
            raise NotCoveredError(
                f"no customs code of the trade table shows {name} apart",
                where=f"form {name!r}, {chosen.revision}",
                cure="Ask for a form with a code of its own (evernormal form list), or add such trade.",
            )
    if not found:
        raise InputError("no form to compute", cure="Give at least one, or None for all.")
    return found


def countries_asked(countries: Iterable[str] | None) -> list[str]:
    """Return the countries of a question; None is every country that trade names, and the European Union.

    Raises:
        UnknownNameError: no such country.
        InputError: no country at all.
    """
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if countries is None:
        return [*reporters(), EUROPEAN_UNION]
    names = list(dict.fromkeys([countries] if isinstance(countries, str) else countries))
    check_iso3([name for name in names if name != EUROPEAN_UNION], where="countries")
    if not names:
        raise InputError("no country to compute", where="countries", cure="Give at least one.")
    return names


def whole_years(years: int | Iterable[int]) -> list[int]:
    """Return years as a list.

    Raises:
        InputError: a year that is no whole number, or none.
    """
    asked = [years] if isinstance(years, int) else list(dict.fromkeys(years))
    if not asked or any(isinstance(year, bool) or not isinstance(year, int) for year in asked):
        raise InputError(f"years must be whole numbers, at least one, got {asked}", where="years")
    return asked


def last_year(chosen: TradeTable, year: int | None = None) -> int:
    """Return the last year of a trade table, or the year asked where the table has it.

    Raises:
        InputError: a year that is no whole number.
        NotCoveredError: the table does not have the year.
    """
    first, last = chosen.coverage_of()[1]
    if year is None:
        return last
    (asked,) = whole_years([year])
    if not first <= asked <= last:
        raise NotCoveredError(f"{chosen.source} has no trade of {asked}; it covers {first} to {last}")
    return asked


def union_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return trade of the European Union's members with others, under the Union's name."""
    sides = [pl.col(side).is_in(list(MEMBERS)) for side in ("exporter", "importer")]
    return rows.filter(sides[0] != sides[1]).with_columns(
        *(
            pl.when(inside).then(pl.lit(EUROPEAN_UNION)).otherwise(pl.col(side).cast(pl.String)).alias(side)
            for side, inside in zip(("exporter", "importer"), sides, strict=True)
        )
    )


def import_sums(
    chosen: TradeTable,
    codes: Mapping[str, Sequence[str]],
    countries: Sequence[str] | None,
    years: Sequence[int],
) -> pl.DataFrame:
    """Return what each country bought of each form from each supplier in each year (equation E11).

    Args:
        chosen: the trade table.
        codes: form to its codes; a code belongs to one form.
        countries: importers, ``EU`` among them where wanted; None for all countries without the Union.
        years: calendar years.

    Returns:
        country, form, year, supplier, milli (thousandths of a USD), priced (those of shipments whose
        quantity is known), grams (gross, of those shipments); sorted.  Countries and forms are
        enumerations, in alphabetical order.
    """
    from evernormal.data.trade_table import country_of_number  # noqa: PLC0415

    owner = {int(code): name for name, listed in codes.items() for code in listed}
    union = countries is not None and EUROPEAN_UNION in countries
    whom = None
    if countries is not None:
        whom = sorted({c for c in countries if c != EUROPEAN_UNION} | (set(MEMBERS) if union else set()))
    question = chosen.question([f"{code:06d}" for code in owner], whom, None, years)
    numbers, names = country_of_number()
    places, kinds = pl.Enum(sorted({*names, EUROPEAN_UNION})), pl.Enum(sorted(codes))
    known = pl.col("quantity_kg").is_not_null() & (pl.col("quantity_kg") > 0)
    milli = (pl.col("value_usd") * _MILLI).round().cast(pl.Int64)
    rows = (
        chosen.rows_of(question)
        .group_by("importer", "exporter", "year", "code")
        .agg(
            milli.sum().alias("milli"),
            milli.filter(known).sum().alias("priced"),
            (pl.col("quantity_kg").filter(known) * (_GRAMS // 1000))
            .round()
            .cast(pl.Int64)
            .sum()
            .alias("grams"),
        )
        .collect()
    )
    rows = rows.with_columns(
        *(pl.col(c).replace_strict(numbers, names, return_dtype=places) for c in ("exporter", "importer")),
        form=pl.col("code").replace_strict(owner, return_dtype=kinds),
        year=pl.col("year").cast(pl.Int64),
    ).filter(pl.col("exporter") != pl.col("importer"))
    if union:
        others = [c for c in countries or () if c != EUROPEAN_UNION]
        bought = union_of(rows).filter(pl.col("importer") == EUROPEAN_UNION).cast(rows.schema)
        rows = pl.concat([rows.filter(pl.col("importer").is_in(others)), bought])
    return (
        rows.group_by(
            pl.col("importer").alias("country"), "form", "year", pl.col("exporter").alias("supplier")
        )
        .agg(pl.col("milli", "priced", "grams").sum())
        .sort("country", "form", "year", "supplier")
    )
