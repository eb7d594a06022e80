"""What a dependence page is made of: the exposure table and, per material, the results behind its charts.

Every part is a result of the rooms above; nothing is calculated here but which forms belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evernormal.errors import EvernormalError, UnknownNameError
from evernormal.result import Lineage, Result

__all__ = ["SHOWN_FORMS", "Dossier", "Group", "gather", "strategic_groups"]

SHOWN_FORMS = 3
"""Forms of a material whose shares are drawn."""

FEWEST_GROUPS = 6
"""A country without a list of its own is told by as many materials at least, where so many are known."""

_RARE_EARTHS = "rare-earths"


@dataclass(frozen=True)
class Group:
    """One material, or the rare earths together, with what is drawn of it.

    Attributes:
        name: material, or ``rare-earths``.
        materials: the materials that it stands for.
        table: its rows of the exposure table, worst first.
        shares: supplier shares over the years by form, worst form first.
        origin: traced origin of its worst form that trade shows, or that publications name.
        forecast: demand of its worst form that trade shows.
        visibility: how visible its elements are in basket codes.
        missing: part to the reason why there is none.
    """

    name: str
    materials: tuple[str, ...]
    table: pl.DataFrame
    shares: Mapping[str, Result] = field(default_factory=dict)
    origin: Result | None = None
    forecast: Result | None = None
    visibility: Result | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def lead(self) -> str | None:
        """Form that origin, map and forecast are drawn of."""
        known = self.table.filter(pl.col("known_by") != "nothing")
        traded = known.filter(pl.col("known_by") == "trade")
        rows = traded if traded.height else known
        return str(rows["form"][0]) if rows.height else None


@dataclass(frozen=True)
class Dossier:
    """Everything that a page, a workbook and their charts show of a country's dependence.

    Attributes:
        exposure: result of :func:`evernormal.risk.exposure`.
        disagreement: result of :func:`evernormal.risk.method_disagreement`; None where there is none.
        groups: the materials that are told one by one.
        listed: whether the materials are those that South Korea designates, or the caller's own.
    """

    exposure: Result
    disagreement: Result | None
    groups: tuple[Group, ...]
    listed: bool = True

    @property
    def place(self) -> str:
        """Country."""
        return str(self.exposure.lineage.call["country"])

    @property
    def year(self) -> int:
        """Year."""
        return int(str(self.exposure.lineage.call["year"]))

    @property
    def more(self) -> list[Result]:
        """Further results for charts of indicators."""
        return [] if self.disagreement is None else [self.disagreement]

    def results(self) -> list[Result]:
        """Return every result that the page rests on."""
        found = [self.exposure, *self.more]
        for group in self.groups:
            found += group.shares.values()
            found += [one for one in (group.origin, group.forecast, group.visibility) if one is not None]
        return found


def strategic_groups(materials: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Return materials by the group in which they are told: rare earths share their codes, and so a group.

    Args:
        materials: names; None for the ten that South Korea designates as strategic.

    Raises:
        UnknownNameError: a material that does not exist; the nearest is named.

    >>> sorted(strategic_groups()["rare-earths"])
    ['cerium', 'dysprosium', 'lanthanum', 'neodymium', 'terbium']
    """
    from evernormal.network.forms import materials as every  # noqa: PLC0415 - reads a table

    table = every()
    names = table["material"].to_list()
    rare = set(table.filter(pl.col("rare_earth"))["material"].to_list()) | {_RARE_EARTHS}
    if materials is None:
        asked = table.filter(pl.col("korea_strategic"))["material"].to_list()
    else:
        asked = list(dict.fromkeys(materials))
        for name in asked:
            if name not in names and name != _RARE_EARTHS:
                raise UnknownNameError("material", name, names)
    found: dict[str, tuple[str, ...]] = {}
    for name in asked:
        group = _RARE_EARTHS if name in rare else name
        found[group] = (*found.get(group, ()), name)
    return found


def gather(
    exposure: Result,
    *,
    materials: Iterable[str] | None = None,
    folder: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dossier:
    """Return what a page on a country's dependence shows.

    Args:
        exposure: result of :func:`evernormal.risk.exposure`; the other parts answer for the same country,
            year, data set and as-of date.
        materials: materials to tell one by one; None for the ten that South Korea designates as strategic,
            for another country those of them that are known there and the materials of its worst forms.
        folder: folder of the user's store; needed where the exposure used a data set of it.
        progress: told how many materials are done, and of how many.

    Raises:
        UnknownNameError: a material that does not exist.

    A part that cannot be had is left out with its reason in :attr:`Group.missing`.
    """
    groups = strategic_groups(_told(exposure) if materials is None else materials)
    call = dict(exposure.lineage.call)
    histories = _histories(exposure, groups, folder)
    made = []
    for number, (name, members) in enumerate(groups.items()):
        made.append(_group(exposure, name, members, histories, call, folder))
        if progress is not None:
            progress(number + 1, len(groups))
    return Dossier(exposure, _disagreement(call, folder), tuple(made), materials is None)


def _told(exposure: Result) -> list[str]:
    """Return the materials to tell where none are asked for."""
    strategic = [name for members in strategic_groups().values() for name in members]
    if exposure.lineage.call["country"] == "KOR":
        return strategic
    known = exposure["exposure"].filter(pl.col("known_by") != "nothing")
    there = known["material"].unique(maintain_order=True).to_list()
    groups = strategic_groups()
    kept = [name for group, members in groups.items() for name in members if {group, *members} & set(there)]
    named = {group for group, members in groups.items() if set(members) & set(kept)}
    every = set(_names())
    for material in there:
        if len(named) >= FEWEST_GROUPS:
            break
        if material in every and material not in kept and material not in named:
            kept.append(material)
            named.add(material)
    return kept or strategic


def _names() -> list[str]:
    from evernormal.network.forms import materials  # noqa: PLC0415 - reads a table

    names: list[str] = materials()["material"].to_list()
    return names


def _disagreement(call: Mapping[str, Any], folder: str | Path | None) -> Result | None:
    """Return how the methods rank the forms; None where no import is recorded."""
    from evernormal.risk import method_disagreement  # noqa: PLC0415 - opens the snapshot

    store: dict[str, Any] = {"dataset": call.get("dataset"), "folder": folder, "as_of": call.get("as_of")}
    try:
        return method_disagreement(call["country"], call["year"], **store)
    except EvernormalError:
        return None


def _rows_of(exposure: Result, name: str, members: Sequence[str]) -> pl.DataFrame:
    wanted = {*members, name} if name == _RARE_EARTHS else set(members)
    return exposure["exposure"].filter(pl.col("material").is_in(sorted(wanted)))


def _group(
    exposure: Result,
    name: str,
    members: tuple[str, ...],
    histories: Mapping[str, Result],
    call: Mapping[str, Any],
    folder: str | Path | None,
) -> Group:
    from evernormal.network import visibility  # noqa: PLC0415 - opens the snapshot
    from evernormal.risk import forecast, trace_origin  # noqa: PLC0415

    group = Group(name, members, _rows_of(exposure, name, members))
    place, year = str(call["country"]), int(call["year"])
    store: dict[str, Any] = {"dataset": call.get("dataset"), "folder": folder, "as_of": call.get("as_of")}
    missing: dict[str, str] = {}

    def tried(part: str, make: Callable[[], Result]) -> Result | None:
        try:
            return make()
        except EvernormalError as error:
            missing[part] = error.what
            return None

    shown = group.table.filter(pl.col("form").is_in(list(histories)))["form"].to_list()[:SHOWN_FORMS]
    lead, origin, ahead = group.lead, None, None
    if lead is None:
        missing |= dict.fromkeys(("shares", "origin", "forecast"), "nothing is known of any form")
    else:
        origin = tried("origin", lambda: trace_origin(lead, place, [year], **store))
        ahead = tried("forecast", lambda: forecast(lead, place, origin=year, **store))
    seen = tried("visibility", lambda: visibility(list(members), place, [year], rank=False, **store))
    return Group(
        name, members, group.table, {form: histories[form] for form in shown}, origin, ahead, seen, missing
    )


def _histories(
    exposure: Result, groups: Mapping[str, tuple[str, ...]], folder: str | Path | None
) -> dict[str, Result]:
    """Return supplier shares over the years of every form of the groups of which something is known."""
    tables = [_rows_of(exposure, name, members) for name, members in groups.items()]
    rows = pl.concat(tables).filter(pl.col("known_by") != "nothing").unique("form", maintain_order=True)
    traded = rows.filter(pl.col("known_by") == "trade")["form"].to_list()
    found = _traded(exposure, traded, folder)
    for row in rows.filter(pl.col("known_by") != "trade").iter_rows(named=True):
        by = "quantity" if row["share_quantity"] is not None else "value"
        made = _published(exposure, str(row["form"]), by)
        if made is not None:
            found[str(row["form"])] = made
    return found


def _traded(exposure: Result, forms: Sequence[str], folder: str | Path | None) -> dict[str, Result]:
    """Return the shares behind the exposure table: the same pass over trade, every year of it."""
    from evernormal.data import covered_codes  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.store import vintage  # noqa: PLC0415
    from evernormal.network.forms import SHIPPED_REVISION  # noqa: PLC0415
    from evernormal.network.forms import form as form_of  # noqa: PLC0415
    from evernormal.network.load import codes_in  # noqa: PLC0415
    from evernormal.risk.exposure_shares import shares_of  # noqa: PLC0415

    call = exposure.lineage.call
    dataset, as_of = call.get("dataset"), call.get("as_of")
    revision = SHIPPED_REVISION
    if dataset is not None and folder is not None:
        revision = vintage(dataset, folder, kind="trade", as_of=_day(as_of)).revision
    covered = set(covered_codes(dataset=dataset, folder=folder, as_of=as_of))
    codes = {}
    for name in forms:
        one = form_of(name)
        listed = one.trade_codes if revision == SHIPPED_REVISION else codes_in(one, revision)
        codes[name] = [code for code in listed if code in covered]
    codes = {name: listed for name, listed in codes.items() if listed}
    if not codes:
        return {}
    shares = shares_of(
        str(call["country"]), codes, int(str(call["year"])), dataset=dataset, folder=folder, as_of=as_of
    )
    near = tuple(call.get("neighbours") or ())
    found = {}
    for name in codes:
        row = shares.row(name)
        if row is None:
            continue
        tables = _share_tables(shares.years, shares.suppliers, shares.share[row], shares.value[row], near)
        source = pl.DataFrame({"source": [shares.source], "as_of": [shares.as_of]})
        found[name] = _shares_result(exposure, name, {**tables, "rows": source}, "value")
    return found


def _day(when: object) -> date | None:
    from evernormal.data.schema import day  # noqa: PLC0415

    return day(when)  # type: ignore[arg-type]


def _share_tables(
    years: Sequence[int], suppliers: Sequence[str], share: Any, value: Any, neighbours: Iterable[str]
) -> dict[str, pl.DataFrame]:
    """Return shares by year and supplier, and those of the neighbours together."""
    from evernormal.risk import concentration_duty  # noqa: PLC0415

    known = ~np.isnan(share)
    at = np.argwhere(known & (value > 0))
    table = pl.DataFrame(
        {
            "year": [years[i] for i, _ in at],
            "supplier": [suppliers[j] for _, j in at],
            "share": [float(share[i, j]) for i, j in at],
            "value_usd": [float(value[i, j]) for i, j in at],
        },
        schema={"year": pl.Int64, "supplier": pl.String, "share": pl.Float64, "value_usd": pl.Float64},
    )
    together = concentration_duty(share, suppliers, list(neighbours)).neighbour_share
    rule = "neighbouring countries"
    judged = [(year, rule, float(s)) for year, s in zip(years, together, strict=True) if np.isfinite(s)]
    schema = {"year": pl.Int64, "rule": pl.String, "share": pl.Float64}
    return {"shares": table, "thresholds": pl.DataFrame(judged, schema=schema, orient="row")}


def _published(exposure: Result, name: str, by: str) -> Result | None:
    """Return the shares that publications state of a form, each with its own definition."""
    from evernormal.data import facts  # noqa: PLC0415 - reads tables

    call = exposure.lineage.call
    rows = facts("import_share", form=name, region=str(call["country"]), as_of=call.get("as_of"))
    basket = pl.col("definition").fill_null("").str.contains("(?i)basket of")
    table = (
        rows.filter(
            (pl.col("unit") == "1")
            & (pl.col("basis").fill_null("value") == by)
            & pl.col("partner").is_not_null()
            & ~basket
        )
        .select(
            pl.col("period").str.extract_all(r"\d{4}").list.last().cast(pl.Int64).alias("year"),
            pl.col("partner").alias("supplier"),
            pl.col("value").alias("share"),
            *("period", "definition", "source", "as_of", "grade"),
        )
        .filter(pl.col("year") <= int(str(call["year"])))
        .sort("year", "source", "share", "supplier", descending=[False, False, True, False])
    )
    if table.is_empty():
        return None
    return _shares_result(exposure, name, {"shares": table}, by)


def _shares_result(exposure: Result, form: str, tables: dict[str, pl.DataFrame], by: str) -> Result:
    call = {"importer": exposure.lineage.call["country"], "form": form, "by": by}
    call["as_of"] = exposure.lineage.call.get("as_of")
    lineage = Lineage(exposure.lineage.version, exposure.lineage.inputs, call=call)
    units = {name: {"share": "fraction", "value_usd": "USD"} for name in tables}
    return Result("supplier-shares", tables, units, lineage)
