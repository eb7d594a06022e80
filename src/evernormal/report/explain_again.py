"""Rows behind values that hang on a whole system: traced origins, exposure, comparisons, forecasts, baskets.

Such a value is worked out by making the whole call again from the pinned inputs; sums and shares among them
are worked out by their own equation all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from evernormal.report.explain_dependence import amounts_of
from evernormal.report.explain_rows import Context, Evidence, Finder, Working, figure, spelled, summed, total
from evernormal.result import Result
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS

__all__ = ["FINDERS", "value_in"]


def value_in(result: Result, table: str, column: str, keys: Mapping[str, Any]) -> float | str | None:
    """Return one cell of another result; None where it is null or not there."""
    rows = result.tables.get(table, pl.DataFrame())
    if column not in rows.columns:
        return None
    rows = rows.filter(*(pl.col(name).eq_missing(pl.lit(value)) for name, value in keys.items()))
    if rows.height != 1:
        return None
    value = rows[column][0]
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else float(value)


def _imported(context: Context, country: str, form: str, year: int) -> tuple[Evidence, ...]:
    """Trade rows of what a country imports of a form."""
    codes = context.codes(context.form(form))
    if not codes:
        return _facts(context, form, country)
    union = country == EUROPEAN_UNION
    rows = context.trade(codes, MEMBERS if union else [country], None, [year])
    rows = rows.filter(~pl.col("exporter").is_in(MEMBERS)) if union else rows
    return (Evidence(context.input_of("trade"), _by_value(rows)),) if rows.height else ()


def _by_value(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("value_usd", "exporter", "code", descending=[True, False, False])


def _facts(context: Context, form: str, country: str | None, *topics: str) -> tuple[Evidence, ...]:
    """Published facts about a form."""
    from evernormal.data import facts  # noqa: PLC0415 - reads a table

    assert context.checked
    rows = facts(form=form, as_of=context.call.get("as_of"))
    rows = rows.filter(pl.col("topic").is_in(topics or ("import_share",)))
    if country is not None:
        rows = rows.filter(pl.col("region") == country)
    return (Evidence("facts", rows),) if rows.height else ()


# --- exposure ------------------------------------------------------------------------------------


def _exposure(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Shares of value and tonnes by their equations; trends, scores and origins by the whole call again."""
    country, year, form = context.call["country"], context.call["year"], keys["form"]
    rows = _imported(context, country, form, year)
    traded = bool(rows) and rows[0].input != "facts"
    if traded and (found := _of_value(rows, column)) is not None:
        return found
    if traded and column in ("imports_t", "exports_t", "reliance", "share_quantity"):
        found = _of_tonnes(context, column, country, form, year, context.result["exposure"])
        if found is not None:
            return found
    value = value_in(context.again, "exposure", column, keys)
    return Working(value, "", rows, again=True)


def _of_value(rows: tuple[Evidence, ...], column: str) -> Working | None:
    """Total, largest share, concentration and China's share of the value of imports."""
    each = rows[0].rows.group_by("exporter").agg(pl.col("value_usd").sum())
    each = each.sort("value_usd", "exporter", descending=[True, False])
    amounts, whole = each["value_usd"].to_list(), total(each["value_usd"])
    if whole <= 0:
        return None
    if column == "imports_usd":
        return Working(whole, summed(amounts, whole), rows)
    if column == "share_value":
        top = amounts[0]
        return Working(top / whole, f"{figure(top)} ÷ {figure(whole)} = {figure(top / whole)}", rows)
    if column == "hhi_value":
        value = total((amount / whole) ** 2 for amount in amounts)
        terms = spelled([f"{figure(a)}²" for a in amounts])
        return Working(value, f"{terms} ÷ {figure(whole)}² = {figure(value)}", rows)
    if column == "china_value":
        china = total(each.filter(pl.col("exporter") == "CHN")["value_usd"])
        return Working(china / whole, f"{figure(china)} ÷ {figure(whole)} = {figure(china / whole)}", rows)
    return None


def _of_tonnes(
    context: Context, column: str, country: str, form: str, year: int, table: pl.DataFrame
) -> Working | None:
    """Tonnes contained and net import reliance."""
    one = amounts_of(context, country, form, [year], year)
    row = table.row(by_predicate=pl.col("form") == form, named=True)
    if row[column] is None or one.imports is None or one.exports is None:
        return None
    if column in ("imports_t", "exports_t"):
        name, part, value = (
            ("imports", one.bought, one.imports)
            if column == "imports_t"
            else ("exports", one.sold, one.exports)
        )
        return Working(value, summed(part["contained_t"], value), one.evidence(name))
    if column == "share_quantity":
        own = total(one.bought.filter(pl.col("exporter") == row["supplier"])["contained_t"])
        worked = f"{figure(own)} ÷ {figure(one.imports)} = {figure(own / one.imports)}"
        return Working(own / one.imports, worked, one.evidence("imports"))
    net, use = one.imports - one.exports, one.use
    if use is None:
        return None
    value = 0.0 if net <= 0 else min(net / use, 1.0)
    worked = f"({figure(one.imports)} − {figure(one.exports)}) ÷ {figure(use)} = {figure(value)}"
    return Working(value, worked, one.evidence("imports", "exports", "production"))


# --- origin ----------------------------------------------------------------------------------------


def _origin(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Shares of direct suppliers by trade; those of earlier stages by the whole trace again."""
    row = context.result["origin"].filter(*(pl.col(name) == value for name, value in keys.items()))
    if row.height != 1:
        return None
    focal, year, stage, form, country = row.select("focal", "year", "stage", "form", "country").row(0)
    traced = context.call["form"]
    value = value_in(context.narrowed({"focal": focal, "year": year}), "origin", column, keys)
    rows = _imported(context, focal, traced, year)
    if stage == "direct" and column == "share" and rows and rows[0].input != "facts":
        one = amounts_of(context, focal, traced, [year], year)
        part, whole = total(one.bought.filter(pl.col("exporter") == country)["contained_t"]), one.imports
        if whole:
            worked = f"{figure(part)} ÷ {figure(whole)} = {figure(part / whole)}"
            return Working(part / whole, worked, one.evidence("imports"))
    return Working(value, "", (*rows, *_behind_stage(context, form, country, year)), again=True)


def _behind_stage(context: Context, form: str, country: str, year: int) -> tuple[Evidence, ...]:
    """What a country makes of a stage's form, and what it ships of it."""
    found: list[Evidence] = []
    one = context.form(form)
    if context.named("production") is not None and one.production_source:
        made = context.production(one.production_source.partition(":")[2], [year])
        found.append(Evidence("production", made.filter(pl.col("country") == country)))
    topic = "mine_share" if one.stage == "ore" else "refining_share"
    found += _facts(context, form, country, topic, "world_production")
    codes = context.codes(one)
    if codes:
        shipped = context.trade(codes, None, [country], [year])
        found.append(Evidence(context.input_of("trade"), _by_value(shipped)))
    return tuple(e for e in found if e.rows.height)


def _hubs(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    focal, year = context.call["countries"][0], context.call["years"][0]
    place = {"focal": keys.get("focal", focal), "year": keys.get("year", year)}
    value = value_in(context.narrowed(place), "hubs", column, keys)
    hub = keys.get("hub")
    rows = _behind_stage(context, context.call["form"], hub, place["year"]) if isinstance(hub, str) else ()
    return Working(value, "", rows, again=True)


# --- comparison of sources --------------------------------------------------------------------------


def _said(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """One figure of one source: the source's own row."""
    found = context.result["rows"].filter(*(pl.col(name) == value for name, value in keys.items()))
    if found.height != 1:
        return None
    row = found.row(0, named=True)
    value = value_in(context.again, "rows", column, keys)
    evidence = _source_row(context, row)
    worked = ""
    if column in ("share", "share_of_sum") and row["tonnes"] is not None and value:
        world = context.result["worlds"].filter(
            pl.col("asked_year") == row["asked_year"], pl.col("source") == row["source"],
            pl.col("series") == row["series"], pl.col("basis") == row["basis"],
        )  # fmt: skip
        name = "printed_t" if column == "share" else "summed_t"
        if world.height == 1 and world[name][0]:
            whole = world[name][0]
            value = row["tonnes"] / whole
            worked = f"{figure(row['tonnes'])} ÷ {figure(whole)} = {figure(value)}"
            return Working(value, worked, evidence)
    return Working(value, worked, evidence, again=True)


def _source_row(context: Context, row: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Return the row of the source that a figure was read from."""
    assert context.checked
    if row["dataset"] == "snapshot":
        made = context.production(row["series"], [row["year"]])
        return (Evidence("production", made.filter(pl.col("source_ref") == row["source_ref"])),)
    if row["dataset"] == "facts":
        facts = _facts(context, row["form"] or "", row["country"], "mine_share", "refining_share",
                       "world_production")  # fmt: skip
        here = (pl.col("source_ref") == row["source_ref"]) & (pl.col("period") == row["period"])
        return tuple(Evidence("facts", one.rows.filter(here)) for one in facts)
    from evernormal.data.stored import stored  # noqa: PLC0415 - the user's store

    pinned = next(
        (i.name for i in context.result.lineage.inputs if i.name.startswith(f"{row['dataset']}/")), None
    )
    if pinned is None:
        return ()
    table, _ = stored("statistics", pinned, context.folder)
    rows = table.filter(
        (pl.col("source_ref") == row["source_ref"])
        & (pl.col("country") == row["country"])
        & (pl.col("year") == row["year"])
    )
    return (Evidence(pinned, rows),) if rows.height else ()


def _pair(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Two figures that disagree: both sources' rows."""
    found = context.result["disagreements"].filter(*(pl.col(n) == v for n, v in keys.items()))
    if found.height != 1:
        return None
    row = found.row(0, named=True)
    evidence: list[Evidence] = []
    for side in "ab":
        rows = context.result["rows"].filter(
            pl.col("asked_year") == row["asked_year"], pl.col("country") == row["country"],
            pl.col("source") == row[f"source_{side}"], pl.col("series") == row[f"series_{side}"],
        )  # fmt: skip
        for one in rows.iter_rows(named=True):
            evidence += _source_row(context, one)
    value = value_in(context.again, "disagreements", column, keys)
    return Working(value, "", tuple(evidence), again=True)


# --- forecasts, baskets and whatever is asked by form ------------------------------------------------


def _history(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """A year of the past: the trade that arrived or left."""
    value = value_in(context.again, "history", column, keys)
    country = keys.get("country", context.call["country"])
    if context.call.get("customs") is not None or country == "WLD" or "year" not in keys:
        return Working(value, "", (), again=True)
    return Working(value, "", _imported(context, country, context.call["form"], keys["year"]), again=True)


def _basket(context: Context, column: str, keys: Mapping[str, Any], table: str) -> Working | None:
    """An interval of a basket code: the trade rows of the code."""
    value = value_in(context.again, table, column, keys)
    call = context.call
    codes = [keys["code"]] if "code" in keys else [c for c in _codes_of(call) if c.isdigit()]
    years = [keys["year"]] if "year" in keys else call.get("years")
    side = call.get("flow", "import")
    who = [call["country"]] if "country" in call else call.get("importers")
    if not codes:
        return Working(value, "", (), again=True)
    rows = context.trade(codes, who if side == "import" else None, who if side == "export" else None, years)
    return Working(value, "", (Evidence(context.input_of("trade"), _by_value(rows)),), again=True)


def _codes_of(call: Mapping[str, Any]) -> list[str]:
    of = call.get("of") or call.get("code") or []
    return [of] if isinstance(of, str) else list(of)


def _elements(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    return _basket(context, column, keys, "elements")


def _members(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    return _basket(context, column, keys, "members")


def _totals(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    return _basket(context, column, keys, "totals")


def _by_form(table: str) -> Finder:
    """Return a finder for a table with country, form and year: what the country imported of the form."""

    def find(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
        value = value_in(context.again, table, column, keys)
        row = context.result[table].filter(*(pl.col(n).eq_missing(pl.lit(v)) for n, v in keys.items()))
        asked = {**context.call, **(row.row(0, named=True) if row.height == 1 else {})}
        if not all(isinstance(asked.get(name), kind) for name, kind in _ASKED):
            return Working(value, "", (), again=True)
        rows = _imported(context, asked["country"], asked["form"], asked["year"])
        return Working(value, "", rows, again=True)

    return find


_ASKED = (("country", str), ("form", str), ("year", int))

FINDERS: Mapping[tuple[str, str], Finder] = {
    ("exposure", "exposure"): _exposure,
    ("origin", "origin"): _origin,
    ("origin", "hubs"): _hubs,
    ("source-comparison", "rows"): _said,
    ("source-comparison", "disagreements"): _pair,
    ("forecast", "history"): _history,
    ("visibility", "elements"): _elements,
    ("visibility", "members"): _members,
    ("basket-split", "totals"): _totals,
    ("dependence-trends", "trends"): _by_form("trends"),
    ("usgs-supply-risk", "usgs_supply_risk"): _by_form("usgs_supply_risk"),
    ("supply-stability", "stability"): _by_form("stability"),
    ("supply-stability", "components"): _by_form("components"),
    ("method-disagreement", "scores"): _by_form("scores"),
    ("resampling", "intervals"): _by_form("intervals"),
    ("target-progress", "progress"): _by_form("progress"),
}
"""Kind and table of a result to what finds the rows behind its cells."""
