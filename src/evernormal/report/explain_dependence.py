"""Rows behind reliance, N-1 and the supply risk of any country: trade in contained tonnes, and production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from evernormal.report.explain_rows import Context, Evidence, Finder, Working, figure, summed, total
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS

__all__ = ["FINDERS", "amounts_of"]

_TONNES = {"t": 1.0, "kg": 1e-3, "million m3": 1.0}
_SHOWN = (
    "year", "exporter", "importer", "revision", "code", "value_usd", "quantity_t", "content", "contained_t",
    "source", "source_ref", "as_of", "grade",
)  # fmt: skip


class _Amounts:
    """Imports, exports and production of one country, form and year, with their rows."""

    def __init__(self, context: Context, country: str, form: str, years: list[int], year: int) -> None:
        rows = context.contained(form, years).filter(pl.col("year") == year)
        sides = [self._is(side, country) for side in ("importer", "exporter")]
        outer = ~(sides[0] & sides[1])
        order = {"descending": [True, False], "nulls_last": True}
        self.bought = rows.filter(sides[0] & outer).sort("contained_t", "exporter", **order)  # type: ignore[arg-type]
        self.sold = rows.filter(sides[1] & outer).sort("contained_t", "importer", **order)  # type: ignore[arg-type]
        self.known = self.bought.height > 0 or self.sold.height > 0
        self.made = self._production(context, country, form, year)
        self.trade = context.input_of("trade")
        self.country = country

    @staticmethod
    def _is(side: str, country: str) -> pl.Expr:
        return pl.col(side).is_in(MEMBERS) if country == EUROPEAN_UNION else pl.col(side) == country

    def _production(self, context: Context, country: str, form: str, year: int) -> pl.DataFrame | None:
        """Production rows of the country; None where nothing is known of the year."""
        one = context.form(form)
        used = context.named("production") is not None
        if not used or not one.production_source or one.production_factor is None:
            return None
        if _too_early(context):
            return None
        rows = context.production(one.production_source.partition(":")[2], [year])
        if rows["value"].count() == 0:
            return None
        own = rows.filter(
            pl.col("country").is_in(MEMBERS) if country == EUROPEAN_UNION else pl.col("country") == country
        )
        factor = one.production_factor
        scale = pl.col("unit").replace_strict(_TONNES, return_dtype=pl.Float64) * factor
        return own.with_columns(contained_t=pl.col("value") * scale)

    @property
    def imports(self) -> float | None:
        """Imports in tonnes contained; None where nobody reported trade."""
        return total(self.bought["contained_t"]) if self.known else None

    @property
    def exports(self) -> float | None:
        """Exports in tonnes contained; None where nobody reported trade."""
        return total(self.sold["contained_t"]) if self.known else None

    @property
    def production(self) -> float | None:
        """Production in tonnes contained; None where unknown, 0 where the country is not listed."""
        if self.made is None or self.made["contained_t"].null_count():
            return None
        return total(self.made["contained_t"])

    @property
    def use(self) -> float | None:
        """Production plus net imports."""
        parts = (self.production, self.imports, self.exports)
        if any(part is None for part in parts):
            return None
        made, bought, sold = (part or 0.0 for part in parts)
        return made + bought - sold

    def evidence(self, *which: str) -> tuple[Evidence, ...]:
        """Rows of imports, exports or production."""
        found = []
        for name in which:
            if name == "production":
                if self.made is not None:
                    found.append(Evidence("production", self.made))
            else:
                rows = self.bought if name == "imports" else self.sold
                found.append(Evidence(self.trade, rows.select(c for c in _SHOWN if c in rows.columns)))
        return tuple(found)


def _too_early(context: Context) -> bool:
    """Whether the result was asked as of a day before the shipped production was knowable."""
    from evernormal.data.schema import day  # noqa: PLC0415
    from evernormal.data.snapshot import source_day  # noqa: PLC0415 - opens the snapshot

    known_on = day(context.call.get("as_of"))
    return known_on is not None and known_on < source_day("production")


def amounts_of(context: Context, country: str, form: str, years: list[int], year: int) -> _Amounts:
    """Return imports, exports and production of one country, form and year, read once."""
    place = ("amounts", country, form, year)
    if place not in context.kept:
        context.kept[place] = _Amounts(context, country, form, years, year)
    found: _Amounts = context.kept[place]
    return found


def _amount(one: _Amounts, column: str) -> Working | None:
    """A sum of rows."""
    rows = {
        "imports_t": ("imports", one.bought, one.imports),
        "exports_t": ("exports", one.sold, one.exports),
    }
    if column in rows:
        name, part, value = rows[column]
        return Working(value, summed(part["contained_t"], value), one.evidence(name))
    if column == "production_t":
        value = one.production
        terms = one.made["contained_t"] if one.made is not None else ()
        return Working(value, summed(terms, value), one.evidence("production"))
    return None


def _reliance_of(one: _Amounts) -> Working:
    """Net imports over production and net imports (equation E106)."""
    if one.production is None or one.imports is None or one.exports is None or one.use is None:
        return Working(None)
    net = one.imports - one.exports
    every = one.evidence("imports", "exports", "production")
    if net <= 0:
        return Working(0.0, f"{figure(one.imports)} − {figure(one.exports)} ≤ 0", every)
    if one.use <= 0:
        return Working(None, "", every)
    value = min(max(net / one.use, 0.0), 1.0)
    worked = (
        f"({figure(one.imports)} − {figure(one.exports)}) ÷ ({figure(one.production)} + {figure(one.imports)}"
        f" − {figure(one.exports)}) = {figure(value)}"
    )
    return Working(value, worked, every)


def _reliance(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    one = amounts_of(
        context, keys["country"], context.call["form"], list(context.call["years"]), keys["year"]
    )
    if column == "reliance":
        return _reliance_of(one)
    if column == "net_imports_t":
        if one.imports is None or one.exports is None:
            return Working(None)
        value = one.imports - one.exports
        return Working(value, f"{figure(one.imports)} − {figure(one.exports)} = {figure(value)}")
    if column == "apparent_use_t":
        worked = (
            f"{figure(one.production)} + {figure(one.imports)} − {figure(one.exports)} = {figure(one.use)}"
        )
        return Working(one.use, worked)
    return _amount(one, column)


def _without_largest(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Supply without the largest supplier abroad over apparent use (equation E107)."""
    one = amounts_of(
        context, keys["country"], context.call["form"], list(context.call["years"]), keys["year"]
    )
    each = (
        one.bought.group_by("exporter")
        .agg(pl.col("contained_t").sum())
        .sort("contained_t", "exporter", descending=[True, False])
    )
    name, top = (None, None) if each.is_empty() else each.row(0)
    supply = None if one.production is None or one.imports is None else one.production + one.imports
    use, made, bought, sold = map(figure, (one.use, one.production, one.imports, one.exports))
    left = None
    if supply is not None and top is not None and one.use is not None and one.use > 0:
        left = (supply - top) / one.use
    found = {
        "largest": Working(name, "", one.evidence("imports")),
        "largest_t": Working(top, f"= {figure(top)}", one.evidence("imports")),
        "supply_t": Working(
            supply, f"{made} + {bought} = {figure(supply)}", one.evidence("imports", "production")
        ),
        "apparent_use_t": Working(one.use, f"{made} + {bought} − {sold} = {use}", one.evidence("exports")),
        "remaining": Working(left, f"({figure(supply)} − {figure(top)}) ÷ {use} = {figure(left)}"),
    }
    return found.get(column)


def _supply_risk(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Scores of the European Union's method: parts by their equations, ends by the whole call again."""
    one = amounts_of(context, keys["country"], keys["form"], list(context.call["years"]), keys["year"])
    if column == "import_reliance":
        return _reliance_of(one) if one.known else Working(None)
    row = context.narrowed(keys)["supply_risk"]
    row = row.filter(*(pl.col(name) == value for name, value in keys.items()))
    value = row[column][0]
    which = ("production",) if column == "hhi_global" else ("imports", "production")
    evidence = one.evidence(*which) if column in ("hhi_global", "hhi_sourcing") else ()
    if column == "hhi_global":
        evidence = _world(context, keys)
    worked = ""
    if column == "supply_risk" and value is not None:
        worked = f"{figure(row['supply_risk_low'][0])} = {figure(row['supply_risk_high'][0])}"
    return Working(value, worked, evidence, again=True)


def _world(context: Context, keys: Mapping[str, Any]) -> tuple[Evidence, ...]:
    source = context.form(keys["form"]).production_source
    if not source or _too_early(context):
        return ()
    rows = context.production(source.partition(":")[2], [keys["year"]])
    return (Evidence("production", rows.sort("value", "country", descending=[True, False], nulls_last=True)),)


def _supply_amounts(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    one = amounts_of(context, keys["country"], keys["form"], list(context.call["years"]), keys["year"])
    return _amount(one, column)


FINDERS: Mapping[tuple[str, str], Finder] = {
    ("net-import-reliance", "reliance"): _reliance,
    ("n-minus-one", "n_minus_one"): _without_largest,
    ("supply-risk", "supply_risk"): _supply_risk,
    ("supply-risk", "amounts"): _supply_amounts,
}
"""Kind and table of a result to what finds the rows behind its cells."""
