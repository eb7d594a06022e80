"""The supply-stability index of every country, form and year, from trade alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.errors import UnknownNameError
from evernormal.network.forms import form, form_names
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result
from evernormal.risk.cells import EUROPEAN_UNION
from evernormal.risk.momentum_panel import (
    countries_asked,
    form_codes,
    import_sums,
    last_year,
    opened,
    whole_years,
)
from evernormal.risk.stability import checked_weights, past_ratio, percentile_rank, stability_parameters
from evernormal.risk.stability_cells import Components, stability_tables

__all__ = [
    "UNITS",
    "Events",
    "annual_tightness",
    "events_known",
    "lineage_of",
    "ranked",
    "said_of",
    "supply_stability",
]

Floats = npt.NDArray[np.float64]
Events = Mapping[str, Iterable[int]]

_RESTRICTIONS = "-effective"


def supply_stability(
    countries: Iterable[str] | None = None,
    years: int | Iterable[int] | None = None,
    forms: Iterable[str] | None = None,
    *,
    events: Events | None = None,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    discount: float | None = None,
    draws: int = 500,
    seed: int = 0,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return a supply-stability index with KOMIR's bands for every country, form and year (E123 to E125).

    Low means tight.  The base is where the price of world trade, against its last five years, stands in the
    history of the form; four discounts take from it: world supply against its past, concentration of world
    exports, the country's imports against their past, concentration of its suppliers.  A year is judged by
    what was known up to it (law 11).  Formula and weights are ours: assumptions.

    Args:
        countries: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country); None for all and the EU.
        years: calendar years; None for the last that the trade table holds.
        forms: forms with codes of their own in the trade table; None for all.
        events: form, or material, to the years in which supply was cut by an event; None for the export
            restrictions among the published facts, in the year in which each takes effect.
        weights: of the four discounts; None for the shipped ones.
        discount: what all discounts together take at most; None for the shipped one.
        draws: draws of weights and discount behind the interval.
        seed: of the draws.
        as_of: use only what was knowable on this day.
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``supply-stability`` with tables

        - ``stability``: country, form, year, index (0 to 100; null where the price or a discount is unknown),
          index_low, index_high (10th and 90th percentile over other weights; where a discount is unknown,
          over its whole range), band, band_ko, event, band_chance (share of the draws in this band), since
          (first year of the present run in this band or a tighter one);
        - ``components``: country, form, year, component, measure (as it was found), rank (0 to 1 of its
          history), tightness, weight, points (what it adds to or takes from the index).

        A cell in which nobody recorded an import has no row.

    Raises:
        UnknownNameError, NotCoveredError, InputError: as :func:`stability_index` and
            :func:`evernormal.data.trade`.

    >>> table = supply_stability(["KOR"], 2022, ["lithium/hydroxide"])["stability"]
    >>> table["band"].item(), table["band_ko"].item()
    ('unstable', '수급불안')
    """
    chosen = opened(dataset, folder, as_of)
    names = countries_asked(countries)
    period = [last_year(chosen)] if years is None else whole_years(years)
    for year in period:
        last_year(chosen, year)
    codes = form_codes(forms, chosen)
    found = _components(chosen, names, codes, max(period))
    first = chosen.coverage_of()[1][0]
    happened, told = events_known(events, names, list(codes), as_of)
    shares, most = checked_weights(weights, discount)
    call: dict[str, object] = {
        "countries": None if countries is None else names, "years": period, "forms": list(codes),
        "weights": shares.tolist(), "discount": most, "draws": draws, "dataset": dataset,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    places = [year - first for year in period]
    keys = (names, list(codes), [str(year) for year in range(first, max(period) + 1)])
    tables = stability_tables(found, keys, places, happened, shares, most, draws, seed)
    tables = {
        name: table.with_columns(pl.col("period").cast(pl.Int64).alias("period")).rename({"period": "year"})
        for name, table in tables.items()
    }
    tables["stability"] = tables["stability"].with_columns(pl.col("since").cast(pl.Int64))
    lineage = lineage_of((chosen.input,), call, shares, most, seed)
    asked = len(names) * len(codes) * len(period)
    findings = (*said_of(tables["stability"], asked, weights is not None), *told)
    return Result("supply-stability", tables, UNITS, lineage, findings)


UNITS = {
    "stability": {"index": "points of 100", "index_low": "points of 100", "index_high": "points of 100",
                  "band_chance": "fraction"},
    "components": {"measure": "1", "rank": "fraction", "tightness": "fraction", "weight": "fraction",
                   "points": "points of 100"},
}  # fmt: skip


def _components(
    chosen: TradeTable, names: Sequence[str], codes: Mapping[str, Sequence[str]], last: int
) -> Components:
    """Sum trade once for the world and the countries, and rank what it says."""
    first = chosen.coverage_of()[1][0]
    years = list(range(first, last + 1))
    world = import_sums(chosen, codes, None, years)
    others = [name for name in names if name != EUROPEAN_UNION]
    own = world.filter(pl.col("country").is_in(others)) if others else world.head(0)
    if EUROPEAN_UNION in names:
        own = pl.concat([own, import_sums(chosen, codes, [EUROPEAN_UNION], years)])
    forms = list(codes)
    price, supply, monopoly = _world(world, forms, years)
    grams, concentration = _imports(own, names, forms, years)
    shape = (len(names), len(forms), len(years))
    measures = np.stack(
        [
            np.broadcast_to(past_ratio(price), shape),
            np.broadcast_to(past_ratio(supply), shape),
            np.broadcast_to(monopoly, shape),
            past_ratio(grams),
            concentration,
        ],
        axis=-1,
    )
    return ranked(measures)


def annual_tightness(
    chosen: TradeTable, country: str, codes: Mapping[str, Sequence[str]], last: int
) -> tuple[Components, list[int]]:
    """Return the yearly components of one country up to a year, and the years."""
    first = chosen.coverage_of()[1][0]
    return _components(chosen, [country], codes, last), list(range(first, last + 1))


def ranked(measures: Floats) -> Components:
    """Rank measures of shape (countries, forms, time, 5) in their own history (equation E124)."""
    ranks = np.moveaxis(percentile_rank(np.moveaxis(measures, -1, -2)), -2, -1)
    tight = ranks[..., 1:].copy()
    tight[..., 0] = 1.0 - tight[..., 0]  # little supply is tight
    return Components(measures, ranks[..., 0], tight)


def _world(sums: pl.DataFrame, forms: Sequence[str], years: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Price, supply and concentration of exports of the world, (forms, years); NaN where not recorded."""
    each = (
        sums.group_by("form", "year", "supplier")
        .agg(pl.col("milli", "priced", "grams").sum())
        .sort("form", "year", "supplier")
        .with_columns(share=pl.col("milli") / pl.col("milli").sum().over("form", "year"))
        .group_by("form", "year", maintain_order=True)
        .agg(pl.col("priced", "grams").sum(), (pl.col("share") ** 2).sum().alias("hhi"))
        .with_columns(price=pl.when(pl.col("grams") > 0).then(pl.col("priced") / pl.col("grams")))
    )
    at = (_places(each["form"], forms), each["year"].to_numpy() - years[0])
    found = []
    for name in ("price", "grams", "hhi"):
        matrix = np.full((len(forms), len(years)), np.nan)
        values = each[name].cast(pl.Float64).to_numpy()
        matrix[at] = np.where(values > 0, values, np.nan)
        found.append(matrix)
    return found[0], found[1], found[2]


def _imports(
    sums: pl.DataFrame, names: Sequence[str], forms: Sequence[str], years: Sequence[int]
) -> tuple[Floats, Floats]:
    """Imports in grams and concentration of suppliers, (countries, forms, years); NaN where not recorded."""
    each = (
        sums.filter(pl.col("milli") > 0)
        .with_columns(share=pl.col("milli") / pl.col("milli").sum().over("country", "form", "year"))
        .group_by("country", "form", "year", maintain_order=True)
        .agg(pl.col("grams").sum(), (pl.col("share") ** 2).sum().alias("hhi"))
    )
    at = (
        _places(each["country"], names),
        _places(each["form"], forms),
        each["year"].to_numpy() - years[0],
    )
    found = []
    for name in ("grams", "hhi"):
        cube = np.full((len(names), len(forms), len(years)), np.nan)
        values = each[name].cast(pl.Float64).to_numpy()
        cube[at] = np.where(values > 0, values, np.nan)
        found.append(cube)
    return found[0], found[1]


def _places(column: pl.Series, names: Sequence[str]) -> npt.NDArray[np.int64]:
    where = {name: number for number, name in enumerate(names)}
    return column.cast(pl.String).replace_strict(where, return_dtype=pl.Int64).to_numpy()


def events_known(
    events: Events | None, countries: Sequence[str], forms: Sequence[str], as_of: date | str | None
) -> tuple[dict[tuple[str, str], frozenset[str]], tuple[Finding, ...]]:
    """Return country and form to the years in which an event cut its supply, and what to say about it.

    A restriction on all countries hits every one; one that names a country hits that one.

    Raises:
        UnknownNameError: an event of neither a form nor a material.
    """
    found: dict[tuple[str, str], set[str]] = {}
    if events is not None:
        for name, when in events.items():
            hit = [one for one in forms if name in (one, form(one).material)]
            if not hit and name not in {*form_names(), *(form(one).material for one in form_names())}:
                raise UnknownNameError("form or material", name, form_names(), where="events")
            for pair in itertools.product(countries, hit):
                found.setdefault(pair, set()).update(str(year) for year in when)
        return {pair: frozenset(years) for pair, years in found.items()}, ()
    from evernormal.data import facts  # noqa: PLC0415 - reads tables

    known = facts("policy", as_of=as_of).filter(
        pl.col("fact_id").str.ends_with(_RESTRICTIONS) & pl.col("material").is_not_null()
    )
    hits = set(countries)
    for material, partner, by, period in known.select("material", "partner", "region", "period").iter_rows():
        whom = countries if partner == "WLD" else [partner] if partner in hits else []
        hit = [one for one in forms if form(one).material == material]
        for pair in itertools.product((c for c in whom if c != by), hit):
            found.setdefault(pair, set()).add(period[:4])
    text = (
        "Events are the export restrictions among the published facts, each in the year in which it takes"
        " effect; give events to count others."
    )
    told = Finding("stability-events-shipped", "info", text, {"forms": len({name for _, name in found})})
    return {pair: frozenset(years) for pair, years in found.items()}, (told,)


def said_of(table: pl.DataFrame, asked: int, given: bool) -> tuple[Finding, ...]:
    """Return what a reader must know of a table of the index.

    Args:
        table: the table ``stability``.
        asked: number of cells that were asked for.
        given: whether the weights are the user's.
    """
    text = (
        "Bands as KOMIR names them; formula and weights are ours, as KOMIR publishes none: compare this index"
        " with itself over time and forms, not with KOMIR's figures."
    )
    found = [Finding("stability-weights-ours", "caution", text, {"given": given})]
    if table.height < asked:
        text = f"In {asked - table.height:,} of {asked:,} cells no import is recorded: they have no row."
        found.append(
            Finding("stability-no-imports", "info", text, {"cells": asked - table.height, "of": asked})
        )
    blank = table.filter(pl.col("index").is_null()).height
    if blank:
        text = (
            f"In {blank:,} of {table.height:,} cells a component is unknown: the index has two ends, or none."
        )
        found.append(Finding("stability-unknown", "caution", text, {"cells": blank, "of": table.height}))
    unsure = table.filter(pl.col("band_chance") < 0.5).height
    if unsure:
        text = f"In {unsure:,} of {table.height:,} cells other weights give another band more often than not."
        found.append(Finding("stability-band-unsure", "caution", text, {"cells": unsure, "of": table.height}))
    return tuple(found)


def lineage_of(
    tables: tuple[Input, ...], call: dict[str, object], shares: Floats, most: float, seed: int
) -> Lineage:
    """Return inputs, weights and derivations of a table of the index."""
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    used = []
    for parameter, value in zip(stability_parameters(), (*shares.tolist(), most), strict=True):
        same = abs(parameter.value - value) < 1e-12
        source = parameter.source if same else "assumption: given by the user"
        used.append(Parameter(parameter.name, value, parameter.low, parameter.high, "fraction", "C", source))
    return Lineage(__version__, (*tables, *inputs("facts")), tuple(used), derivations(), seed=seed, call=call)


def derivations() -> tuple[Derivation, ...]:
    """Return how the columns of the index are made."""
    of, parts = "stability", "components"
    names = tuple(f"parameter:{parameter.name}" for parameter in stability_parameters())
    return (
        Derivation(
            parts, "measure", "E125", (), "Price, supply and imports over the mean of five years before."
        ),
        Derivation(
            parts, "rank", "E124", (f"{parts}.measure",), "Middle rank among all years up to this one."
        ),
        Derivation(parts, "tightness", "E124", (f"{parts}.rank",), "The rank; of supply, what is left to 1."),
        Derivation(
            parts, "points", "E123", (f"{parts}.tightness", *names), "What the component adds or takes."
        ),
        Derivation(of, "index", "E123", (f"{parts}.points",), "Sum of the points of all components."),
        Derivation(of, "index_low", "E127", names, "Tenth percentile over other weights and discounts."),
        Derivation(of, "index_high", "E127", names, "Ninetieth percentile over other weights and discounts."),
    )
