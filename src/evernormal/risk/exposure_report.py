"""Exposure: the official's first question for every form at once, worst first.

How dependent, on whom, since when, is it getting worse, where does it come from in the end, who says so, and
what is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.form_tables import SHIPPED_REVISION
from evernormal.network.forms import Form, form_names
from evernormal.network.forms import form as form_of
from evernormal.network.load import codes_in
from evernormal.result import Parameter, Result
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS
from evernormal.risk.exposure_duty import duty_parameters, neighbours_of
from evernormal.risk.exposure_rows import Asked, exposure_row
from evernormal.risk.exposure_shares import shares_of
from evernormal.risk.exposure_tables import exposure_result
from evernormal.risk.origin import trace
from evernormal.risk.origin_accounts import Sources
from evernormal.risk.origin_tables import Traced, stage_name

__all__ = ["TREND_YEARS", "exposure"]

TREND_YEARS = 5
"""Years over which a trend is judged."""


def exposure(
    country: str = "KOR",
    year: int | None = None,
    *,
    neighbours: Iterable[str] | None = None,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    origins: bool = True,
) -> Result:
    """Return how exposed a country is in every form, worst first.

    Args:
        country: ISO 3166 alpha-3 code or name, or ``EU`` (its 27 members as one country).
        year: calendar year; None for the last that the trade table holds.
        neighbours: countries that count as neighbouring for the early-warning duty; None for the default of
            the country (an assumption, see :func:`neighbours_of`), an empty list for none.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.
        origins: trace each form to its maker and its mine too.

    Returns:
        Result ``exposure`` with tables

        - ``exposure``: one row for every form, also those of which nothing is known.  rank, form, name_en,
          name_ko, material, stage, known_by (``trade``, ``published shares``, ``nothing``), year,
          imports_usd, imports_t and exports_t (t contained), reliance (fraction; null where production is
          unknown), supplier (largest), share_value, share_quantity (of t contained), hhi_value,
          hhi_quantity, china_value, china_quantity (shares), since (first year of the present run in which
          this supplier has half), first_half (first year ever), trend (change of its share a year over five
          years), trend_probability, direction (``worse``, ``better``, ``unclear``), momentum (change of the
          last year), neighbour_share, duty_one_country, duty_neighbours, duty, remaining (N-1, fraction of
          use), maker, maker_share, mine, mine_share with mine_low and mine_high (traced origin), geopolrisk,
          unknown (what is not known and why), source, as_of, grade;
        - ``summary``: name, value: counts behind the summary sentence.

        Rank: forms under the duty first, then the larger share of the largest supplier in all use (its share
        x net import reliance, or its share alone where production is unknown).

    Raises:
        UnknownNameError: no such country or data set; the nearest is named.
        NotCoveredError: the trade table does not have the year, or was not knowable on ``as_of``.

    >>> import polars as pl
    >>> table = exposure("KOR", 2023, origins=False)["exposure"]
    >>> row = table.row(by_predicate=pl.col("form") == "lithium/hydroxide", named=True)
    >>> row["supplier"], round(row["share_value"], 3), row["duty"], row["name_ko"]
    ('CHN', 0.799, True, '수산화리튬')
    """
    place = _country(country)
    when = _year(year, dataset, folder, as_of)
    forms = [form_of(name) for name in form_names()]
    sources = Sources.open(form_names(), [when], as_of=as_of, dataset=dataset, folder=folder)
    codes = {one.name: _readable(one, sources) for one in forms}
    codes = {name: listed for name, listed in codes.items() if listed}
    shares = shares_of(place, codes, when, dataset=dataset, folder=folder, as_of=as_of)
    table = sources.grouped(EUROPEAN_UNION, MEMBERS) if place == EUROPEAN_UNION else sources
    near, why = _neighbours(place, neighbours)
    limits = duty_parameters()
    scores, covered = _geopolrisk(place, when, table.revision, dataset, folder, as_of)
    traced = _origins(table, forms, place, when) if origins else {}
    asked = Asked(place, when, near, limits, TREND_YEARS, covered)
    rows = [
        exposure_row(one, asked, table, shares, codes, scores.get(one.name), traced.get(one.name))
        for one in forms
    ]
    call: dict[str, object] = {"country": place, "year": when, "dataset": dataset, "neighbours": list(near)}
    call |= {"origins": origins, "as_of": None if as_of is None else str(as_of)}
    used: tuple[Parameter, ...] = limits
    return exposure_result(rows, asked, table.inputs, used, why, call)


def _country(given: str) -> str:
    from evernormal.data.geography import country  # noqa: PLC0415 - reads tables

    return given if given == EUROPEAN_UNION else country(given, where="country")


def _year(given: int | None, dataset: str | None, folder: str | Path | None, as_of: date | str | None) -> int:
    from evernormal.data import covered_codes, trade  # noqa: PLC0415 - opens the snapshot

    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int):
            raise InputError(f"year must be a whole number, got {given!r}")
        return given
    code = covered_codes(dataset=dataset, folder=folder, as_of=as_of)[:1]
    rows = trade(code, dataset=dataset, folder=folder, as_of=as_of)
    if rows.is_empty():
        raise NotCoveredError("the trade table is empty", cure="Add trade: evernormal data add baci FILE.")
    return int(str(rows["year"].max()))


def _readable(one: Form, sources: Sources) -> list[str]:
    listed = one.trade_codes if sources.revision == SHIPPED_REVISION else codes_in(one, sources.revision)
    return [code for code in listed if code in sources.codes]


def _neighbours(place: str, given: Iterable[str] | None) -> tuple[tuple[str, ...], str]:
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if given is None:
        return neighbours_of(place)
    return tuple(check_iso3(given, where="neighbours")), "given"


def _geopolrisk(
    place: str,
    year: int,
    revision: str,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> tuple[dict[str, tuple[str, float | None]], bool]:
    """Score by form, through the codes that its material stands for; and whether the year is covered.

    The method knows codes of the shipped revision only: on the user's trade of another one nothing is scored.
    """
    if revision != SHIPPED_REVISION:
        return {}, False
    from evernormal.risk.cells import materials  # noqa: PLC0415 - reads a table
    from evernormal.risk.geopolitical import geopolrisk  # noqa: PLC0415 - opens the snapshot

    try:
        table = geopolrisk([place], [year], dataset=dataset, folder=folder, as_of=as_of)["geopolrisk"]
    except NotCoveredError:
        return {}, False
    scores = dict(table.select("material", "score").iter_rows())
    owners: dict[str, list[str]] = {}
    for name, material in materials().items():
        for code in material.codes:
            owners.setdefault(code, []).append(name)
    found: dict[str, tuple[str, float | None]] = {}
    for name in form_names():
        named = sorted({owner for code in form_of(name).trade_codes for owner in owners.get(code, ())})
        if len(named) == 1:
            found[name] = (named[0], scores.get(named[0]))
    return found, True


def _origins(
    sources: Sources, forms: Iterable[Form], place: str, year: int
) -> Mapping[str, Mapping[str, object]]:
    """Largest maker and mine of every form that can be traced."""
    found = {}
    for one in forms:
        traced, _ = trace(sources, one, [place], year)
        if traced:
            found[one.name] = _largest(traced[0], sources.labels)
    return found


def _largest(one: Traced, labels: tuple[str, ...]) -> Mapping[str, object]:
    row: dict[str, object] = {}
    for number, (name, middle, low, high) in enumerate(one.stages):
        if not middle.size or middle.max() <= 0:
            continue
        top = int(np.argmax(middle))
        if middle[top] <= 1.0 - float(middle.sum()) and name in one.whole:
            continue  # more is unexplained than the largest share: no largest is known
        if number == 0:
            row |= {"maker": labels[top], "maker_share": float(middle[top])}
        if stage_name(name, one.chain.kept[-1], one.chain.kept) == "mined" and name in one.whole:
            row |= {"mine": labels[top], "mine_share": float(middle[top])}
            row |= {"mine_low": float(low[top]), "mine_high": float(high[top])}
    return row
