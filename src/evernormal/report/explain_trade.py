"""Rows behind shares and concentration: trade, declarations and published shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION, MEMBERS, traders
from evernormal.report.explain_rows import Context, Evidence, Finder, Working, figure, spelled, summed, total

__all__ = ["FINDERS"]


def _shares(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Shares of trade, or of what publications say (equations E11 and E12)."""
    call, shares = context.call, context.result["shares"]
    if "definition" in shares.columns:
        return _published(context, column, keys)
    rows = _imports(context).filter(pl.col("year") == keys["year"])
    own = rows.filter(pl.col("exporter") == keys["supplier"]).sort("value_usd", descending=True)
    evidence = (Evidence(context.input_of("trade"), own),)
    if column in ("value_usd", "quantity_t"):
        value = None if own[column].count() == 0 else total(own[column])
        return Working(value, summed(own[column], value), evidence)
    if column != "share":
        return None
    measure = "value_usd" if call["by"] == "value" else "quantity_t"
    part = None if own[measure].count() == 0 else total(own[measure])
    whole = total(rows[measure])
    value = part / whole if part is not None and whole > 0 else None
    other = rows.filter(pl.col("exporter") != keys["supplier"]).sort(
        measure, descending=True, nulls_last=True
    )
    worked = f"{figure(part)} ÷ {figure(whole)} = {figure(value)}"
    return Working(value, worked, (*evidence, Evidence(context.input_of("trade"), other)))


def _imports(context: Context) -> pl.DataFrame:
    """Trade rows of the importer and the codes that a result of shares was asked for."""
    call = context.call
    if "focal" in call:
        return _into(context, context.codes(context.form(call["form"])), call["focal"], None)
    return _into(context, call["codes"], call["importer"], call["years"])


def _into(context: Context, codes: Any, importer: str, years: Any) -> pl.DataFrame:
    """Trade rows into a country, or into the European Union from outside."""
    rows = context.trade(codes, traders(importer), None, years)
    return rows.filter(~pl.col("exporter").is_in(MEMBERS)) if importer == EUROPEAN_UNION else rows


def _published(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """A published share is one row of facts; its value in money and tonnes nobody published."""
    from evernormal.data import facts  # noqa: PLC0415 - reads a table
    from evernormal.network.userdata import facts_with  # noqa: PLC0415

    assert context.checked
    own, call = context.pins.get("facts"), context.call
    known_on = context.call.get("as_of")
    table = facts(as_of=known_on) if own is None else facts_with(str(own), context.folder, known_on)[0]
    importer = call.get("importer", call.get("focal"))
    rows = table.filter(
        (pl.col("topic") == "import_share")
        & (pl.col("form") == call["form"])
        & (pl.col("region") == importer),
        pl.col("partner") == keys["supplier"],
        pl.col("basis").fill_null("value") == call["by"],
        *(pl.col(name) == keys[name] for name in ("period", "definition", "source") if name in keys),
    )
    used = next((i.name for i in context.result.lineage.inputs if own is not None and i.name == own), "facts")
    if rows.height != 1:
        return None
    value = rows["value"][0] if column == "share" else None
    return Working(value, f"= {figure(value)}" if column == "share" else "", (Evidence(used, rows),))


def _thresholds(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Shares of the countries that a rule names, added up."""
    shares = context.result["shares"]
    if column != "share" or "definition" in shares.columns:
        return None
    rule, year = keys["rule"], keys["year"]
    table = context.result["thresholds"].filter((pl.col("year") == year) & (pl.col("rule") == rule))
    if table.height != 1:
        return None
    names = str(table["countries"][0]).split(", ")
    rows = _imports(context).filter(pl.col("year") == year)
    measure = "value_usd" if context.call["by"] == "value" else "quantity_t"
    own = rows.filter(pl.col("exporter").is_in(names)).sort(measure, descending=True, nulls_last=True)
    part, whole = total(own[measure]), total(rows[measure])
    worked = f"{figure(part)} ÷ {figure(whole)} = {figure(part / whole)}"
    return Working(part / whole, worked, (Evidence(context.input_of("trade"), own),))


def _concentration(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Concentration of the suppliers of one importer, code and year (equation E100)."""
    rows = _into(context, [keys["code"]], keys["importer"], [keys["year"]])
    rows = rows.sort("value_usd", "exporter", descending=[True, False])
    evidence = (Evidence(context.input_of("trade"), rows),)
    each = rows.group_by("exporter", maintain_order=True).agg(
        pl.col("value_usd").sum(),
        pl.when(pl.col("quantity_t").count() > 0).then(pl.col("quantity_t").sum()).alias("quantity_t"),
    )
    value = each.sort("value_usd", "exporter", descending=[True, False])
    if column in ("hhi_value", "hhi_quantity"):
        return _index(each["value_usd" if column == "hhi_value" else "quantity_t"], evidence)
    whole = total(each["value_usd"])
    if column == "suppliers":
        return Working(float(each.height), f"= {each.height}", evidence)
    if column == "largest":
        return Working(str(value["exporter"][0]), "", evidence)
    if column == "largest_share" and whole > 0:
        top = float(value["value_usd"][0])
        return Working(top / whole, f"{figure(top)} ÷ {figure(whole)} = {figure(top / whole)}", evidence)
    if column == "quantity_unknown" and whole > 0:
        blank = total(rows.filter(pl.col("quantity_t").is_null())["value_usd"])
        return Working(
            blank / whole, f"{figure(blank)} ÷ {figure(whole)} = {figure(blank / whole)}", evidence
        )
    return None


def _index(amounts: pl.Series, evidence: tuple[Evidence, ...]) -> Working:
    """Sum of squared shares of amounts."""
    known = amounts.drop_nulls().sort(descending=True).to_list()
    whole = total(known)
    if whole <= 0:
        return Working(None, "", evidence)
    value = total((amount / whole) ** 2 for amount in known)
    terms = spelled([f"{figure(amount)}²" for amount in known])
    return Working(value, f"{terms} ÷ {figure(whole)}² = {figure(value)}", evidence)


def _customs(context: Context, column: str, keys: Mapping[str, Any]) -> Working | None:
    """Shares of what a customs service declares: the declarations are in the result."""
    rows = context.result["rows"].filter(pl.col("period") == keys["period"])
    own = rows.filter(pl.col("partner") == keys["supplier"])
    input_name = context.result.lineage.inputs[0].name
    measure = "value_usd" if context.call["by"] == "value" else "quantity_t"
    wanted = measure if column == "share" else column
    if wanted not in ("value_usd", "quantity_t"):
        return None
    part = None if own[wanted].count() == 0 else total(own[wanted])
    if column != "share":
        return Working(part, summed(own[wanted], part), (Evidence(input_name, own),))
    whole = total(rows[measure])
    value = part / whole if part is not None and whole > 0 else None
    worked = f"{figure(part)} ÷ {figure(whole)} = {figure(value)}"
    return Working(value, worked, (Evidence(input_name, own),))


FINDERS: Mapping[tuple[str, str], Finder] = {
    ("supplier-shares", "shares"): _shares,
    ("supplier-shares", "thresholds"): _thresholds,
    ("concentration", "concentration"): _concentration,
    ("customs-shares", "shares"): _customs,
}
"""Kind and table of a result to what finds the rows behind its cells."""
