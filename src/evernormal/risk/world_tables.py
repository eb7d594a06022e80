"""Which tables the sums behind GeoPolRisk are made from: the shipped ones, or data sets of the user."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.publishers.baci import REVISION
from evernormal.data.schema import day
from evernormal.data.trade_table import TradeTable, trade_table
from evernormal.errors import InputError, NotCoveredError, UnitError
from evernormal.result import Input

__all__ = ["Production", "WorldTables", "open_world", "production_of", "require_governance", "trade_of"]

_NO_COUNTRY = ("WLD",)
_REST = "ROW"
_TONNES = {"t": 1.0, "kg": 1e-3, "million m3": 1.0}


@dataclass(frozen=True)
class WorldTables:
    """The tables behind the sums, each pinned by its hash: what is the same was summed already.

    Attributes:
        trade: the trade table.
        governance: the governance table.
        production: the shipped production; None where it was not knowable.
        statistics: statistics that the user added; None where none were named.
        folder: folder of the user's store; None where nothing of it is read.
        known_on: day on which rows of the statistics must have been knowable.
        years: years that trade, governance and production cover.
    """

    trade: Input
    governance: Input
    production: Input | None
    statistics: Input | None
    folder: str | None
    known_on: date | None
    years: tuple[int, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Every table that entered."""
        found = (self.trade, self.statistics, self.production, self.governance)
        return tuple(one for one in found if one is not None)


@dataclass(frozen=True)
class Production:
    """Production rows of materials of the method.

    Attributes:
        rows: material, country, year, value (null where listed without a figure), unit, tonnes, own (of the
            user's statistics), and what each row says of its source.
        own: materials read from the user's statistics.
        mixed: materials of which the statistics have several lines; the one with the most figures is read.
        rest: materials whose statistics join small producers to "other countries".
    """

    rows: pl.DataFrame
    own: frozenset[str]
    mixed: tuple[str, ...]
    rest: tuple[str, ...]


def open_world(
    dataset: str | None = None,
    statistics: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> WorldTables:
    """Find the tables that were knowable on a day.

    Args:
        dataset: trade that the user added, with codes of HS 1992; None for the shipped trade.
        statistics: statistics that the user added; None for the shipped production alone.
        folder: folder of the user's store.
        as_of: day; None for everything.

    Raises:
        InputError: trade with codes of another revision, or a data set without a folder.
        UnknownNameError, SnapshotError: as :func:`evernormal.data.trade`.
        NotCoveredError: governance or production was not knowable yet, or no year has everything.
    """
    from evernormal.data.snapshot import inputs, source_day  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.stored import stored  # noqa: PLC0415 - the user's store

    known_on = day(as_of)
    trade = trade_table(dataset, folder, known_on)
    if trade.revision != REVISION:
        raise InputError(
            f"GeoPolRisk names codes of {REVISION}, data set {dataset!r} has codes of {trade.revision}",
            where="dataset",
            cure="Add the publisher's file of the first revision (BACI HS92) and name that.",
        )
    require_governance(known_on)
    shipped = (
        None if known_on is not None and known_on < source_day("production") else inputs("production")[0]
    )
    rows, used = (
        stored("statistics", statistics, folder, known_on) if statistics is not None else (None, None)
    )
    made = set(_shipped()["year"].to_list()) if shipped is not None else set()
    if rows is not None:
        made |= set(rows.filter(statistic="production")["year"].to_list())
    first, last = trade.coverage_of()[1]
    years = tuple(sorted(year for year in made & _governed() if first <= year <= last))
    if not years:
        raise NotCoveredError(
            "trade, production and governance have no year in common",
            where=trade.input.name,
            cure="Add trade and statistics of the same years.",
        )
    pinned = None if dataset is None and statistics is None else str(folder)
    day_of_rows = None if statistics is None else known_on
    return WorldTables(trade.input, inputs("governance")[0], shipped, used, pinned, day_of_rows, years)


def require_governance(known_on: date | None) -> None:
    """Raise unless the shipped governance indicators were knowable on a day (law 11).

    Raises:
        NotCoveredError: they are of a later day.
    """
    from evernormal.data.snapshot import source_day  # noqa: PLC0415 - opens the snapshot

    first = source_day("governance")
    if known_on is not None and known_on < first:
        raise NotCoveredError(
            f"no governance indicator was knowable on {known_on}; the shipped table dates from {first}",
            where="as_of",
            cure="Choose a later day.",
        )


def trade_of(tables: WorldTables) -> TradeTable:
    """Return the trade table that was found, exactly that vintage."""
    own = "/" in tables.trade.name
    return trade_table(tables.trade.name if own else None, tables.folder if own else None, None)


def production_of(tables: WorldTables, materials: Mapping[str, str]) -> Production:
    """Return production of materials of the method: the user's statistics where they count it, else shipped.

    Args:
        tables: tables that were opened.
        materials: name of the method to the label of World Mining Data.

    A line of the statistics stands for a material when it counts production of the same material at the
    same stage, in tonnes that convert to what World Mining Data counts.
    """
    shipped = _shipped()
    if tables.production is None:
        shipped = shipped.clear()
    owners = pl.DataFrame({"name": list(materials), "material": list(materials.values())})
    base = owners.join(shipped, on="material", how="inner", maintain_order="left_right")
    base = base.with_columns(
        tonnes=pl.col("value")
        * pl.col("unit").replace_strict(_TONNES, default=None, return_dtype=pl.Float64),
        own=pl.lit(value=False),
    )
    columns = ["name", "country", "year", "value", "unit", "tonnes", "own", *_TOLD]
    base = base.select(columns)
    if tables.statistics is None:
        return Production(base, frozenset(), (), ())
    own, mixed, rest = _statistics(tables, materials)
    kept = base.filter(~pl.col("name").is_in(own["name"].unique().to_list()))
    rows = pl.concat([kept, own.select(columns)])
    return Production(rows, frozenset(own["name"].to_list()), mixed, rest)


_TOLD = ("basis", "source", "source_ref", "as_of", "grade")


@functools.cache
def _shipped() -> pl.DataFrame:
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot

    return production().with_columns(pl.col("year").cast(pl.Int64))


@functools.cache
def _governed() -> frozenset[int]:
    from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot

    rows = governance(indicators="normalized").filter(pl.col("value").is_not_null())
    return frozenset(rows["year"].to_list())


def _statistics(
    tables: WorldTables, materials: Mapping[str, str]
) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Rows of the user's statistics under the names of the method, and what is odd about them."""
    from evernormal.data.publishers.statistic_labels import label_of  # noqa: PLC0415 - reads tables
    from evernormal.data.stored import stored  # noqa: PLC0415 - the user's store

    assert tables.statistics is not None
    rows, _ = stored("statistics", tables.statistics.name, tables.folder, tables.known_on)
    rows = rows.filter(
        (pl.col("statistic") == "production")
        & pl.col("scenario").is_null()
        & ~pl.col("country").is_in(_NO_COUNTRY)
    ).with_columns(pl.col("year").cast(pl.Int64))
    basis = dict(_shipped().select("material", "basis").unique().sort("material", "basis").iter_rows())
    found, mixed, rest = [], [], []
    for name, label in materials.items():
        meant = label_of("wmd", label, "production")
        if meant.material is None or meant.stage is None:
            continue
        line = rows.filter(material=meant.material, stage=meant.stage)
        line, several = _one_line(line)
        line = _on_basis(line, meant.material, basis.get(label, ""))
        if line["tonnes"].drop_nulls().is_empty():
            continue
        mixed += [name] if several else []
        rest += [name] if (line["country"] == _REST).any() else []
        found.append(line.with_columns(name=pl.lit(name), own=pl.lit(value=True)))
    columns = ["name", "country", "year", "value", "unit", "tonnes", "own", *_TOLD]
    named = rows.clear().with_columns(name=pl.lit(""), own=pl.lit(value=True), tonnes=pl.lit(0.0))
    kept = pl.concat([one.select(columns) for one in (named, *found)])
    return kept, tuple(mixed), tuple(rest)


def _one_line(rows: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Keep one line of the publisher: that with the most figures; parts of a whole are not added up."""
    lines = (
        rows.group_by("commodity", "basis", "unit")
        .agg(pl.col("value").count().alias("figures"))
        .sort("figures", "commodity", "basis", "unit", descending=[True, False, False, False])
    )
    if lines.height < 2:
        return rows, False
    commodity, counted, unit, _ = lines.row(0)
    return rows.filter(commodity=commodity, basis=counted, unit=unit), True


def _on_basis(rows: pl.DataFrame, material: str, target: str) -> pl.DataFrame:
    """Add tonnes of what World Mining Data counts; null where the line does not convert."""
    from evernormal.data.comparison_rows import contained  # noqa: PLC0415 - reads tables
    from evernormal.units import factor  # noqa: PLC0415

    factors = []
    for unit, counted in rows.select("unit", "basis").unique().sort("unit", "basis").iter_rows():
        given, wanted = (1.0, 1.0) if counted == target else (
            contained(1.0, basis, material)[0] for basis in (counted, target)
        )  # fmt: skip
        try:
            tonnes = float(factor(unit, "t"))
        except UnitError:
            continue
        if given is not None and wanted is not None:
            factors.append((unit, counted, tonnes * given / wanted))
    table = pl.DataFrame(
        factors, schema={"unit": pl.String, "basis": pl.String, "scale": pl.Float64}, orient="row"
    )
    joined = rows.join(table, on=["unit", "basis"], how="left", maintain_order="left")
    return joined.with_columns(tonnes=pl.col("value") * pl.col("scale"))
