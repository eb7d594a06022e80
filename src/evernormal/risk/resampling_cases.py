"""What resampling draws: the inputs of one country's indicators for one form, each with its spread.

Spreads come from the grade of each figure (:data:`evernormal.network.balance.RELATIVE_SIGMA`), from the
interval of the content, from the standard errors that the publisher of governance gives, and from what is
not known.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.network.forms import end_uses
from evernormal.network.forms import form as form_of
from evernormal.network.network import EndUse
from evernormal.network.observations import contained_rows
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS
from evernormal.risk.focal_sums import suppliers
from evernormal.risk.momentum_panel import form_codes, union_of
from evernormal.risk.usgs_risk_world import Known, known_on, world_supply

__all__ = ["BLOCK", "Case", "Governance", "Inputs", "cases_of", "governance_of", "median_inputs", "sample"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BLOCK = 250
"""Draws that share a stream; a run of any length and any chunk reads the same streams."""

_TRADE_SIGMA = RELATIVE_SIGMA["A"]


@dataclass(frozen=True)
class Case:
    """One form of one country in one year.

    Attributes:
        name: form.
        partners: suppliers of its imports, sorted.
        value: USD per supplier.
        value_sigma: relative standard deviation of each.
        tonnes: t contained per supplier.
        tonnes_sigma: relative standard deviation of each, without that of the content.
        content_sigma: relative standard deviation of the content, common to all trade of the form.
        exports: t contained.
        makers: producers of the world, sorted.
        made: t contained, or shares, per maker.
        made_sigma: relative standard deviation of each.
        made_most: the most that a maker without a figure may have made; 0 for others.
        made_rest: share of the world that no named maker supplies.
        made_known: ``statistics``, ``published shares`` or ``unknown``.
        home: makers that are the country itself.
        uses: end uses, with the value added that hangs on a tonne.
    """

    name: str
    partners: tuple[str, ...]
    value: Floats
    value_sigma: Floats
    tonnes: Floats
    tonnes_sigma: Floats
    content_sigma: float
    exports: float
    makers: tuple[str, ...]
    made: Floats
    made_sigma: Floats
    made_most: Floats
    made_rest: float
    made_known: str
    home: Flags
    uses: tuple[EndUse, ...]


@dataclass(frozen=True)
class Governance:
    """Estimate and standard error of political stability by country; a country without has neither."""

    estimate: Mapping[str, float]
    error: Mapping[str, float]


@dataclass(frozen=True)
class Inputs:
    """Inputs of the indicators, one row per draw.

    Attributes:
        case: the form.
        value: USD, (draws, partners).
        tonnes: t contained, (draws, partners).
        exports: t contained, (draws,).
        made: t contained, or shares, (draws, makers).
        risk: governance risk of the partners, (draws, partners).
        makers_risk: governance risk of the makers, (draws, makers).
        earned: value added per tonne in each end use, (draws, uses).
        none_at_home: take it that a form whose production no statistics count is not made at home.
    """

    case: Case
    value: Floats
    tonnes: Floats
    exports: Floats
    made: Floats
    risk: Floats
    makers_risk: Floats
    earned: Floats
    none_at_home: bool = False


def cases_of(
    chosen: TradeTable,
    country: str,
    year: int,
    forms: Iterable[str] | None,
    *,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> list[Case]:
    """Return the forms that a country imports in a year, with the spread of every input.

    Raises:
        UnknownNameError, NotCoveredError: as :func:`evernormal.data.trade`.
    """
    from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

    codes = form_codes(forms, chosen)
    every = sorted(code for listed in codes.values() for code in listed)
    flows = trade(every, years=[year], dataset=dataset, folder=folder, as_of=as_of)
    known = known_on(as_of)
    found = []
    for name, listed in codes.items():
        rows = flows.filter(pl.col("code").is_in(list(listed)))
        case = _case(known, country, year, name, rows)
        if case is not None:
            found.append(case)
    return found


def _case(known: Known, country: str, year: int, name: str, rows: pl.DataFrame) -> Case | None:
    one = form_of(name)
    rows = contained_rows(rows, one).filter(pl.col("exporter") != pl.col("importer"))
    spread = rows.select("code", "exporter", "importer", "content_spread")
    rows = union_of(rows) if country == EUROPEAN_UNION else rows
    bought = rows.filter((pl.col("importer") == country) & pl.col("contained_t").is_not_null())
    if bought.is_empty():
        return None
    sold = rows.filter(pl.col("exporter") == country)["contained_t"].drop_nulls().sort()
    by_grade = pl.col("grade").replace_strict(dict(RELATIVE_SIGMA), return_dtype=pl.Float64)
    each = (
        bought.with_columns(sigma=by_grade)
        .sort("exporter", "code", "contained_t")
        .group_by("exporter", maintain_order=True)
        .agg(
            pl.col("value_usd", "contained_t").sum(),
            ((pl.col("contained_t") * pl.col("sigma")) ** 2).sum().sqrt().alias("deviation"),
            ((pl.col("value_usd") * _TRADE_SIGMA) ** 2).sum().sqrt().alias("value_deviation"),
        )
        .sort("exporter")
    )
    tonnes, value = each["contained_t"].to_numpy(), each["value_usd"].to_numpy()
    world = world_supply(known, one, year)
    named = np.flatnonzero((world.amounts > 0) | (world.most > 0))
    makers = [suppliers()[place] for place in named]
    home = np.isin(np.array(makers, dtype=str), MEMBERS if country == EUROPEAN_UNION else (country,))
    grade = "A" if world.how == "statistics" else "B"
    return Case(
        name,
        tuple(each["exporter"].cast(pl.String).to_list()),
        value,
        _over(each["value_deviation"].to_numpy(), value),
        tonnes,
        _over(each["deviation"].to_numpy(), tonnes),
        float(str(spread["content_spread"].median() or 0.0)),
        float(sold.sum()),
        tuple(makers),
        world.amounts[named],
        _made_sigma(known, one.production_source, year, makers, grade),
        world.most[named],
        world.rest,
        world.how,
        home,
        end_uses(name, country),
    )


def _over(deviation: Floats, amount: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(amount > 0, deviation / amount, 0.0)


def _made_sigma(known: Known, source: str, year: int, makers: Sequence[str], grade: str) -> Floats:
    """Relative standard deviation of each maker by the grade that its figure carries."""
    sigma = dict.fromkeys(makers, RELATIVE_SIGMA[grade])
    if known.production is not None and source and grade == "A":
        rows = known.production.filter(
            (pl.col("material") == source.partition(":")[2]) & (pl.col("year") == year)
        )
        for name, mark in rows.select("country", "grade").iter_rows():
            if name in sigma:
                sigma[name] = RELATIVE_SIGMA[mark]
    return np.array([sigma[name] for name in makers], dtype=np.float64)


def governance_of(year: int, as_of: date | str | None) -> Governance:
    """Return estimates and standard errors of a year, or of the latest of the two years before it."""
    from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.schema import day  # noqa: PLC0415
    from evernormal.data.snapshot import source_day  # noqa: PLC0415

    asked = day(as_of)
    if asked is not None and source_day("governance") > asked:
        return Governance({}, {})
    rows = governance(years=range(year - 2, year + 1), indicators=["estimate", "standard_error"])
    tables: dict[str, dict[str, float]] = {"estimate": {}, "standard_error": {}}
    for name, kind, value in rows.sort("year").select("country", "indicator", "value").iter_rows():
        if value is not None:
            tables[kind][name] = value
    return Governance(tables["estimate"], tables["standard_error"])


def _log_sigma(relative: Floats | float) -> Floats:
    return np.sqrt(np.log1p(np.asarray(relative, dtype=np.float64) ** 2))


def _risk(estimate: Floats) -> Floats:
    """Governance risk of an estimate (equation E10)."""
    return np.clip((2.5 - estimate) / 5.0, 0.0, 1.0)


def _stream(seed: int, name: str, block: int) -> np.random.Generator:
    """Return the stream of one thing in one block of draws; which others are drawn does not matter."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode()), block]))


def median_inputs(case: Case, ruled: Governance) -> Inputs:
    """Return the inputs as published, in one row; what is unknown takes the middle."""
    middle = np.array([[use.value_added.value for use in case.uses]], dtype=np.float64)
    return Inputs(
        case,
        case.value[None],
        case.tonnes[None],
        np.array([case.exports]),
        case.made[None],
        _middle(case.partners, ruled),
        _middle(case.makers, ruled),
        middle,
    )


def _middle(names: Sequence[str], ruled: Governance) -> Floats:
    level = np.array([ruled.estimate.get(name, np.nan) for name in names], dtype=np.float64)
    return np.where(np.isnan(level), 0.5, _risk(level))[None]


def sample(case: Case, ruled: Governance, seed: int, start: int, stop: int) -> Inputs:
    """Return draws ``start`` to ``stop`` of the inputs of a case (equation E128).

    The same draw has the same numbers whatever ``start`` and ``stop`` are, and the same governance in every
    case.
    """
    blocks = [_block(case, ruled, seed, block) for block in range(start // BLOCK, -(-stop // BLOCK))]
    first = start // BLOCK * BLOCK
    joined = [np.concatenate(parts)[start - first : stop - first] for parts in zip(*blocks, strict=True)]
    value, tonnes, exports, made, risk, makers_risk, earned = joined
    return Inputs(case, value, tonnes, exports, made, risk, makers_risk, earned)


def _block(case: Case, ruled: Governance, seed: int, block: int) -> tuple[Floats, ...]:
    rng = _stream(seed, f"case {case.name}", block)

    def spread(relative: Floats) -> Floats:
        return np.exp(_log_sigma(relative) * rng.standard_normal((BLOCK, len(relative))))

    value = case.value * spread(case.value_sigma)
    content = np.exp(_log_sigma(case.content_sigma) * rng.standard_normal((BLOCK, 1)))
    tonnes = case.tonnes * spread(case.tonnes_sigma) * content
    exports = case.exports * np.exp(_log_sigma(_TRADE_SIGMA) * rng.standard_normal(BLOCK)) * content[:, 0]
    made = case.made * spread(case.made_sigma)
    made = made + case.made_most * rng.random((BLOCK, len(case.makers)))
    ends = [[use.value_added.low, use.value_added.value, use.value_added.high] for use in case.uses]
    earned = _triangular(rng.random((BLOCK, len(ends))), np.array(ends, dtype=np.float64))
    names = dict.fromkeys((*case.partners, *case.makers))
    drawn = {name: _governance(name, ruled, seed, block) for name in names}
    risk = np.stack([drawn[name] for name in case.partners], axis=1)
    makers = [drawn[name] for name in case.makers]
    of_makers = np.stack(makers, axis=1) if makers else np.zeros((BLOCK, 0))
    return value, tonnes, exports, made, risk, of_makers, earned


def _governance(name: str, ruled: Governance, seed: int, block: int) -> Floats:
    rng = _stream(seed, f"governance {name}", block)
    if name not in ruled.estimate:
        return rng.random(BLOCK)
    return _risk(ruled.estimate[name] + ruled.error.get(name, 0.0) * rng.standard_normal(BLOCK))


def _triangular(chance: Floats, ends: Floats) -> Floats:
    """Quantiles of triangular distributions, one per column; the middle where both ends are one."""
    low, mode, high = ends[:, 0], ends[:, 1], ends[:, 2]
    width = np.where(high > low, high - low, 1.0)
    turn = (mode - low) / width
    with np.errstate(invalid="ignore"):
        rising = low + np.sqrt(chance * width * (mode - low))
        falling = high - np.sqrt((1.0 - chance) * width * (high - mode))
    return np.where(high > low, np.where(chance < turn, rising, falling), mode)
