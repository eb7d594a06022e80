"""Trade: who shipped what to whom, in which year, for how much.

A flow that nobody reported is not in the data: its absence is unknown, not zero (law 2).  Quantities are
gross product weight, null where the publisher gives none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evernormal.data.geography import aliases, check_iso3, codes_of
from evernormal.data.publishers.baci import REVISION
from evernormal.data.publishers.registry import carrier, source_of_table
from evernormal.data.schema import day, public_columns
from evernormal.data.snapshot import SNAPSHOT, inputs, resource
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["covered_codes", "supplier_shares", "trade"]


_SCALES = {"value_usd": 1_000, "quantity_t": 1_000_000}


class _Dataset:
    """A trade table on disk: where it is, what its codes mean, and where it comes from."""

    def __init__(self, path: Path, revision: str, source: str, as_of: str, grade: str, pinned: Input) -> None:
        self.path = path
        self.revision = revision
        self.source = source
        self.as_of = date.fromisoformat(as_of)
        self.grade = grade
        self.input = pinned


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
        InputError: a code is not six digits.
        UnknownNameError: a country or a data set that does not exist.
        NotCoveredError: none of the codes, or nothing of the years, is in the data set.
        SnapshotError: the stored file was truncated or changed.

    >>> flows = trade(["282520"], importers=["KOR"], exporters=["CHN"], years=[2023])
    >>> flows["revision"].item(), round(flows["value_usd"].item() / 1e9, 2)
    ('HS1992', 4.92)
    """
    chosen = _dataset(dataset, folder, as_of)
    rows = pl.scan_parquet(chosen.path)
    if codes is not None:
        rows = rows.filter(pl.col("code").is_in(_wanted_codes(codes, chosen)))
    if years is not None:
        rows = rows.filter(pl.col("year").is_in(_wanted_years(years, chosen)))
    for column, wanted in (("importer", importers), ("exporter", exporters)):
        if wanted is not None:
            rows = rows.filter(pl.col(column).is_in(_numbers(wanted, column)))
    return _public(rows.collect().rechunk(), chosen)  # polars 2.1 panics in `format` on uneven chunks


def covered_codes(
    *, dataset: str | None = None, folder: str | Path | None = None, as_of: date | str | None = None
) -> tuple[str, ...]:
    """Return the six-digit codes that a data set holds.

    >>> len(covered_codes()), "282520" in covered_codes()
    (74, True)
    """
    chosen = _dataset(dataset, folder, as_of)
    return tuple(f"{code:06d}" for code in _coverage(chosen.path, chosen.input.sha256)[0])


def supplier_shares(
    importer: str,
    form_codes: Iterable[str],
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
        importer: ISO 3166 alpha-3.
        form_codes: six-digit codes of the form, in the revision of the data set.
        by: ``value`` or ``quantity``.
        years: calendar years; None for all.
        dataset: as in :func:`trade`.
        folder: as in :func:`trade`.
        as_of: as in :func:`trade`.

    Returns:
        Result ``supplier-shares`` with tables ``shares``: year, supplier, share (fraction; null where the
        quantity is unknown), value_usd (USD), quantity_t (t gross, of the shipments whose quantity is
        known); and ``rows``, the trade rows behind it.

    Raises:
        InputError: ``by`` is neither value nor quantity.
        UnknownNameError, NotCoveredError, SnapshotError: as in :func:`trade`.

    >>> result = supplier_shares("KOR", ["282520"], years=[2018])
    >>> result["shares"].head(1).select("supplier", pl.col("share").round(3)).row(0)
    ('CHN', 0.657)
    """
    if by not in {"value", "quantity"}:
        raise InputError(f"by must be 'value' or 'quantity', got {by!r}")
    codes = tuple(form_codes)
    asked = None if years is None else tuple(years)
    chosen = _dataset(dataset, folder, as_of)
    rows = trade(codes, importers=[importer], years=asked, dataset=dataset, folder=folder, as_of=as_of)
    measure = "value_usd" if by == "value" else "quantity_t"
    sums = rows.group_by("year", pl.col("exporter").alias("supplier")).agg(
        _whole("value_usd").sum(), pl.when(pl.col("quantity_t").count() > 0).then(_whole("quantity_t").sum())
    )
    shares = (
        sums.with_columns((pl.col(measure) / pl.col(measure).sum().over("year")).alias("share"))
        .with_columns(*(pl.col(name) / scale for name, scale in _SCALES.items()))
        .select("year", "supplier", "share", "value_usd", "quantity_t")
        .sort(
            "year", "share", "value_usd", "supplier", descending=[False, True, True, False], nulls_last=True
        )
    )
    findings = _share_findings(rows, codes, by, asked, chosen)
    return Result(
        "supplier-shares",
        {"shares": shares, "rows": rows},
        {
            "shares": {"share": "fraction", "value_usd": "USD", "quantity_t": "t gross"},
            "rows": {"value_usd": "USD", "quantity_t": "t gross"},
        },
        _share_lineage(importer, codes, by, asked, chosen),
        findings,
    )


def _whole(column: str) -> pl.Expr:
    """Whole thousandths of a dollar, or whole grams: sums of integers know no order of rows (law 6)."""
    return (pl.col(column) * _SCALES[column]).round().cast(pl.Int64)


def _share_findings(
    rows: pl.DataFrame, codes: tuple[str, ...], by: str, years: tuple[int, ...] | None, chosen: _Dataset
) -> tuple[Finding, ...]:
    findings = list(_uncovered(codes, chosen))
    seen = set(rows["year"].to_list())
    for year in sorted(set(years or ()) - seen):
        text = f"No import was reported for {year}: unknown, not zero."
        findings.append(Finding("no-import-reported", "caution", text, {"year": year}))
    if by == "quantity":
        findings += _quantity_findings(rows)
        if len(set(rows["code"].to_list())) > 1:
            text = "Tonnes of different products are added as gross weight; their content differs."
            findings.append(Finding("gross-weight-added", "caution", text, {"codes": list(codes)}))
    return tuple(findings)


def _uncovered(codes: tuple[str, ...], chosen: _Dataset) -> list[Finding]:
    known = {f"{code:06d}" for code in _coverage(chosen.path, chosen.input.sha256)[0]}
    missing = sorted(set(codes) - known)
    if not missing:
        return []
    names = ", ".join(missing)
    text = f"{names} of {chosen.revision} is not in {chosen.source}: its trade is unknown, not zero."
    return [Finding("code-not-covered", "caution", text, {"codes": missing})]


def _quantity_findings(rows: pl.DataFrame) -> list[Finding]:
    value = _whole("value_usd")
    blank = value.filter(pl.col("quantity_t").is_null())
    unknown = rows.group_by("year").agg((blank.sum() / value.sum()).alias("share"))
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
    importer: str, codes: tuple[str, ...], by: str, years: tuple[int, ...] | None, chosen: _Dataset
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    equation, measure = ("E11", "value_usd") if by == "value" else ("E12", "quantity_t")
    text = f"The supplier's {measure} over that of all suppliers in the year."
    call = {
        "importer": importer,
        "codes": list(codes),
        "by": by,
        "years": None if years is None else list(years),
    }
    derived = Derivation("shares", "share", equation, (f"rows.{measure}",), text)
    return Lineage(__version__, inputs=(chosen.input,), derivations=(derived,), call=call)


def _dataset(name: str | None, folder: str | Path | None, as_of: date | str | None) -> _Dataset:
    known_on = day(as_of)
    if name is not None:
        return _stored_dataset(name, folder, known_on)
    found = resource("trade", SNAPSHOT)
    source = source_of_table("trade")
    if known_on is not None and known_on < date.fromisoformat(carrier().as_of):
        raise NotCoveredError(
            f"the shipped trade table was not knowable on {known_on}; it dates from {carrier().as_of}",
            cure="Leave as_of out, or add an older vintage with `evernormal data add`.",
        )
    return _Dataset(found.path, REVISION, source.label, carrier().as_of, source.grade, inputs("trade")[0])


def _stored_dataset(name: str, folder: str | Path | None, known_on: date | None) -> _Dataset:
    from evernormal.data.store import vintage  # noqa: PLC0415

    if folder is None:
        raise InputError(f"data set {name!r} needs the folder of the store", cure="Give folder=...")
    found = vintage(name, folder, kind="trade", as_of=known_on)
    return _Dataset(found.path, found.revision, found.title, found.as_of, found.grade, found.as_input())


def _wanted_codes(codes: Iterable[str], chosen: _Dataset) -> list[int]:
    wanted = []
    for code in [codes] if isinstance(codes, str) else codes:
        if not (isinstance(code, str) and len(code) == 6 and code.isascii() and code.isdigit()):
            raise InputError(f"code must be six digits as text, got {code!r}", cure="Write it like '282520'.")
        wanted.append(int(code))
    covered = set(_coverage(chosen.path, chosen.input.sha256)[0])
    if wanted and not covered.intersection(wanted):
        shown = ", ".join(f"{code:06d}" for code in wanted)
        raise NotCoveredError(
            f"{chosen.source} has no trade of {chosen.revision} code {shown}",
            cure="Add a data set that has it: `evernormal data add baci FILE`.",
        )
    return wanted


def _wanted_years(years: Iterable[int], chosen: _Dataset) -> list[int]:
    wanted = list(years)
    first, last = _coverage(chosen.path, chosen.input.sha256)[1]
    if wanted and not any(first <= year <= last for year in wanted):
        shown = ", ".join(str(year) for year in wanted)
        raise NotCoveredError(f"{chosen.source} has no trade of {shown}; it covers {first} to {last}")
    return wanted


@functools.lru_cache(maxsize=16)
def _coverage(path: Path, sha256: str) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the codes and the first and last year of a stored trade table."""
    rows = pl.scan_parquet(path)
    codes = rows.select(pl.col("code").unique().sort()).collect()["code"].to_list()
    first, last = (
        rows.select(pl.col("year").min().alias("a"), pl.col("year").max().alias("b")).collect().row(0)
    )
    return tuple(codes), (first, last)


def _numbers(countries: Iterable[str], column: str) -> list[int]:
    """Return the publisher's codes of the countries; a country that it does not report apart is an error."""
    numbers: list[int] = []
    for iso3 in check_iso3(countries, where=f"{column}s"):
        found = codes_of(iso3, "baci")
        if not found:
            raise NotCoveredError(
                f"BACI does not report {column} {iso3} apart",
                cure="Its trade is part of another country or group.",
            )
        numbers += [int(code) for code in found]
    return numbers


@functools.cache
def _country_of_number() -> tuple[tuple[int, ...], tuple[str, ...]]:
    pairs = [(int(code), iso3) for code, iso3 in aliases("baci").items()]
    return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)


def _public(stored: pl.DataFrame, chosen: _Dataset) -> pl.DataFrame:
    """Turn stored rows into observations: country codes, text codes, units, and where each comes from."""
    numbers, countries = _country_of_number()
    i, j, k = pl.col("exporter"), pl.col("importer"), pl.col("code")
    derived: dict[str, Any] = {
        "revision": pl.lit(chosen.revision),
        "value_usd": pl.col("value_usd").cast(pl.Float64),
        "quantity_t": pl.col("quantity_kg") / 1000,
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
        raise UnknownNameError("country of source 'baci'", error, [], where=str(chosen.path)) from error
    return rows.sort("code", "year", "exporter", "importer", "source_ref")
