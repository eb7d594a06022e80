"""Customs declarations: what a country's customs says that it bought from or sold to another.

Rows come from data sets that the user added (UN Comtrade, Korea Customs), by month or year.  A publisher
repeats itself: totals over all partners stand beside the partners, two digits beside the ten that they hold.
:func:`customs` returns rows as they are; :func:`at_level` and what is built on it count each declaration
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from evernormal.data.geography import check_iso3, countries
from evernormal.data.schema import day
from evernormal.data.store import check_vintage, scan, vintages
from evernormal.data.stored import datasets, stored
from evernormal.errors import InputError, NotCoveredError
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = [
    "FLOWS",
    "Declarations",
    "at_level",
    "customs",
    "customs_shares",
    "declarations",
    "groups",
    "listed",
    "whole",
]

FLOWS = ("import", "export", "re-import", "re-export")
"""Kinds of flow; re-imports are part of imports, re-exports of exports."""

_SCALES = {"value_usd": 1_000, "quantity_t": 1_000_000}
_GROUP = ("reporter", "flow", "period")
_ORDER = ["reporter", "flow", "code", "period", "partner", "source_ref"]
_WORLD_TOLERANCE = 0.01

Names = str | Iterable[str] | None


class Declarations:
    """Rows of one or several data sets, each declaration once, and where they come from."""

    def __init__(self, rows: pl.DataFrame, inputs: tuple[Input, ...], findings: tuple[Finding, ...]) -> None:
        self.rows = rows
        self.inputs = inputs
        self.findings = findings


def customs(
    reporters: Names = None,
    partners: Names = None,
    codes: Names = None,
    flows: Names = None,
    periods: Names = None,
    *,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.DataFrame:
    """Return customs declarations as their publisher gives them.

    Args:
        reporters: countries whose customs report: ISO 3166 alpha-3; None for all.
        partners: the other country, ``WLD`` for all together; None for all.
        codes: digits as text: rows of this code and of every longer code that begins with it; None for all.
        flows: ``import``, ``export``, ``re-import``, ``re-export``; None for all.
        periods: years like ``2024`` (annual rows only) or months like ``2024-05``; None for all.
        dataset: name of a data set of kind customs, or several; None for the only one.  Where two report
            the same, the one named first is taken.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day (law 11).

    Returns:
        period, year, reporter, partner, flow, revision, code, description, value_usd (USD, in the basis of
        the row), quantity_t (t gross, null where unknown), quantity, quantity_unit, basis, flag, source,
        source_ref, as_of, grade.  Totals over partners (``WLD``) and over longer codes are among the rows.

    Raises:
        InputError: no folder, several data sets and none named, a code or a flow that is none.
        UnknownNameError: a country or a data set that does not exist.
        NotCoveredError: no data set, or nothing in it that was asked for.
    """
    found = declarations(dataset, folder, as_of)
    chosen = _chosen(found.rows, listed(reporters), listed(partners), listed(codes), flows, listed(periods))
    if chosen.is_empty():
        raise NotCoveredError(
            "no declaration covers what was asked",
            where=", ".join(i.name for i in found.inputs),
            cure="Fetch it: evernormal data fetch comtrade, or add a file.",
        )
    return chosen.sort(_ORDER)


def declarations(
    dataset: str | Sequence[str] | None, folder: str | Path | None, as_of: date | str | None
) -> Declarations:
    """Return every row of the named data sets; where two declare the same, the one named first.

    Downloads of other months are added under one name, so every vintage that was knowable counts: what a
    reporter says of a flow, period and code is that of the latest vintage that has it.
    """
    known = datasets("customs", folder)
    if dataset is None and len(known) > 1:
        raise InputError(
            f"the store has {len(known)} data sets of customs declarations",
            where="dataset",
            cure=f"Name one or several of {', '.join(known)}.",
        )
    if dataset is None and not known:
        raise NotCoveredError(
            "no customs declarations are stored",
            where=str(folder),
            cure="Fetch them (evernormal data fetch comtrade) or add a file (evernormal data add).",
        )
    named = known if dataset is None else [dataset] if isinstance(dataset, str) else list(dataset)
    rows: list[pl.DataFrame] = []
    inputs: list[Input] = []
    twice = 0
    for name in dict.fromkeys(named):
        others = list(rows)
        for table, pinned in _vintages(name, folder, as_of):
            twice += table.height - _not_in(table, others).height
            fresh = _not_in(table, rows)
            if fresh.height:
                rows.append(fresh)
                inputs.append(pinned)
    findings = []
    if twice:
        text = f"{twice:,} declarations stand in two data sets; those of the one named first are used."
        findings.append(Finding("declared-twice", "info", text, {"rows": twice}))
    return Declarations(pl.concat(rows), tuple(inputs), tuple(findings))


def _vintages(
    name: str, folder: str | Path | None, as_of: date | str | None
) -> Iterator[tuple[pl.DataFrame, Input]]:
    """Yield the rows of every vintage of a data set that was knowable, latest first."""
    yield stored("customs", name, folder, as_of)
    assert folder is not None  # stored() refuses None
    known_on = day(as_of)
    older = [v for v in vintages(folder) if v.dataset == name and v.kind == "customs"]
    older = [v for v in older if known_on is None or date.fromisoformat(v.as_of) <= known_on]
    for found in sorted(older, key=lambda v: (v.as_of, v.sequence), reverse=True)[1:]:
        yield scan(check_vintage(found)).collect(), found.as_input()


def _not_in(table: pl.DataFrame, before: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of which no earlier table has the reporter, flow, period and six digits."""
    if not before:
        return table
    key = [pl.col("reporter"), pl.col("flow"), pl.col("period"), pl.col("code").str.slice(0, 6).alias("six")]
    names = ["reporter", "flow", "period", "six"]
    told = pl.concat([earlier.select(key) for earlier in before]).unique()
    return table.with_columns(key[3]).join(told, on=names, how="anti", maintain_order="left").drop("six")


def at_level(rows: pl.DataFrame, codes: Iterable[str] | None = None) -> pl.DataFrame:
    """Return rows in which no declaration is counted twice, with the asked code in column ``code``.

    A country's rows of exactly the asked code are taken where there are any, otherwise all its rows of the
    shortest longer codes that begin with it.  Without codes every six-digit code is asked for.
    """
    digits = pl.col("code").str.len_chars()
    if codes is None:
        asked = rows.filter(digits >= 6).select(pl.col("code").str.slice(0, 6)).unique()["code"].to_list()
    else:
        asked = list(codes)
    lengths = sorted({len(code) for code in asked})
    parts = []
    for length in lengths:
        wanted = [code for code in asked if len(code) == length]
        near = rows.filter(digits >= length, pl.col("code").str.slice(0, length).is_in(wanted))
        near = near.with_columns(pl.col("code").str.slice(0, length).alias("asked"), digits.alias("digits"))
        shortest = pl.col("digits").min().over(*_GROUP, "revision", "asked")
        parts.append(near.filter(pl.col("digits") == shortest))
    if not parts:
        return rows.clear()
    return pl.concat(parts).with_columns(pl.col("asked").alias("code")).drop("asked", "digits")


def customs_shares(
    importer: str,
    codes: Names,
    by: Literal["value", "quantity"] = "value",
    periods: Names = None,
    *,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return each supplier's share of a country's declared imports, month by month or year by year.

    Shares are those of :func:`evernormal.data.supplier_shares` (equations E11 and E12) on what the
    importer's own customs declares, period by period: months stay months.

    Args:
        importer: ISO 3166 alpha-3.
        codes: digits as text; a code stands for every longer code that begins with it.
        by: ``value`` or ``quantity``.
        periods: years like ``2024`` or months like ``2024-05``; None for all.
        dataset: as in :func:`customs`.
        folder: as in :func:`customs`.
        as_of: as in :func:`customs`.

    Returns:
        Result ``customs-shares`` with tables ``shares``: period, supplier, share (fraction), value_usd (USD
        in the importer's basis), quantity_t (t gross, of the declarations whose weight is known); and
        ``rows``, the declarations behind it.

    Raises:
        InputError: ``by`` is neither value nor quantity, or as in :func:`customs`.
        UnknownNameError, NotCoveredError: as in :func:`customs`.
    """
    if by not in {"value", "quantity"}:
        raise InputError(f"by must be 'value' or 'quantity', got {by!r}")
    spans = listed(periods)
    found = declarations(dataset, folder, as_of)
    asked = _codes(codes) or []
    if not asked:
        raise InputError("no code was given", where="codes", cure="Write it like '282520'.")
    all_rows = _chosen(found.rows, importer, None, asked, "import", spans)
    level = at_level(all_rows, asked).sort(_ORDER)
    rows = level.filter(pl.col("partner") != "WLD")
    if rows.is_empty():
        raise NotCoveredError(
            f"no import of {', '.join(asked)} by {importer} is declared by partner",
            where=", ".join(i.name for i in found.inputs),
            cure=f"Fetch it: evernormal data fetch comtrade --reporter {importer} --code {asked[0]}.",
        )
    measure = "value_usd" if by == "value" else "quantity_t"
    sums = rows.group_by("period", pl.col("partner").alias("supplier")).agg(
        *(pl.when(pl.col(m).count() > 0).then(whole(m).sum()).alias(m) for m in _SCALES)
    )
    share = pl.col(measure) / pl.col(measure).sum().over("period")
    shares = (
        sums.with_columns(share.alias("share"))
        .with_columns(*(pl.col(name) / scale for name, scale in _SCALES.items()))
        .select("period", "supplier", "share", "value_usd", "quantity_t")
        .sort("period", "share", "supplier", descending=[False, True, False], nulls_last=True)
    )
    units = {"value_usd": "USD", "quantity_t": "t gross"}
    return Result(
        "customs-shares",
        {"shares": shares, "rows": rows},
        {"shares": {"share": "fraction", **units}, "rows": {**units, "quantity": "(column quantity_unit)"}},
        _lineage(importer, asked, by, measure, found),
        (
            *found.findings,
            *_world_finding(level),
            *_weight_finding(rows, by),
            *_period_findings(rows, spans),
        ),
    ).with_call(periods=spans, dataset=dataset, as_of=None if as_of is None else str(as_of))


def listed(names: Names) -> list[str] | None:
    """Return one name or several as a list; None stays None.

    >>> listed("KOR"), listed(None)
    (['KOR'], None)
    """
    return names if names is None else [names] if isinstance(names, str) else list(names)


def whole(column: str) -> pl.Expr:
    """Return whole thousandths of a dollar, or whole grams: sums of integers know no order (law 6)."""
    return (pl.col(column) * _SCALES[column]).round().cast(pl.Int64)


def _lineage(importer: str, codes: list[str], by: str, measure: str, found: Declarations) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    equation = "E11" if by == "value" else "E12"
    text = f"The supplier's {measure} over that of all suppliers in the period."
    derived = Derivation("shares", "share", equation, (f"rows.{measure}",), text)
    call = {"importer": importer, "codes": codes, "by": by}
    return Lineage(__version__, inputs=found.inputs, derivations=(derived,), call=call)


def _world_finding(level: pl.DataFrame) -> list[Finding]:
    """Compare what all partners add to with the publisher's own total."""
    is_world = pl.col("partner") == "WLD"
    sums = level.group_by("period").agg(
        whole("value_usd").filter(is_world).sum().alias("world"),
        whole("value_usd").filter(~is_world).sum().alias("partners"),
    )
    off = sums.filter(
        pl.col("world") > 0,
        (pl.col("partners") - pl.col("world")).abs() > _WORLD_TOLERANCE * pl.col("world"),
    ).sort("period")
    if off.is_empty():
        return []
    shown = ", ".join(off["period"].head(6).to_list())
    text = f"In {off.height} periods ({shown}) the partners do not add to the publisher's total within 1 %:"
    text += " some partners are not shown apart."
    return [Finding("partners-not-total", "caution", text, {"periods": off["period"].to_list()})]


def _weight_finding(rows: pl.DataFrame, by: str) -> list[Finding]:
    if by != "quantity":
        return []
    blank = int(rows.filter(pl.col("quantity_t").is_null()).select(whole("value_usd").sum()).item() or 0)
    share = blank / max(1, int(rows.select(whole("value_usd").sum()).item() or 0))
    if not share:
        return []
    text = f"{100 * share:.1f} % of the value has no known weight; shares by quantity leave it out."
    level: Literal["caution", "warning"] = "warning" if share > 0.05 else "caution"
    return [Finding("quantity-unknown", level, text, {"value_share": share})]


def _period_findings(rows: pl.DataFrame, periods: list[str] | None) -> list[Finding]:
    seen = set(rows["period"].to_list())
    return [
        Finding(
            "no-import-reported",
            "caution",
            f"No import was reported for {period}: unknown, not zero.",
            {"period": period},
        )
        for period in sorted(set(periods or ()) - seen)
    ]


def _chosen(
    rows: pl.DataFrame, reporters: Names, partners: Names, codes: Names, flows: Names, periods: Names
) -> pl.DataFrame:
    for column, wanted in (("reporter", reporters), ("partner", partners)):
        if wanted is not None:
            rows = rows.filter(pl.col(column).is_in(check_iso3(wanted, where=f"{column}s")))
    digits = _codes(codes)
    if digits is not None:
        begins = [pl.col("code").str.starts_with(code) for code in digits]
        rows = rows.filter(pl.any_horizontal(begins)) if begins else rows.clear()
    if flows is not None:
        kinds = [flows] if isinstance(flows, str) else list(flows)
        unknown = sorted(set(kinds) - set(FLOWS))
        if unknown:
            raise InputError(f"unknown flow {unknown[0]!r}", where="flows", cure=f"Give {', '.join(FLOWS)}.")
        rows = rows.filter(pl.col("flow").is_in(kinds))
    if periods is not None:
        spans = [periods] if isinstance(periods, str) else list(periods)
        wrong = [span for span in spans if not re.fullmatch(r"\d{4}(-\d\d)?", str(span))]
        if wrong:
            raise InputError(
                f"{wrong[0]!r} is no period", where="periods", cure="Write it like 2024 or 2024-05."
            )
        rows = rows.filter(pl.col("period").is_in(spans))
    return rows


def _codes(codes: Names) -> list[str] | None:
    if codes is None:
        return None
    wanted = [codes] if isinstance(codes, str) else list(codes)
    for code in wanted:
        if not re.fullmatch(r"\d{2,10}", str(code)) or not isinstance(code, str):
            raise InputError(
                f"code must be two to ten digits as text, got {code!r}", cure="Write it like '282520'."
            )
    return list(dict.fromkeys(wanted))


def groups() -> frozenset[str]:
    """Return the names of groups: partners that are no one country."""
    table = countries()
    return frozenset(table.filter(pl.col("kind") == "group")["iso3"].to_list())
