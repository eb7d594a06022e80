"""Trade: who shipped what to whom, in which year, for how much.

A flow that nobody reported is not in the data: its absence is unknown, not zero (law 2).  Quantities are
gross product weight, null where the publisher gives none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION, MEMBERS, traders
from evernormal.data.geography import codes_of
from evernormal.data.parts import Question
from evernormal.data.schema import public_columns
from evernormal.data.trade_table import TradeTable, country_of_number, trade_table
from evernormal.errors import InputError, UnknownNameError
from evernormal.result import Derivation, Finding, Lineage, Result

__all__ = ["ROWS_AT_ONCE", "covered_codes", "scan_trade", "supplier_shares", "trade"]

ROWS_AT_ONCE = 12_000_000
"""Rows that :func:`trade` returns at most of a data set in parts: about 3 GB of memory."""

_THOUSANDTHS, _KILOGRAMS_OF_TONNE, _GRAMS_OF_TONNE = 1_000, 1_000, 1_000_000


def trade(
    codes: Iterable[str] | None = None,
    importers: Iterable[str] | None = None,
    exporters: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.DataFrame:
    """Return trade flows, one row per year, exporter, importer and code.

    Args:
        codes: six-digit codes as text; None for all.
        importers: ISO 3166 alpha-3; None for all.
        exporters: ISO 3166 alpha-3; None for all.
        years: calendar years; None for all.
        dataset: None for the shipped snapshot (HS1992), or the name of a data set that ``evernormal data
            add`` stored in ``folder``.  Data sets are never mixed.
        folder: folder of the user's store; needed with ``dataset``.
        as_of: use only what was knowable on this day (law 11); picks the older vintage of a stored data set.

    Returns:
        year, exporter, importer (ISO 3166 alpha-3), revision, code (text), value_usd (USD), quantity_t (t
        gross, null where unknown), source, source_ref, as_of, grade.  Countries that the publisher has
        coded twice over time (Belgium-Luxembourg until 1998) appear under one code, each row with its own
        reference.

    Raises:
        InputError: a code is not six digits, or the question has more rows than memory should hold.
        UnknownNameError: a country or a data set that does not exist.
        NotCoveredError: none of the codes, or nothing of the years, is in the data set.
        SnapshotError: the stored file was truncated or changed.

    >>> flows = trade(["282520"], importers=["KOR"], exporters=["CHN"], years=[2023])
    >>> flows["revision"].item(), round(flows["value_usd"].item() / 1e9, 2)
    ('HS1992', 4.92)
    """
    chosen = trade_table(dataset, folder, as_of)
    asked = chosen.question(codes, importers, exporters, years)
    rows = chosen.rows_of(asked)
    _require_modest(rows, asked, chosen)
    return _public(rows.collect().rechunk(), chosen)  # polars 2.1 panics in `format` on uneven chunks


def scan_trade(
    codes: Iterable[str] | None = None,
    importers: Iterable[str] | None = None,
    exporters: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.LazyFrame:
    """Return a lazy frame over trade flows, for sums over more rows than memory holds.

    The files that can hold such rows are checked first.  Add numbers up as integers, or sort before: the
    order of the rows is not fixed.

    Args:
        codes: as in :func:`trade`, like every other argument.

    Returns:
        year, exporter, importer, code, value_usd, quantity_t: as in :func:`trade`, in any order.

    Raises:
        InputError, UnknownNameError, NotCoveredError, SnapshotError: as in :func:`trade`.

    >>> flows = scan_trade(["282520"], years=[2023])
    >>> flows.select(pl.col("exporter").n_unique()).collect().item() > 50
    True
    """
    chosen = trade_table(dataset, folder, as_of)
    rows = chosen.rows_of(chosen.question(codes, importers, exporters, years))
    numbers, countries = country_of_number()
    return rows.select(
        "year",
        *(
            pl.col(c).replace_strict(numbers, countries, return_dtype=pl.String)
            for c in ("exporter", "importer")
        ),
        pl.col("code").cast(pl.String).str.zfill(6),
        pl.col("value_usd").cast(pl.Float64),
        _divided("quantity_kg", _KILOGRAMS_OF_TONNE).alias("quantity_t"),
    )


def _require_modest(rows: pl.LazyFrame, asked: Question, chosen: TradeTable) -> None:
    """Refuse what would fill the memory: a full release has some 250 million rows."""
    if chosen.most_rows(asked) <= ROWS_AT_ONCE:
        return
    count = rows.select(pl.len()).collect(engine="streaming").item()
    if count > ROWS_AT_ONCE:
        raise InputError(
            f"the question has {count:,} rows, at most {ROWS_AT_ONCE:,} are returned at once",
            where=chosen.input.name,
            cure="Ask for fewer codes, countries or years, or sum with evernormal.data.scan_trade.",
        )


def covered_codes(
    *, dataset: str | None = None, folder: str | Path | None = None, as_of: date | str | None = None
) -> tuple[str, ...]:
    """Return the six-digit codes that a data set holds.

    >>> len(covered_codes()), "282520" in covered_codes()
    (74, True)
    """
    return tuple(f"{code:06d}" for code in trade_table(dataset, folder, as_of).codes)


def supplier_shares(
    importer: str,
    form_codes: Iterable[str] | None = None,
    by: Literal["value", "quantity"] = "value",
    years: Iterable[int] | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return each supplier's share of a country's imports of the given codes, year by year.

    By value the share is the supplier's value over the value of all suppliers (equation E11).  By quantity
    it is taken over the shipments whose quantity is known (equation E12); a finding says what share of the
    value has none.

    Args:
        importer: ISO 3166 alpha-3, or ``EU``: its 27 members as one country, trade among them left out.
        form_codes: six-digit codes of the form, in the revision of the data set; None for every code.
        by: ``value`` or ``quantity``.
        years: calendar years; None for all.
        dataset: as in :func:`trade`.
        folder: as in :func:`trade`.
        as_of: as in :func:`trade`.

    Returns:
        Result ``supplier-shares`` with tables ``shares``: year, supplier, share (fraction; null where the
        quantity is unknown), value_usd (USD), quantity_t (t gross, of the shipments whose quantity is
        known); and ``rows``, the trade rows behind it (not for every code: a finding says how many they are
        and what returns them).

    Raises:
        InputError: ``by`` is neither value nor quantity.
        UnknownNameError, NotCoveredError, SnapshotError: as in :func:`trade`.

    >>> result = supplier_shares("KOR", ["282520"], years=[2018])
    >>> result["shares"].head(1).select("supplier", pl.col("share").round(3)).row(0)
    ('CHN', 0.657)
    >>> supplier_shares("KOR", years=[2018])["shares"].row(0)[:2]
    (2018, 'SAU')
    """
    if by not in {"value", "quantity"}:
        raise InputError(f"by must be 'value' or 'quantity', got {by!r}")
    codes = None if form_codes is None else tuple([form_codes] if isinstance(form_codes, str) else form_codes)
    asked = None if years is None else tuple(years)
    chosen = trade_table(dataset, folder, as_of)
    stored = chosen.rows_of(chosen.question(codes, traders(importer), None, asked))
    if importer == EUROPEAN_UNION:
        among = [int(number) for member in MEMBERS for number in codes_of(member, "baci")]
        stored = stored.filter(~pl.col("exporter").is_in(among))
    tables = {}
    if codes is None:
        sums, count = _sums(stored)
    else:
        read = stored.collect().rechunk()
        tables["rows"] = _public(read, chosen)
        sums, count = _sums(read.lazy())
    shares = _shares(sums, "value" if by == "value" else "quantity")
    findings = _share_findings(sums, codes, by, asked, chosen)
    if codes is None:
        findings = (*findings, _unlisted(count, importer, asked))
    units = {"share": "fraction", "value_usd": "USD", "quantity_t": "t gross"}
    return Result(
        "supplier-shares",
        {"shares": shares, **tables},
        {"shares": units} | {name: {"value_usd": "USD", "quantity_t": "t gross"} for name in tables},
        _share_lineage(importer, codes, by, asked, chosen, dataset, as_of),
        findings,
    )


def _sums(stored: pl.LazyFrame) -> tuple[pl.DataFrame, int]:
    """Sums of each year and supplier, and the number of rows.

    Whole thousandths of a dollar and whole grams: sums of integers know no order of rows (law 6).  Column
    ``blank`` is the value whose quantity is unknown.
    """
    value, quantity = _whole("value_usd"), _whole("quantity_kg")
    unknown = pl.col("quantity_kg").is_null()
    each = (
        stored.group_by("year", "exporter")
        .agg(
            value.sum().alias("value"),
            pl.when((~unknown).any()).then(quantity.sum()).alias("quantity"),
            value.filter(unknown).sum().alias("blank"),
            pl.len().cast(pl.Int64).alias("count"),
            pl.col("code").min().alias("least"),
            pl.col("code").max().alias("greatest"),
        )
        .collect()
    )
    numbers, countries = country_of_number()
    supplier = pl.col("exporter").replace_strict(numbers, countries, return_dtype=pl.String)
    sums = (
        each.group_by("year", supplier.alias("supplier"))
        .agg(
            pl.col("value", "blank").sum(),
            pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()),
            pl.col("least").min(),
            pl.col("greatest").max(),
        )
        .sort("year", "supplier")
    )
    return sums, int(each["count"].sum())


def _whole(column: str) -> pl.Expr:
    return (pl.col(column) * _THOUSANDTHS).round().cast(pl.Int64)


def _divided(column: str, by: int) -> pl.Expr:
    """Divide row by row: polars 2.1 multiplies by the inverse of a scalar, or not, as it happens (law 6)."""
    return pl.col(column) / (pl.col(column) * 0.0 + by)


def _shares(sums: pl.DataFrame, measure: str) -> pl.DataFrame:
    return (
        sums.with_columns((pl.col(measure) / pl.col(measure).sum().over("year")).alias("share"))
        .select(
            "year",
            "supplier",
            "share",
            _divided("value", _THOUSANDTHS).alias("value_usd"),
            _divided("quantity", _GRAMS_OF_TONNE).alias("quantity_t"),
        )
        .sort(
            "year", "share", "value_usd", "supplier", descending=[False, True, True, False], nulls_last=True
        )
    )


def _unlisted(count: int, importer: str, years: tuple[int, ...] | None) -> Finding:
    asked = "" if years is None else f", years={list(years)}"
    text = (
        f"{count:,} trade rows are behind these shares and are not listed;"
        f" evernormal.data.trade(importers=['{importer}']{asked}) returns them."
    )
    return Finding("rows-not-listed", "info", text, {"rows": count, "importer": importer})


def _share_findings(
    sums: pl.DataFrame,
    codes: tuple[str, ...] | None,
    by: str,
    years: tuple[int, ...] | None,
    chosen: TradeTable,
) -> tuple[Finding, ...]:
    findings = [] if codes is None else list(_uncovered(codes, chosen))
    seen = set(sums["year"].to_list())
    for year in sorted(set(years or ()) - seen):
        text = f"No import was reported for {year}: unknown, not zero."
        findings.append(Finding("no-import-reported", "caution", text, {"year": year}))
    if by == "quantity":
        findings += _quantity_findings(sums)
        if sums["least"].min() != sums["greatest"].max():
            text = "Tonnes of different products are added as gross weight; their content differs."
            listed = "all" if codes is None else list(codes)
            findings.append(Finding("gross-weight-added", "caution", text, {"codes": listed}))
    return tuple(findings)


def _uncovered(codes: tuple[str, ...], chosen: TradeTable) -> list[Finding]:
    known = {f"{code:06d}" for code in chosen.codes}
    missing = sorted(set(codes) - known)
    if not missing:
        return []
    names = ", ".join(missing)
    text = f"{names} of {chosen.revision} is not in {chosen.source}: its trade is unknown, not zero."
    return [Finding("code-not-covered", "caution", text, {"codes": missing})]


def _quantity_findings(sums: pl.DataFrame) -> list[Finding]:
    unknown = sums.group_by("year").agg((pl.col("blank").sum() / pl.col("value").sum()).alias("share"))
    unknown = unknown.filter(pl.col("share") > 0).sort("year")
    findings = []
    for year, share in unknown.iter_rows():
        level: Literal["info", "caution", "warning"] = (
            "info" if share < 0.001 else "caution" if share < 0.05 else "warning"
        )
        amount = "less than 0.1 %" if share < 0.001 else f"{100 * share:.1f} %"
        text = f"In {year} {amount} of the value has no known quantity; shares by quantity leave it out."
        findings.append(Finding("quantity-unknown", level, text, {"year": year, "value_share": share}))
    return findings


def _share_lineage(
    importer: str,
    codes: tuple[str, ...] | None,
    by: str,
    years: tuple[int, ...] | None,
    chosen: TradeTable,
    dataset: str | None,
    as_of: date | str | None,
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    equation, measure = ("E11", "value_usd") if by == "value" else ("E12", "quantity_t")
    text = f"The supplier's {measure} over that of all suppliers in the year."
    call = {
        "importer": importer,
        "codes": None if codes is None else list(codes),
        "by": by,
        "years": None if years is None else list(years),
        "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
    }
    behind = () if codes is None else (f"rows.{measure}",)
    derived = Derivation("shares", "share", equation, behind, text)
    return Lineage(__version__, inputs=(chosen.input,), derivations=(derived,), call=call)


def _public(stored: pl.DataFrame, chosen: TradeTable) -> pl.DataFrame:
    """Turn stored rows into observations: country codes, text codes, units, and where each comes from."""
    numbers, countries = country_of_number()
    i, j, k = pl.col("exporter"), pl.col("importer"), pl.col("code")
    derived: dict[str, Any] = {
        "revision": pl.lit(chosen.revision),
        "value_usd": pl.col("value_usd").cast(pl.Float64),
        "quantity_t": _divided("quantity_kg", _KILOGRAMS_OF_TONNE),
        "source": pl.lit(chosen.source),
        "source_ref": pl.format("t={} i={} j={} k={}", pl.col("year"), i, j, k.cast(pl.String).str.zfill(6)),
        "as_of": pl.lit(chosen.as_of),
        "grade": pl.lit(chosen.grade),
        "code": k.cast(pl.String).str.zfill(6),
        "exporter": i.replace_strict(numbers, countries, return_dtype=pl.String),
        "importer": j.replace_strict(numbers, countries, return_dtype=pl.String),
    }
    order = [column.name for column in public_columns("trade")]
    try:
        rows = stored.with_columns(**derived).select(order)
    except pl.exceptions.InvalidOperationError as error:
        raise UnknownNameError("country of source 'baci'", error, [], where=str(chosen.place)) from error
    return rows.sort("code", "year", "exporter", "importer", "source_ref")
