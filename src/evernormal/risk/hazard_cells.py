"""Exporters and forms as they stand now, with what the fitted models say of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import gamma

from evernormal.market.history.candidates import TIERS
from evernormal.market.history.cleaning import ENTREPOTS, NOT_BY_WEIGHT
from evernormal.market.history.records import TradeRecords
from evernormal.risk.hazard_events import items_of_codes
from evernormal.risk.hazard_judgement import QUANTITIES, Judgement, judgement_for, narrowness, weighed
from evernormal.risk.hazard_rates import Z80, Rates
from evernormal.risk.hazard_spans import Durations, Onsets, Severities

__all__ = ["Cell", "Models", "cells_of_forms", "cells_of_materials", "hazard_rows"]

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]

UNKNOWN: Triple = (float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Cell:
    """One exporter and what it may cut.

    Attributes:
        exporter: ISO 3166 alpha-3.
        item: form, or material of a restriction.
        forms: forms that one act hits.
        parts: codes or material of the model, with weights that sum to 1; empty where the model has none.
        share: of world exports (or production); nan where unknown.
        governance: 0 good to 1 bad; nan where unknown.
    """

    exporter: str
    item: str
    forms: tuple[str, ...]
    parts: tuple[tuple[str, float, float], ...]
    share: float
    governance: float


@dataclass(frozen=True)
class Models:
    """Everything that was fitted; a part that could not be is None and says why in a finding."""

    rates: Rates
    severities: Severities | None
    onsets: Onsets | None
    durations: Durations | None


def cells_of_forms(
    trade: TradeRecords,
    revision: str,
    tier: str,
    ruled: Mapping[str, Mapping[int, float]],
    forms: Iterable[str],
) -> list[Cell]:
    """Return the exporters that are large enough now in codes of the forms, for the year after the last.

    Each part of a cell is a code with its weight (value shipped) and the exporter's share of it.
    """
    own = items_of_codes(trade.codes, revision)
    found = []
    for name in sorted(set(forms) & set(own)):
        by_exporter: dict[str, list[tuple[str, float, float]]] = {}
        world = 0.0
        value: dict[str, float] = {}
        for code in own[name]:
            records = trade.codes[code]
            last = slice(len(records.years) - 2, len(records.years))
            amounts, total = records.exports[:, last].mean(axis=1), float(records.world[last].mean())
            worth = records.export_value[:, last].mean(axis=1)
            world += float(records.world_value[last].mean())
            for i in np.flatnonzero(amounts > 0):
                who = records.countries[i]
                value[who] = value.get(who, 0.0) + float(worth[i])
                relays = records.imports[i, last].sum() > 0.8 * records.exports[i, last].sum()
                if code in NOT_BY_WEIGHT or who in ENTREPOTS or relays:
                    continue
                if total > 0 and amounts[i] >= TIERS[tier].share * total:
                    by_exporter.setdefault(who, []).append((code, float(worth[i]), float(amounts[i] / total)))
        for who, parts in sorted(by_exporter.items()):
            weight = sum(w for _, w, _ in parts)
            shared = tuple((c, w / weight if weight > 0 else 1 / len(parts), s) for c, w, s in sorted(parts))
            found.append(Cell(who, name, (name,), shared, value[who] / world, _latest(ruled, who)))
    return found


def cells_of_materials(
    panel: pl.DataFrame, ruled: Mapping[str, Mapping[int, float]], forms: Iterable[str]
) -> list[Cell]:
    """Return the exporters that are exposed in the last year of a panel of materials."""
    wanted: dict[str, list[str]] = {}
    for name in sorted(forms):
        wanted.setdefault(name.partition("/")[0], []).append(name)
    now = panel.filter(pl.col("year") == pl.col("year").max(), pl.col("item").is_in(list(wanted)))
    return [
        Cell(who, item, tuple(wanted[item]), ((item, 1.0, share),), share, _latest(ruled, who))
        for who, item, share in now.select("exporter", "item", "share").sort("item", "exporter").iter_rows()
    ]


def _latest(ruled: Mapping[str, Mapping[int, float]], country: str) -> float:
    known = ruled.get(country, {})
    return known[max(known)] if known else float("nan")


def hazard_rows(
    cells: Sequence[Cell],
    models: Models,
    panel: pl.DataFrame,
    judgements: Sequence[Judgement],
    wanted: Iterable[str],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return one row of hazards and one of distributions per cell; judgements of others add cells."""
    counts = {
        (e, i): (int(n), int(k))
        for e, i, n, k in panel.group_by("exporter", "item")
        .agg(pl.len().alias("n"), pl.col("event").sum().alias("k"))
        .iter_rows()
    }
    rows, laws = [], []
    every = [*cells, *_judged_only(cells, judgements, wanted)]
    for cell in sorted(every, key=lambda c: (c.item, c.exporter)):
        exposed = [counts.get((cell.exporter, part), (0, 0)) for part, _, _ in cell.parts]
        row: dict[str, Any] = {
            "exporter": cell.exporter,
            "item": cell.item,
            "forms": ";".join(cell.forms),
            "share": cell.share,
            "governance": cell.governance,
            "events": sum(k for _, k in exposed),
            "exposed_years": sum(n for n, _ in exposed),
        }
        model = _modelled(cell, models)
        for name, quantity in _NAMES.items():
            mine = _nearest(judgements, cell, quantity)
            used = weighed(model[name], mine)
            row |= {
                f"{name}_model": model[name][0],
                name: used.value,
                f"{name}_low": used.low,
                f"{name}_high": used.high,
                f"{name}_weight": used.weight,
            }
            if mine is not None:
                row["source"] = "; ".join(filter(None, [row.get("source"), f"{name}: {mine.source}"]))
        row["chance"] = float(-np.expm1(-row["rate"])) if np.isfinite(row["rate"]) else float("nan")
        row.setdefault("source", "model")
        rows.append(row)
        laws.append({"exporter": cell.exporter, "item": cell.item, **_laws(cell, models)})
    return rows, laws


_NAMES = {
    "rate": "rate_per_year",
    "severity": "severity",
    "onset_days": "onset_days",
    "duration_months": "duration_months",
}
assert set(_NAMES.values()) == set(QUANTITIES)


def _nearest(judgements: Sequence[Judgement], cell: Cell, quantity: str) -> Judgement | None:
    found = [judgement_for(judgements, cell.exporter, name, quantity) for name in cell.forms]
    told = [one for one in found if one is not None]
    return max(told, key=narrowness, default=None)


def _judged_only(cells: Sequence[Cell], judgements: Sequence[Judgement], wanted: Iterable[str]) -> list[Cell]:
    """Return cells that only a judgement of frequency knows: what is wanted and no cell has yet."""
    items = {(cell.exporter, cell.item) for cell in cells}
    have = {(cell.exporter, name) for cell in cells for name in cell.forms}
    judged = {
        (one.exporter, one.form)
        for one in judgements
        if one.quantity == "rate_per_year" and one.exporter and one.form
    }
    nan, found = float("nan"), []
    for who, name in sorted(judged - items, key=lambda pair: ("/" not in pair[1], pair)):
        mine = (form for form in sorted(wanted) if name in (form, form.partition("/")[0]))
        rest = tuple(form for form in mine if (who, form) not in have)
        have |= {(who, form) for form in rest}
        if rest:
            found.append(Cell(who, name, rest, (), nan, nan))
    return found


def _modelled(cell: Cell, models: Models) -> dict[str, Triple]:
    """Return value, low and high of each quantity by the models alone: medians but for the rate, a mean."""
    who = cell.exporter
    found: dict[str, Triple] = {"rate": _rate(cell, models.rates)[0]}
    severity, onset, duration = models.severities, models.onsets, models.durations
    if severity is not None:
        low, middle, high = (float(v) for v in severity.quantile(who, np.array([0.1, 0.5, 0.9])))
        found["severity"] = (middle, low, high)
    if onset is not None:
        found["onset_days"] = (onset.quantile(who, 0.0), onset.quantile(who, -Z80), onset.quantile(who, Z80))
    if duration is not None:
        low, middle, high = (float(v) for v in duration.quantile(who, np.array([0.1, 0.5, 0.9])))
        found["duration_months"] = (middle, low, high)
    return {name: found.get(name, UNKNOWN) for name in _NAMES}


def _rate(cell: Cell, rates: Rates) -> tuple[Triple, float]:
    """Return mean rate with its 80 % interval, and the shape of its gamma distribution."""
    if not cell.parts:
        return UNKNOWN, float("nan")
    names = [part for part, _, _ in cell.parts]
    shares = np.array([share for _, _, share in cell.parts])
    weights = np.array([weight for _, weight, _ in cell.parts])
    risks = np.full(len(names), cell.governance)
    mean, shape = rates.rates([cell.exporter] * len(names), names, risks, shares)
    value, wide = float(weights @ mean), float(weights @ shape)
    low, high = gamma.ppf([0.1, 0.9], wide, scale=value / wide)
    return (value, float(low), float(high)), wide


def _laws(cell: Cell, models: Models) -> dict[str, float]:
    """Return the parameters of the distributions from which a cell is drawn."""
    nan = float("nan")
    severity, onset, duration = models.severities, models.onsets, models.durations
    a, b = (nan, nan) if severity is None else severity.parameters(cell.exporter)
    mean, spread = (nan, nan) if onset is None else onset.parameters(cell.exporter)
    scale = (
        nan if duration is None else duration.scale * duration.factor(cell.exporter) ** (-1 / duration.shape)
    )
    return {
        "rate_shape": _rate(cell, models.rates)[1],
        "severity_floor": nan if severity is None else severity.floor,
        "severity_a": a,
        "severity_b": b,
        "onset_mean": mean,
        "onset_spread": spread,
        "duration_shape": nan if duration is None else duration.shape,
        "duration_scale": float(scale),
    }
