"""What drives batteries: electric cars sold, energy per car, kilograms per kilowatt-hour.

Published paths, or a user's own file.  A path enters a forecast as growth from the origin, so that its level
need not agree with trade statistics; paths of later years are not knowable before they were published, and a
forecast from an earlier origin refuses them (law 11).
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Finding, Input, Parameter, sha256_of
from evernormal.risk.forecast_path import read_path

__all__ = [
    "BATTERY_USES",
    "MARKETS",
    "SCENARIOS",
    "Driver",
    "battery_driver",
    "driven_uses",
    "implied_tonnes",
    "intensity",
]

TABLES = Path(__file__).parent / "tables"

SCENARIOS: dict[str, tuple[str, date]] = {
    "icct-ambitious": (
        "battery electric cars of the ICCT's Roadmap 2.6, scenario Ambitious",
        date(2025, 12, 31),
    ),
    "iea-steps": ("batteries of the IEA's Stated Policies Scenario", date(2025, 5, 21)),
    "iea-aps": ("batteries of the IEA's Announced Pledges Scenario", date(2025, 5, 21)),
    "iea-nze": ("batteries of the IEA's Net Zero Emissions Scenario", date(2025, 5, 21)),
}
"""Published paths, and the day from which they may be used.

IEA: day of publication of the Global Critical Minerals Outlook 2025.  ICCT: assumption, the end of the year
of the data that carry it.
"""

MARKETS = ("WLD", "CHN", "EU", "JPN", "KOR", "USA")
BATTERY_USES = {"cathodes", "anodes", "cells"}
MOTOR_USES = {"ev-motors", "vehicle-motors"}
BASE_YEAR = 2024
FAR = 5
LFP_SHIFT = 0.15
SILICON_SHARE = 0.1
MATERIALS = ("lithium", "nickel", "cobalt", "graphite", "manganese")


@dataclass(frozen=True)
class Driver:
    """Growth of battery demand from the origin.

    Attributes:
        scenario: name of the path.
        table: scenario, year, vehicles, kwh_per_vehicle, gwh, kg_per_kwh, kilotonnes (null where the path has
            none), index (origin 1), low, high (of the index, from the chemistry).
        findings: what a reader must know.
        inputs: files.
        parameters: assumptions.
    """

    scenario: str
    table: pl.DataFrame
    findings: tuple[Finding, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]

    def at(self, year: int) -> tuple[float, float, float]:
        """Return low, central and high growth since the origin."""
        row = self.table.filter(pl.col("year") == year)
        return float(row["low"][0]), float(row["index"][0]), float(row["high"][0])


def driven_uses(material: str, uses: Iterable[str]) -> tuple[str, ...]:
    """Return the end uses of a material that a path of electric cars drives.

    >>> driven_uses("lithium", ["cathodes", "greases"]), driven_uses("tin", ["solder"])
    (('cathodes',), ())
    """
    if material in (*MATERIALS, "battery"):
        return tuple(use for use in uses if use in BATTERY_USES)
    return tuple(use for use in uses if material == "neodymium" and use in MOTOR_USES)


@functools.cache
def _rows(table: str) -> tuple[dict[str, str], ...]:
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _mix(year: int) -> dict[str, float]:
    """Shares of cathodes in the energy of batteries sold, made to sum to 1."""
    shares = {
        r["chemistry"]: float(r["share"]) for r in _rows("battery_intensity_mix") if int(r["year"]) == year
    }
    total = math.fsum(shares.values())
    return {chemistry: share / total for chemistry, share in shares.items()}


def intensity(material: str, year: int = BASE_YEAR) -> Parameter:
    """Return kilograms of a material per kilowatt-hour of the world's batteries (equation E141).

    The low and high ends move the share of lithium iron phosphate by 15 points either way (assumption: it
    rose by 11 points of energy from 2022 to 2024), and for graphite let a tenth of the anodes hold silicon.

    Args:
        material: lithium, nickel, cobalt, graphite or manganese.
        year: year of the mix of cathodes, 2019 to 2024.

    Raises:
        UnknownNameError: no battery intensity of the material is known.

    >>> round(intensity("lithium").value, 3)
    0.093
    """
    if material not in MATERIALS:
        raise UnknownNameError("battery material", material, MATERIALS)
    per_kwh = {
        r["chemistry"]: float(r["kg_per_kwh"])
        for r in _rows("battery_intensity")
        if r["material"] == material
    }
    silicon = {
        r["chemistry"]: float(r["kg_per_kwh_silicon_anode"])
        for r in _rows("battery_intensity")
        if r["material"] == material
    }
    mix = _mix(year)
    central = math.fsum(share * per_kwh[name] for name, share in mix.items())
    ends = [central]
    for shift in (-LFP_SHIFT, LFP_SHIFT):
        moved = _shifted(mix, shift)
        ends.append(math.fsum(share * per_kwh[name] for name, share in moved.items()))
    if material == "graphite":
        less = math.fsum(share * (per_kwh[name] - silicon[name]) for name, share in mix.items())
        ends.append(central - SILICON_SHARE * less)
    source = (
        f"BatPaC 5.2 by cathode, mix of electric cars sold in {year}; range: assumption, 15 points of lithium"
        " iron phosphate either way"
        + (", or a tenth of the anodes with silicon" if material == "graphite" else "")
    )
    name = f"battery_intensity {material}"
    return Parameter(name, central, min(ends), max(ends), "kg/kWh", "C", source)


def _shifted(mix: dict[str, float], shift: float) -> dict[str, float]:
    iron = min(max(mix["LFP"] + shift, 0.0), 1.0)
    rest = (1 - iron) / (1 - mix["LFP"])
    return {name: iron if name == "LFP" else share * rest for name, share in mix.items()}


def implied_tonnes(material: str, year: int, market: str = "WLD") -> float:
    """Return tonnes in the batteries of the electric cars sold in a year (equation E141).

    Args:
        material: lithium, nickel, cobalt, graphite or manganese.
        year: 2019 to 2024.
        market: ``WLD``, or one of :data:`MARKETS` in 2024.

    >>> round(implied_tonnes("lithium", 2024) / 1000, 1)
    66.8
    """
    energy = _vehicles("observed", market)[year] * _size(market, year)
    return energy * intensity(material, year).value / 1000


def _vehicles(scenario: str, market: str) -> dict[int, float]:
    found = {
        int(r["year"]): float(r["vehicles"])
        for r in _rows("ev_sales")
        if r["scenario"] == scenario and r["market"] == market
    }
    if not found:
        raise UnknownNameError("market", market, MARKETS, where="market")
    return found


def _size(market: str, year: int) -> float:
    """Kilowatt-hours per car: of the latest known year up to the asked one, the world's where unknown."""
    found = {
        (r["market"], int(r["year"])): float(r["kwh_per_vehicle"]) for r in _rows("ev_sales_battery_size")
    }
    for name in (market, "WLD"):
        years = [known for place, known in found if place == name and known <= year]
        if years:
            return found[name, max(years)]
    raise NotCoveredError(
        f"no battery size is known for {market} in {year}", where="ev_sales_battery_size.csv"
    )


# --- paths ------------------------------------------------------------------


def battery_driver(
    material: str,
    scenario: str,
    origin: int,
    years: int,
    *,
    market: str = "WLD",
    as_of: date | None = None,
) -> Driver:
    """Return the growth of battery demand for a material along a path (equations E141 and E142).

    Args:
        material: material of the form.
        scenario: one of :data:`SCENARIOS`, or the path of a CSV file of the user.
        origin: last year of the series: growth counts from it.
        years: how many years ahead.
        market: whose sales; one of :data:`MARKETS`.  The IEA's paths know the world only.
        as_of: refuse what was published later (law 11).

    Raises:
        UnknownNameError: no such scenario or market.
        NotCoveredError: the path was not knowable, or does not reach that far.
        SourceFormatError: the user's file; names row, column and cure.
    """
    asked = range(origin + 1, origin + years + 1)
    if scenario in SCENARIOS:
        _require_knowable(scenario, origin, as_of)
        if scenario.startswith("iea-"):
            return _mineral_path(material, scenario, origin, asked, market)
        return _sales_path(material, scenario, origin, asked, market)
    if scenario.endswith(".csv") or "/" in scenario or Path(scenario).is_file():
        return _own_path(material, Path(scenario), origin, asked)
    error = UnknownNameError("scenario", scenario, SCENARIOS, where="scenario")
    error.cure = f"{error.cure} Or give the path of a CSV file."
    error.args = (error.message,)
    raise error


def _require_knowable(scenario: str, origin: int, as_of: date | None) -> None:
    published = SCENARIOS[scenario][1]
    if as_of is not None and as_of < published:
        raise NotCoveredError(
            f"scenario {scenario} was not knowable on {as_of}; it dates from {published}", where="scenario"
        )
    if origin < BASE_YEAR:
        raise NotCoveredError(
            f"scenario {scenario} was published in {published.year}: nobody had it at the end of {origin}",
            where="origin",
            cure="Leave scenario out for a replay.",
        )


def _reach(scenario: str, years: Iterable[int], known: dict[int, float]) -> None:
    beyond = [year for year in years if year not in known]
    if beyond:
        raise NotCoveredError(
            f"scenario {scenario} has no {beyond[0]}; it runs from {min(known)} to {max(known)}",
            where="scenario",
        )


def _chemistry_band(material: str, step: int) -> tuple[float, float]:
    """Low and high factor on the index: the range of the intensity is reached after five years."""
    if material not in MATERIALS:
        return 1.0, 1.0
    known = intensity(material)
    part = min(step, FAR) / FAR
    return 1 - (1 - known.low / known.value) * part, 1 + (known.high / known.value - 1) * part


def _sales_path(material: str, scenario: str, origin: int, asked: range, market: str) -> Driver:
    vehicles, observed = _vehicles(scenario, market), _vehicles("observed", market)
    _reach(scenario, (origin, *asked), vehicles)
    size = _size(market, BASE_YEAR)
    kilograms = intensity(material) if material in MATERIALS else None
    rows = []
    for year in (origin, *asked):
        energy = vehicles[year] * size / 1e6
        weight = energy * kilograms.value if kilograms else None
        row = _row(scenario, material, year, origin, vehicles[year] / vehicles[origin])
        row |= {"vehicles": vehicles[year], "kwh_per_vehicle": size, "gwh": energy}
        row |= {"kg_per_kwh": kilograms.value if kilograms else None, "kilotonnes": weight}
        rows.append(row)
    findings = []
    if origin in observed and abs(vehicles[origin] / observed[origin] - 1) > SMALL:
        off = vehicles[origin] / observed[origin] - 1
        text = (
            f"Scenario {scenario} puts {vehicles[origin] / 1e6:.2f} million cars in {origin} for {market};"
            f" {observed[origin] / 1e6:.2f} million were sold ({off:+.0%}): its growth counts, not its level."
        )
        findings.append(
            Finding(
                "path-missed-origin",
                "caution",
                text,
                {"scenario": scenario, "year": origin, "off_share": off},
            )
        )
    parameters = (kilograms,) if kilograms else ()
    return _driver(scenario, rows, findings, parameters, ("ev_sales", "ev_sales_battery_size"))


SMALL = 0.02


def _row(scenario: str, material: str, year: int, origin: int, index: float) -> dict[str, Any]:
    low, high = _chemistry_band(material, year - origin)
    return {"scenario": scenario, "year": year, "index": index, "low": index * low, "high": index * high}


def _mineral_path(material: str, scenario: str, origin: int, asked: range, market: str) -> Driver:
    if market != "WLD":
        raise InputError(
            f"scenario {scenario} knows the world only, got market {market!r}",
            where="market",
            cure="Give market='WLD', or scenario='icct-ambitious'.",
        )
    wanted = "nickel" if material == "battery" else material
    points: dict[int, float] = {}
    for r in _rows("ev_sales_iea_minerals"):
        if r["material"] == wanted and r["scenario"] in ("observed", scenario):
            points[int(r["year"])] = points.get(int(r["year"]), 0.0) + float(r["kilotonnes"])
    if not points:
        raise NotCoveredError(
            f"scenario {scenario} says nothing of {material} in batteries", where="scenario"
        )
    known = {year: _between(points, year) for year in range(min(points), max(points) + 1)}
    _reach(scenario, (origin, *asked), known)
    rows = [
        _row(scenario, wanted, year, origin, known[year] / known[origin]) | {"kilotonnes": known[year]}
        for year in (origin, *asked)
    ]
    return _driver(scenario, rows, [], (), ("ev_sales_iea_minerals",))


def _between(points: dict[int, float], year: int) -> float:
    """Constant growth between published years."""
    before = max(known for known in points if known <= year)
    after = min(known for known in points if known >= year)
    if before == after:
        return points[year]
    part = (year - before) / (after - before)
    growth: float = (points[after] / points[before]) ** part
    return points[before] * growth


def _own_path(material: str, path: Path, origin: int, asked: range) -> Driver:
    table = read_path(path, (origin, *asked))
    by_year = {row["year"]: row for row in table.to_dicts()}
    default = intensity(material) if material in MATERIALS else None
    rows = []
    for year in (origin, *asked):
        own = by_year[year]
        size = own["kwh_per_vehicle"] if own["kwh_per_vehicle"] is not None else _size("WLD", BASE_YEAR)
        weight = own["kg_per_kwh"] if own["kg_per_kwh"] is not None else (default.value if default else 1.0)
        energy = own["vehicles"] * size / 1e6
        rows.append({"year": year, "vehicles": own["vehicles"], "kwh_per_vehicle": size, "gwh": energy,
                     "kg_per_kwh": weight, "kilotonnes": energy * weight})  # fmt: skip
    start = rows[0]["kilotonnes"]
    fixed = all(by_year[year]["kg_per_kwh"] is not None for year in asked)
    name = path.name
    made = []
    for row in rows:
        growth = _row(name, "" if fixed else material, row["year"], origin, row["kilotonnes"] / start)
        made.append(growth | row)
    pinned = Input(name, sha256_of(path), "path of the user", "", "")
    driver = _driver(name, made, [], () if fixed or default is None else (default,), ())
    return Driver(name, driver.table, driver.findings, (pinned,), driver.parameters)


def _driver(
    scenario: str,
    rows: list[dict[str, Any]],
    findings: list[Finding],
    parameters: tuple[Parameter, ...],
    tables: tuple[str, ...],
) -> Driver:
    columns = ("vehicles", "kwh_per_vehicle", "gwh", "kg_per_kwh", "kilotonnes", "index", "low", "high")
    schema = {"scenario": pl.String, "year": pl.Int64, **dict.fromkeys(columns, pl.Float64)}
    table = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return Driver(scenario, table, tuple(findings), tuple(_pinned(name) for name in tables), parameters)


def _pinned(name: str) -> Input:
    path = TABLES / f"{name}.csv"
    source = "; ".join(sorted({row["source"] for row in _rows(name)}))
    return Input(name, sha256_of(path), source, "", "")
