"""What each source says about a material and stage, in one form: World Mining Data, facts, added statistics.

Nothing is merged: a *series* is one line of one publisher (``copper, refined``), with its own unit and basis.
Tonnes are put on contained tonnes where the basis says how, never by a guess.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.mining import production, production_totals
from evernormal.data.published import facts
from evernormal.data.publishers.statistic_labels import contained_basis, label_of
from evernormal.data.publishers.usgs_mcs import ALONE
from evernormal.data.schema import TABLES
from evernormal.data.snapshot import inputs, source_day
from evernormal.data.statistics_rows import statistics_inputs
from evernormal.errors import NotCoveredError, UnitError, UnknownNameError
from evernormal.result import Input
from evernormal.units import basis_factor, factor

__all__ = ["Collected", "Said", "collect", "contained", "known_materials"]

MASS, SHARE = "production", "share"
_SHARES = frozenset({"supply_share", "production_share", "refining_share", "mining_share", "mine_share"})
_STAGES = {"mine_share": "ore", "refining_share": "refined"}
_PUBLISHERS = {"USGS": "usgs", "British Geological Survey": "bgs"}
_ELEMENT = "element contained"
_EDITION = re.compile(r"[ ,]*\b(19|20)\d\d\b.*$")
_PARTS = {"1": 1.0, "fraction": 1.0, "%": 0.01, "percent": 0.01}


@dataclass(frozen=True)
class Said:
    """One figure of one source.

    Attributes:
        source: publisher and edition.
        series: line of the publisher.
        dataset: where it was read from.
        country: ISO 3166 alpha-3, ``WLD`` or ``ROW``.
        year: year of the figure; the last of a period.
        period: the period as the source writes it.
        tonnes: mass in tonnes of ``basis``; None where not known or where only a share is given.
        low: lower end of mass or share.
        high: upper end.
        share: share of the world as published; None where a mass is given.
        basis: what the tonnes count.
        form: form, where the source says it.
        flag: the publisher's marks and notes.
        grade: A, B or C.
        source_ref: place inside the source.
        as_of: day on which it was knowable.
        part_of: the whole that the line is one part of; empty where it is a whole itself.
    """

    source: str
    series: str
    dataset: str
    country: str
    year: int
    period: str
    tonnes: float | None
    low: float | None
    high: float | None
    share: float | None
    basis: str
    form: str | None
    flag: str
    grade: str
    source_ref: str
    as_of: date
    part_of: str = ""

    @property
    def publisher(self) -> str:
        """The source without its edition: editions of one publisher are not independent."""
        return _EDITION.sub("", self.source)

    @property
    def withheld(self) -> bool:
        """Whether the publisher lists the country without a figure."""
        return self.tonnes is None and self.share is None and self.low is None and self.high is None


@dataclass
class Collected:
    """Every figure that was knowable, the files behind them, and what could not be used."""

    said: list[Said]
    inputs: list[Input]
    left_out: list[tuple[str, str]]


def collect(material: str, stage: str, folder: str | Path | None, known_on: date | None) -> Collected:
    """Return what every source says about a material and stage, of every year."""
    found = Collected([], [], [])
    _mining(material, stage, known_on, found)
    if folder is not None:
        _stored(material, stage, folder, known_on, found)
    _facts(material, stage, known_on, found)
    return found


def contained(value: float | None, basis: str, material: str) -> tuple[float | None, str]:
    """Return contained tonnes, and why there are none.

    >>> round(contained(1000.0, "contained Li2O", "lithium")[0])
    465
    >>> contained(1000.0, "gross", "graphite")
    (None, 'gross weight: its content is not in the source')
    """
    target = contained_basis(material)
    if value is None:
        return None, ""
    if _ELEMENT in basis and material not in ("graphite", "rare-earths"):
        return value, ""
    if not basis.startswith("contained"):
        what = "gross weight" if basis == "gross" else basis or "weight"
        return None, f"{what}: its content is not in the source"
    counted = basis.removeprefix("contained").strip() or target
    if counted == target:
        return value, ""
    try:
        return value * float(basis_factor(counted, target, "" if target == "REO" else target)), ""
    except UnitError as error:
        return None, f"no conversion from {basis} to {target} ({error.what})"


@functools.cache
def known_materials() -> tuple[str, ...]:
    """Return every material that the tables of labels name."""
    rows = pl.read_csv(TABLES / "statistic_materials.csv", infer_schema=False)
    return tuple(sorted(rows["material"].drop_nulls().unique().to_list()))


# --- shipped production ----------------------------------------------------------


def _mining(material: str, stage: str, known_on: date | None, found: Collected) -> None:
    name = "World Mining Data"
    if known_on is not None and source_day("production") > known_on:
        found.left_out.append((name, f"dates from {source_day('production')}, after {known_on}"))
        return
    labels = [label for label in _mining_labels() if _is_about("wmd", label, material, stage)]
    if not labels:
        return
    found.inputs += [inputs(table)[0] for table in ("production", "production_totals")]
    countries = production(labels)
    worlds = production_totals(labels).with_columns(country=pl.lit("WLD"))
    for row in pl.concat([countries, worlds.select(countries.columns)]).iter_rows(named=True):
        flag = row["source_ref"].rpartition("flag ")[2] if "flag " in row["source_ref"] else ""
        tonnes = None if row["value"] is None else row["value"] * float(factor(_unit(row["unit"]), "t"))
        yes = {"e": "e", "p": "p"}.get(flag, "")
        form = label_of("wmd", row["material"], "production").form
        found.said.append(
            Said(row["source"], row["material"], "snapshot", row["country"], row["year"], str(row["year"]),
                 tonnes, None, None, None, row["basis"], form, yes if tonnes is not None else "NA",
                 row["grade"], row["source_ref"], row["as_of"])
        )  # fmt: skip


@functools.cache
def _mining_labels() -> tuple[str, ...]:
    return tuple(production()["material"].unique().sort().to_list())


def _is_about(source: str, label: str, material: str, stage: str) -> bool:
    meant = label_of(source, label, "production")
    return (meant.material, meant.stage) == (material, stage)


def _unit(name: str) -> str:
    return {"carat": "ct"}.get(name, name)


# --- shipped facts ---------------------------------------------------------------


def _facts(material: str, stage: str, known_on: date | None, found: Collected) -> None:
    rows = facts(material=material, as_of=known_on).filter(
        pl.col("topic").is_in(["mine_share", "refining_share", "world_production"])
    )
    used = False
    brought = {_publication(one.source): one.dataset for one in found.said if one.dataset != "snapshot"}
    again: dict[str, str] = {}
    for row in rows.iter_rows(named=True):
        at = _STAGES.get(row["topic"]) or _stage_of_form(row["form"])
        year = int(row["period"][-4:]) if re.fullmatch(r"\d{4}(/\d{4})?", row["period"]) else None
        if at != stage or year is None:
            continue
        name = _publication(row["source"])
        same = next((known for known in brought if name.startswith(known) or known.startswith(name)), None)
        if same is not None:
            again[row["source"]] = (
                f"its facts are left out: the publication itself is there as {brought[same]}"
            )
            continue
        used = True
        share = row["topic"] != "world_production"
        scale = _PARTS.get(row["unit"], 1.0) if share else float(factor(row["unit"], "t"))
        value, low, high = (None if row[n] is None else row[n] * scale for n in ("value", "low", "high"))
        found.said.append(
            Said(row["source"], row["form"] or material, "facts", row["region"], year, row["period"],
                 None if share else value, low, high, value if share else None, _fact_basis(row["basis"]),
                 row["form"], "e" if "estimated" in (row["definition"] or "") else "", row["grade"],
                 row["source_ref"] or row["fact_id"], row["as_of"])
        )  # fmt: skip
    found.left_out += sorted(again.items())
    if used:
        found.inputs += inputs("facts")


def _publication(source: str) -> str:
    """Return a source without what stands in brackets, to tell whether two are the same publication."""
    plain = " ".join(re.sub(r"\(.*?\)", "", source).casefold().split())
    return plain.replace("bgs,", "british geological survey,").replace("data explorer", "dataset")


@functools.cache
def _stage_of_form(form: str | None) -> str | None:
    """Return the stage of a form, as the table of labels says it."""
    labels = pl.read_csv(TABLES / "statistic_labels.csv", infer_schema=False)
    found = labels.filter(pl.col("form") == pl.lit(form or "none"))
    return None if found.is_empty() else found["stage"][0]


def _fact_basis(basis: str | None) -> str:
    text = basis or ""
    if found := re.fullmatch(r"([A-Z][A-Za-z0-9]*) content", text):
        return f"contained {found[1]}"
    return text if text.startswith("contained") or text == "gross" else (f"contained {text}" if text else "")


# --- statistics that were added --------------------------------------------------


def _stored(material: str, stage: str, folder: str | Path, known_on: date | None, found: Collected) -> None:
    try:
        sets = statistics_inputs(None, folder, known_on)
    except (NotCoveredError, UnknownNameError) as error:
        found.left_out.append(("added statistics", error.what))
        return
    about = (pl.col("material") == material) & (pl.col("stage") == stage)
    wanted = pl.col("statistic").is_in([MASS, *sorted(_SHARES)])
    for table, pinned in sets:
        rows = table.filter(about & wanted & ~pl.col("commodity").str.contains(f": {ALONE}: ", literal=True))
        if not rows.is_empty():
            found.inputs.append(pinned)
            said = list(_of_table(rows, pinned.name.partition("/")[0], found))
            found.said += [*said, *_wholes(said)]


def _of_table(rows: pl.DataFrame, dataset: str, found: Collected) -> Iterator[Said]:
    for row in rows.sort("commodity", "year", "country", "source_ref").iter_rows(named=True):
        is_share = row["statistic"] != MASS or row["unit"] in _PARTS
        scale = _PARTS.get(row["unit"]) if is_share else _to_tonnes(row["unit"])
        if scale is None:
            reason = f"{row['commodity']} is in {row['unit']}, which is neither a mass nor a share"
            if (dataset, reason) not in found.left_out:
                found.left_out.append((dataset, reason))
            continue
        yield _said(row, dataset, scale, is_share=is_share)


def _said(row: dict[str, Any], dataset: str, scale: float, *, is_share: bool) -> Said:
    value, low, high = (None if row[n] is None else row[n] * scale for n in ("value", "low", "high"))
    series = row["commodity"] + (f" ({row['scenario']})" if row["scenario"] else "")
    tonnes, share = (None, value) if is_share else (value, None)
    return Said(row["source"], series, dataset, row["country"], row["year"], str(row["year"]), tonnes, low,
                high, share, row["basis"], row["form"], row["flag"] or "", row["grade"], row["source_ref"],
                row["as_of"], _part_of(row["source"], row["commodity"]))  # fmt: skip


def _part_of(source: str, label: str) -> str:
    key = _PUBLISHERS.get(source.partition(",")[0], "")
    whole = label_of(key, label, "production").part_of if key else ""
    return "" if label.casefold().endswith(whole) else whole


def _wholes(said: list[Said]) -> list[Said]:
    """Return the sum of the parts of each country, where a publisher splits a whole into lines."""
    groups: dict[tuple[str, str, str, int, str], list[Said]] = {}
    for one in said:
        if one.part_of:
            groups.setdefault((one.source, one.part_of, one.basis, one.year, one.country), []).append(one)
    printed = {(one.source, one.year, one.country) for one in said if not one.part_of}
    made = []
    for (source, whole, _, year, country), parts in sorted(groups.items()):
        if (source, year, country) in printed:
            continue
        known = [one.tonnes for one in parts if one.tonnes is not None]
        marks = dict.fromkeys(one.flag for one in parts if one.flag)
        made.append(
            replace(
                parts[0],
                series=whole,
                tonnes=math.fsum(sorted(known)) if known else None,
                low=None,
                high=None,
                form=parts[0].form if len({one.form for one in parts}) == 1 else None,
                flag="; ".join(["sum of its parts", *marks]) if known else parts[0].flag,
                grade=max(one.grade for one in parts),
                source_ref=" + ".join(one.source_ref for one in parts),
                part_of="",
            )
        )
    return made


@functools.cache
def _to_tonnes(unit: str) -> float | None:
    try:
        return float(factor(_unit(unit), "t"))
    except UnitError:
        return None
