"""What was exposed and what happened: cuts in trade by the registry's rules, restrictions by policy records.

*Cut*: an exporter with at least 15 % of a code's world exports loses at least 40 % of its own in a year, by
the rules of :mod:`evernormal.market.history` (10 and 25 % in the wider tier), whatever the cause.  Exposed is
each year in which an exporter of that size could have.  *Restriction*: an exporter bans, licenses, limits or
taxes what it ships.  Exposed is each year and material of which an exporter has at least 15 % of the trade of
a code that holds nothing else, or of world production.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data import governance, policies, production
from evernormal.data.publishers.policy_files import moment
from evernormal.data.stored import datasets
from evernormal.market.history.candidates import TIERS, Tier, candidate
from evernormal.market.history.cleaning import ENTREPOTS, NOT_BY_WEIGHT
from evernormal.market.history.episodes import Episode
from evernormal.market.history.records import Records, TradeRecords
from evernormal.network.forms import form, form_names
from evernormal.result import Finding, Input

__all__ = [
    "RESTRICTIONS_FROM",
    "Spans",
    "cut_panel",
    "cut_spans",
    "governance_by_year",
    "items_of_codes",
    "restriction_events",
    "restriction_panel",
    "typed_restrictions",
]

Floats = NDArray[np.float64]

RESTRICTIONS_FROM = 2010
"""First year that the typed list of restrictions covers."""

KEPT_KINDS = ("ban", "licence", "quota", "tariff", "price_floor", "local_processing")
_PANEL = {
    "exporter": pl.String,
    "item": pl.String,
    "year": pl.Int64,
    "share": pl.Float64,
    "governance": pl.Float64,
    "event": pl.Boolean,
}


@dataclass(frozen=True)
class Spans:
    """Lengths of events: who, what, at least and at most how many months (infinite while it lasts)."""

    exporter: tuple[str, ...]
    item: tuple[str, ...]
    low: Floats
    high: Floats


def governance_by_year() -> Mapping[str, Mapping[int, float]]:
    """Return country to year to governance risk, 0 good to 1 bad (equation E10)."""
    rows = governance(indicators=["normalized"]).drop_nulls("value").sort("country", "year")
    found: dict[str, dict[int, float]] = {}
    for country, year, value in rows.select("country", "year", "value").iter_rows():
        found.setdefault(country, {})[int(year)] = float(value)
    return found


def _governed(table: Mapping[str, Mapping[int, float]], country: str, year: int) -> float:
    """Governance at the end of a year; before the first that was published, that one; nan where unknown."""
    known = table.get(country, {})
    before = [y for y in known if y <= year]
    return known[max(before)] if before else known[min(known)] if known else float("nan")


def cut_panel(
    trade: TradeRecords, episodes: Iterable[Episode], tier: str, ruled: Mapping[str, Mapping[int, float]]
) -> pl.DataFrame:
    """Return every exporter, code and year that could have been a cut: share, governance, whether it was."""
    happened = {(e.code, who, e.year) for e in episodes for who in e.exporters}
    rows: list[tuple[object, ...]] = []
    for code, records in sorted(trade.codes.items()):
        if code in NOT_BY_WEIGHT:
            continue
        for t in range(2, len(records.years)):
            for i, share in _large(records, t, TIERS[tier]):
                name, year = records.countries[i], records.years[t]
                if name in ENTREPOTS or _relays(records, i, t):
                    continue
                risk = _governed(ruled, name, year - 1)
                rows.append((name, code, year, share, risk, (code, name, year) in happened))
    return pl.DataFrame(rows, schema=_PANEL, orient="row").sort("year", "item", "exporter")


def _large(records: Records, t: int, tier: Tier) -> list[tuple[int, float]]:
    before = (records.world[t - 1] + records.world[t - 2]) / 2
    if before <= 0 or records.world_value[t - 2 : t].mean() < 5e6:
        return []
    mean = (records.exports[:, t - 1] + records.exports[:, t - 2]) / 2
    large = np.flatnonzero((mean >= tier.share * before) & (records.exports[:, t - 1] > 0))
    return [(int(i), float(mean[i] / before)) for i in large]


def _relays(records: Records, i: int, t: int) -> bool:
    before = slice(t - 2, t)
    return bool(records.imports[i, before].sum() > 0.8 * records.exports[i, before].sum())


def cut_spans(trade: TradeRecords, panel: pl.DataFrame, recovered: float = 0.8) -> tuple[Spans, Floats]:
    """Return how long each cut of a panel lasted, and the share of exports lost in its first year.

    A cut ends in the first year in which exports are back at ``recovered`` of the two years before it; it
    lasted between the year before that and that one.
    """
    events = panel.filter("event")
    low, high, cut = [], [], []
    for who, code, year in events.select("exporter", "item", "year").iter_rows():
        records = trade.codes[code]
        i, t = records.place(who), records.column(year)
        own = records.exports[i]
        base = (own[t - 1] + own[t - 2]) / 2
        back = np.flatnonzero(own[t + 1 :] >= recovered * base)
        later = len(records.years) - 1 - t
        low.append(12.0 * (back[0] if len(back) else later))
        high.append(12.0 * (back[0] + 1) if len(back) else np.inf)
        cut.append(candidate(records, who, year).cut)
    names = tuple(events["exporter"].to_list()), tuple(events["item"].to_list())
    return Spans(*names, np.array(low), np.array(high)), np.array(cut)


def items_of_codes(codes: Iterable[str], revision: str) -> dict[str, tuple[str, ...]]:
    """Return form to its codes of its own, among ``codes`` of a revision."""
    have = set(codes)
    found = {}
    for name in form_names():
        mine = tuple(c.code for c in form(name).codes_for(revision) if not c.basket and c.code in have)
        if mine:
            found[name] = mine
    return found


@lru_cache(maxsize=1)
def typed_restrictions() -> tuple[Mapping[str, str], ...]:
    """Return the restrictions typed from published reports, text as typed.

    >>> any(row["event"] == "chn-gallium-2023" for row in typed_restrictions())
    True
    """
    text = files("evernormal.risk").joinpath("tables/restriction_events.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def restriction_events(
    folder: str | Path | None, known_on: date | None, dataset: str | Sequence[str] | None = None
) -> tuple[pl.DataFrame, tuple[Input, ...], list[Finding]]:
    """Return restrictions of exports, one row per actor, material and act.

    The typed list, and the records that the user added: those on the side of exports that restrict and name a
    material.  Records of one actor, material and month of announcement are one act.

    Returns:
        (by, against, material, kind, announced, effective, ends, last_known, share_lost, source), inputs,
        findings.
    """
    rows = [row for act in typed_restrictions() for row in _typed_rows(act, known_on)]
    inputs: tuple[Input, ...] = ()
    findings: list[Finding] = []
    if dataset is not None or datasets("policies", folder):
        found = policies(kinds=KEPT_KINDS, sides="export", dataset=dataset, folder=folder, as_of=known_on)
        inputs, findings = found.lineage.inputs, list(found.findings)
        table = found["policies"].filter(pl.col("stance") != "liberalising")
        rows += [row for record in table.iter_rows(named=True) for row in _record_rows(record)]
    schema = dict.fromkeys(("by", "against", "material", "kind"), pl.String) | {
        **dict.fromkeys(("announced", "effective", "ends", "last_known"), pl.Date),
        "share_lost": pl.Float64,
        "source": pl.String,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    month = pl.coalesce("announced", "effective").dt.strftime("%Y-%m")
    order = ["by", "material", "announced", "kind", "source"]
    unique = table.with_columns(_month=month).sort(order, nulls_last=True)
    return (
        unique.unique(["by", "material", "_month"], keep="first", maintain_order=True).drop("_month"),
        inputs,
        findings,
    )


def _typed_rows(act: Mapping[str, str], known_on: date | None) -> list[tuple[object, ...]]:
    days = {name: moment(act[name]) for name in ("announced", "effective", "ends", "last_known", "as_of")}
    announced = days["announced"]
    assert announced is not None
    if known_on is not None and announced.last > known_on:
        return []
    first = {name: None if m is None else m.first for name, m in days.items()}
    if known_on is not None:
        if first["ends"] is not None and first["ends"] > known_on:
            first["ends"] = None
        if first["last_known"] is not None:
            first["last_known"] = min(first["last_known"], known_on)
    told = first["as_of"]
    seen = known_on is None or (told is not None and told <= known_on)
    share = float(act["share_lost"]) if act["share_lost"] and seen else None
    return [
        (
            act["by"], act["against"] or None, material, act["kind"], first["announced"], first["effective"],
            first["ends"], first["last_known"], share, act["source"],
        )
        for material in act["materials"].split(";")
    ]  # fmt: skip


def _record_rows(record: Mapping[str, object]) -> list[tuple[object, ...]]:
    materials = str(record["materials"] or "").split(";")
    ends = record["ends"] or record["suspended"]
    title = f"{record['dataset']}: {record['title']}"
    return [
        (
            record["by"], record["against"], material, record["kind"], record["announced"],
            record["effective"], ends, record["as_of"], None, title,
        )
        for material in materials
        if material
    ]  # fmt: skip


def restriction_panel(
    trade: TradeRecords,
    revision: str,
    events: pl.DataFrame,
    last_year: int,
    ruled: Mapping[str, Mapping[int, float]],
    least: float = 0.15,
) -> pl.DataFrame:
    """Return every exporter, material and year from 2010 on that could restrict what many need.

    Restrictions of exporters with less than ``least`` are left out, as are the years without such a share.
    """
    happened = {
        (by, material, day.year)
        for by, material, day in events.select(
            "by", "material", pl.coalesce("effective", "announced")
        ).iter_rows()
        if day is not None
    }
    shares = _shares(trade, revision, last_year)
    rows = [
        (who, material, year, share, _governed(ruled, who, year - 1), (who, material, year) in happened)
        for (material, year), by_country in sorted(shares.items())
        if RESTRICTIONS_FROM <= year <= last_year
        for who, share in sorted(by_country.items())
        if share >= least and who not in ENTREPOTS
    ]
    return pl.DataFrame(rows, schema=_PANEL, orient="row").sort("year", "item", "exporter")


def _shares(trade: TradeRecords, revision: str, last_year: int) -> dict[tuple[str, int], dict[str, float]]:
    """Return (material, year) to exporter to its largest share of a form's trade, or of world production."""
    found: dict[tuple[str, int], dict[str, float]] = {}

    def note(material: str, year: int, who: str, share: float) -> None:
        cell = found.setdefault((material, year), {})
        cell[who] = max(cell.get(who, 0.0), share)

    own = items_of_codes(trade.codes, revision)
    for name, codes in own.items():
        for code in codes:
            records = trade.codes[code]
            for year in range(RESTRICTIONS_FROM, last_year + 1):
                t = min(year - 1, records.years[-1]) - records.years[0]
                if t < 0 or records.world[t] <= 0:
                    continue
                for i in np.flatnonzero(records.exports[:, t] >= 0.01 * records.world[t]):
                    note(
                        name.partition("/")[0],
                        year,
                        records.countries[i],
                        float(records.exports[i, t] / records.world[t]),
                    )
    for material, year, who, share in _production_shares(last_year):
        note(material, year, who, share)
    return found


def _production_shares(last_year: int) -> list[tuple[str, int, str, float]]:
    """Shares of world production of the year before; the first year known stands for those before it."""
    labels = {}
    for name in form_names():
        one = form(name)
        if one.production_source:
            labels[one.production_source.partition(":")[2]] = one.material
    table = production(materials=sorted(labels)).filter(pl.col("value").is_not_null())
    rows = []
    for (label, year), group in sorted(table.group_by("material", "year"), key=lambda pair: str(pair[0])):
        amounts = group.sort("country")
        total = float(np.sort(amounts["value"].to_numpy()).sum())
        if total <= 0:
            continue
        years = [int(year) + 1] if year > table["year"].min() else range(RESTRICTIONS_FROM, int(year) + 2)
        if year == table["year"].max():
            years = range(int(year) + 1, last_year + 1)
        for y in years:
            rows += [
                (labels[str(label)], y, who, value / total)
                for who, value in amounts.select("country", "value").iter_rows()
            ]
    return rows
