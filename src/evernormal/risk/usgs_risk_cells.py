"""The table of :func:`evernormal.risk.usgs_risk.usgs_supply_risk_table`: every cell with its two ends."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.trade_table import TradeTable
from evernormal.network.form_tables import Form
from evernormal.network.form_tables import rows as rows_of
from evernormal.network.forms import end_uses, form
from evernormal.network.observations import contained_rows
from evernormal.result import Derivation, Finding, Input, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS, reporters
from evernormal.risk.focal_sums import suppliers
from evernormal.risk.momentum_panel import union_of
from evernormal.risk.usgs_risk import usgs_supply_risk
from evernormal.risk.usgs_risk_world import Hazard, Known, WorldSupply, hazard_of, known_on, world_supply

__all__ = ["Amounts", "amounts_of", "exposure_of", "table_of"]

Floats = npt.NDArray[np.float64]
Ends = tuple[Floats, Floats, Floats]

PARTS = ("disruption_potential", "trade_exposure", "economic_vulnerability", "supply_risk")
_ENDS = ("_low", "", "_high")


class Amounts:
    """Trade of one form in one year for every reporter and, last, the Union: tonnes contained and USD."""

    def __init__(self, rows: pl.DataFrame) -> None:
        place = {name: number for number, name in enumerate(reporters())}
        known = rows.filter(pl.col("contained_t").is_not_null())
        outer = union_of(known)

        def summed(side: str, column: str) -> Floats:
            at = known[side].replace_strict(place, return_dtype=pl.Int64).to_numpy()
            own = np.bincount(at, known[column].to_numpy(), minlength=len(place))
            union = outer.filter(pl.col(side) == EUROPEAN_UNION)[column].to_numpy().sum()
            return np.append(own, union).astype(np.float64)

        self.imports = summed("importer", "contained_t")
        self.exports = summed("exporter", "contained_t")
        self.value = summed("importer", "value_usd")

    @property
    def unseen(self) -> npt.NDArray[np.bool_]:
        """Countries of which nobody recorded any trade."""
        return (self.imports <= 0) & (self.exports <= 0)

    @property
    def price(self) -> Floats:
        """USD per tonne contained that each country pays; the world's where it imports nothing."""
        world = self.value[:-1].sum() / self.imports[:-1].sum() if self.imports.sum() > 0 else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.imports > 0, self.value / self.imports, world)


def amounts_of(rows: pl.DataFrame, one: Form) -> Amounts:
    """Return what every country traded of a form, from trade rows of its codes in one year."""
    kept = contained_rows(rows, one).filter(pl.col("exporter") != pl.col("importer"))
    return Amounts(kept.select("exporter", "importer", "contained_t", "value_usd"))


def exposure_of(amounts: Amounts, world: WorldSupply) -> Ends:
    """Return net import reliance of every country (equation E106): least, middle, greatest."""
    net = amounts.imports - amounts.exports
    count = len(net) - 1
    if world.how != "statistics":
        open_end = np.where(net > 0, np.nan, 0.0)
        return np.zeros(len(net)), open_end, np.where(net > 0, 1.0, 0.0)
    inside = np.isin(np.asarray(suppliers()), MEMBERS)
    made = np.append(world.amounts[:count], world.amounts[inside].sum())
    more = made + np.append(world.most[:count], world.most[inside].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, low = (np.where(net > 0, net / (net + p), 0.0) for p in (made, more))
    return low, middle, middle


def _disruption(world: WorldSupply, hazard: Hazard) -> Ends:
    """Return disruption potential of every country, its own supply left out (equation E121)."""
    count = len(reporters())
    inside = np.isin(np.asarray(suppliers()), MEMBERS)
    found = []
    for number, terms in enumerate(world.terms(hazard)):
        own = np.append(terms[:count], terms[inside].sum())
        rest = world.rest**2 if number == 2 else 0.0
        # the sum without the own term, not the sum less it: a difference of like numbers loses digits
        others = np.array([np.delete(terms, place).sum() for place in range(count)])
        foreign = np.append(others, terms[~inside].sum()) + rest
        found.append(np.clip(np.where(np.isnan(own), np.nan, foreign), 0.0, 1.0))
    if world.how == "unknown":
        return np.zeros(count + 1), np.full(count + 1, np.nan), np.ones(count + 1)
    return found[0], found[1], found[2]


def _vulnerability(one: Form, price: Floats, given: float | None, regions: Sequence[str]) -> Ends:
    """Return economic vulnerability of every country (equation E122)."""
    size = len(price)
    if given is not None:
        level = np.full(size, given)
        return level, level, level
    found = [np.full(size, np.nan) for _ in range(3)]
    own = _own_uses().get(one.name, frozenset())
    groups: dict[str, list[int]] = {}
    for place, region in enumerate(regions):
        groups.setdefault(region if region in own else "WLD", []).append(place)
    for where, places in groups.items():
        uses = end_uses(one.name, where)
        shares = np.array([use.share.value for use in uses])
        for number, end in enumerate(("high", "value", "low")):
            earned = np.array([getattr(use.value_added, end) for use in uses])
            ratio = np.minimum(price[places][:, None] / earned, 1.0)
            found[number][places] = np.clip((shares * ratio).sum(axis=1), 0.0, 1.0)
    blank = np.isnan(found[1])
    return np.where(blank, 0.0, found[0]), found[1], np.where(blank, 1.0, found[2])


@functools.cache
def _own_uses() -> dict[str, frozenset[str]]:
    """Form to the regions that have end uses of their own."""
    found: dict[str, set[str]] = {}
    for row in rows_of("end_uses"):
        found.setdefault(row["form"], set()).add(row["region"])
    return {name: frozenset(regions) for name, regions in found.items()}


def table_of(
    chosen: TradeTable,
    countries: Sequence[str],
    years: Sequence[int],
    codes: Mapping[str, Sequence[str]],
    vulnerability: Mapping[str, float],
    *,
    as_of: date | str | None,
    dataset: str | None,
    folder: str | Path | None,
) -> Result:
    """Compute every cell; see :func:`evernormal.risk.usgs_risk.usgs_supply_risk_table`."""
    from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

    labels = [*reporters(), EUROPEAN_UNION]
    picked = [labels.index(name) for name in countries]
    known = known_on(as_of)
    flows = trade(sorted(c for listed in codes.values() for c in listed), years=years, dataset=dataset,
                  folder=folder, as_of=as_of)  # fmt: skip
    parts: list[pl.DataFrame] = []
    for year in years:
        hazard = hazard_of(known, year)
        for name, listed in codes.items():
            one = form(name)
            rows = flows.filter((pl.col("year") == year) & pl.col("code").is_in(list(listed)))
            cells, world = _cells(known, hazard, one, rows, year, vulnerability.get(name), labels)
            parts.append(_frame(cells, picked, countries, name, year, world.how))
    table = pl.concat(parts) if parts else pl.DataFrame()
    order = pl.DataFrame({"country": list(countries), "_c": list(range(len(countries)))})
    table = table.join(order, on="country").sort("_c", "form", "year").drop("_c")
    call: dict[str, object] = {
        "countries": list(countries), "years": list(years), "forms": list(codes), "dataset": dataset,
        "vulnerability": dict(vulnerability) or None, "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    units = {f"{part}{end}": "1" for part in PARTS for end in _ENDS}
    return Result(
        "usgs-supply-risk",
        {"usgs_supply_risk": table},
        {"usgs_supply_risk": units},
        _lineage(chosen.input, known, call),
        _told(table, known, bool(vulnerability)),
    )


def _cells(
    known: Known,
    hazard: Hazard,
    one: Form,
    rows: pl.DataFrame,
    year: int,
    given: float | None,
    labels: Sequence[str],
) -> tuple[dict[str, Ends], WorldSupply]:
    amounts, world = amounts_of(rows, one), world_supply(known, one, year)
    found = {
        "disruption_potential": _disruption(world, hazard),
        "trade_exposure": exposure_of(amounts, world),
        "economic_vulnerability": _vulnerability(one, amounts.price, given, labels),
    }
    risk = [np.asarray(usgs_supply_risk(*(part[end] for part in found.values()))) for end in range(3)]
    found["supply_risk"] = (risk[0], risk[1], risk[2])
    blank = amounts.unseen
    hidden = {name: tuple(np.where(blank, np.nan, end) for end in ends) for name, ends in found.items()}
    return hidden, world  # type: ignore[return-value]


def _frame(
    cells: Mapping[str, Ends], picked: Sequence[int], countries: Sequence[str], name: str, year: int, how: str
) -> pl.DataFrame:
    columns = {
        f"{part}{end}": pl.Series(ends[number][picked], dtype=pl.Float64, nan_to_null=True)
        for part, ends in cells.items()
        for number, end in ((1, ""), (0, "_low"), (2, "_high"))
    }
    keys = {
        "country": pl.Series(list(countries)),
        "form": pl.repeat(name, len(countries), eager=True),
        "year": pl.repeat(year, len(countries), dtype=pl.Int64, eager=True),
    }
    return pl.DataFrame({**keys, **columns, "world_supply": pl.repeat(how, len(countries), eager=True)})


def _told(table: pl.DataFrame, known: Known, given: bool) -> tuple[Finding, ...]:
    vulnerability = "economic vulnerability is given" if given else (
        "value added per tonne stands for operating profit, and no industry weighs by its part of the economy"
    )  # fmt: skip
    text = (
        "In the manner of the U.S. Geological Survey, not its figures: political stability stands for its"
        f" indices of ability and willingness to supply, and {vulnerability}. Its threshold of 0.40 does not"
        " apply."
    )
    found = [Finding("usgs-deviations", "caution", text, {})]
    bounded = table.filter(pl.col("supply_risk").is_null() & pl.col("supply_risk_high").is_not_null()).height
    if bounded:
        text = (
            f"In {bounded:,} of {table.height:,} cells an input is unknown: the score has two ends,"
            " supply_risk_low and supply_risk_high, and no middle."
        )
        found.append(Finding("usgs-risk-bounded", "caution", text, {"cells": bounded, "of": table.height}))
    by_shares = table.filter(pl.col("world_supply") == "published shares")["form"].n_unique()
    if by_shares:
        text = (
            f"Who supplies the world with {by_shares} forms is known by published shares of a period at most"
            " five years away."
        )
        found.append(Finding("world-supply-published", "info", text, {"forms": by_shares}))
    if known.production is None or known.governance is None:
        text = "Production or governance was not knowable on that day and counts as unknown."
        found.append(Finding("world-supply-not-knowable", "warning", text, {}))
    return tuple(found)


def _lineage(trade: Input, known: Known, call: dict[str, object]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    used = [name for name in ("production", "governance") if getattr(known, name) is not None]
    of = "usgs_supply_risk"
    derived = (
        Derivation(of, "disruption_potential", "E121", (), "Squared shares of the world x governance."),
        Derivation(of, "trade_exposure", "E106", (), "Net imports over production and net imports."),
        Derivation(of, "economic_vulnerability", "E122", (), "Price over value added, by end use."),
        Derivation(of, "supply_risk", "E120", tuple(f"{of}.{part}" for part in PARTS[:3]),
                   "Cube root of the product."),
    )  # fmt: skip
    return Lineage(__version__, (trade, *inputs(*used, "facts")), (), derived, call=call)
