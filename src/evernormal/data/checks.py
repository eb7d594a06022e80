"""Named checks over snapshot, typed tables and the user's store: every fault at once, with its cure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from evernormal.data.editions import damage
from evernormal.data.geography import aliases, countries
from evernormal.data.published import facts
from evernormal.data.publishers.registry import carrier
from evernormal.data.publishers.registry import sources as pinned_sources
from evernormal.data.schema import Column, stored_columns
from evernormal.data.snapshot import SNAPSHOT, SNAPSHOT_TABLES, resource, resources
from evernormal.data.store import vintages
from evernormal.errors import EvernormalError
from evernormal.result import Finding, Lineage, Result

__all__ = ["CHECKS", "COUNTRY_COLUMNS", "Fault", "verify"]

Level = Literal["info", "caution", "warning"]

_BUILD = "Run `evernormal data build`."
_KEYS = {
    "trade": ("year", "exporter", "importer", "code"),
    "production": ("material", "country", "year"),
    "production_totals": ("material", "year"),
    "governance": ("dimension", "indicator", "country", "year"),
}
COUNTRY_COLUMNS = {"trade": ("exporter", "importer"), "production": ("country",), "governance": ("country",)}
_SEVERE: Level = "warning"


@dataclass(frozen=True)
class Fault:
    """One thing that a check found: where, how bad, what, and what cures it."""

    where: str
    level: Level
    message: str
    cure: str


Check = Callable[[Path], Iterator[Fault]]


def verify(folder: str | Path | None = None, *, snapshot: str | Path = SNAPSHOT) -> Result:
    """Run every check over the shipped snapshot, the typed tables and, where given, the user's store.

    Args:
        folder: folder of the user's store; None to leave it out.
        snapshot: folder of the snapshot.

    Returns:
        Result ``data-verification`` with table ``checks``: check, ok, faults, what; and ``faults``: check,
        where, level, message, cure.  A fault of level ``warning`` means that data must not be used;
        ``caution`` and ``info`` are known peculiarities.  Each fault is a finding too.

    >>> verify()["checks"]["ok"].all()
    True
    """
    rows: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for name, check in CHECKS.items():
        faults = list(_run(check, Path(snapshot)))
        rows.append(_summary(name, check, faults))
        found += [{"check": name, **asdict(fault)} for fault in faults]
    if folder is not None:
        faults = list(_store_faults(Path(folder)))
        rows.append(_summary("store", _store_faults, faults))
        found += [{"check": "store", **asdict(fault)} for fault in faults]
    names = ("check", "where", "level", "message", "cure")
    table = pl.DataFrame(found, schema=dict.fromkeys(names, pl.String()))
    findings = tuple(
        Finding(f"check-{f['check']}", f["level"], f"{f['where']}: {f['message']}", {"cure": f["cure"]})  # type: ignore[arg-type]
        for f in found
    )
    return Result(
        "data-verification", {"checks": pl.DataFrame(rows), "faults": table}, {}, _lineage(), findings
    )


def _lineage() -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    return Lineage(__version__)


def _run(check: Check, snapshot: Path) -> Iterator[Fault]:
    try:
        yield from check(snapshot)
    except EvernormalError as error:
        yield Fault(error.where or "snapshot", _SEVERE, error.what, error.cure)
    except (OSError, pl.exceptions.PolarsError) as error:
        yield Fault("snapshot", _SEVERE, f"cannot be read ({error})", _BUILD)


def _summary(name: str, check: Callable[..., object], faults: list[Fault]) -> dict[str, object]:
    what = (check.__doc__ or "").strip().splitlines()[0]
    ok = not any(fault.level == _SEVERE for fault in faults)
    return {"check": name, "ok": ok, "faults": len(faults), "what": what}


def _sound_tables(snapshot: Path) -> Iterator[tuple[str, pl.LazyFrame]]:
    """Yield the tables whose files are whole; the check ``files`` tells of the others."""
    for name in SNAPSHOT_TABLES:
        try:
            yield name, pl.scan_parquet(resource(name, snapshot).path)
        except EvernormalError:
            continue


def _files(snapshot: Path) -> Iterator[Fault]:
    """Every file of the snapshot has the size and the SHA-256 that the data package says."""
    known = resources(snapshot)
    for name in SNAPSHOT_TABLES:
        if name not in known:
            yield Fault(f"{snapshot}/datapackage.json", _SEVERE, f"table {name!r} is missing", _BUILD)
            continue
        try:
            resource(name, snapshot)
        except EvernormalError as error:
            yield Fault(error.where, _SEVERE, error.what, error.cure)


def _pins(snapshot: Path) -> Iterator[Fault]:
    """The snapshot comes from the pinned wheel; every source has publisher, licence, citation, address."""
    resources(snapshot)
    package = json.loads((snapshot / "datapackage.json").read_text("utf-8"))
    if carrier().sha256 not in str(package.get("description")):
        yield Fault("datapackage.json", _SEVERE, f"not built from {carrier().file}", _BUILD)
    for source in pinned_sources().values():
        for name, value in asdict(source).items():
            if not value:
                yield Fault("sources.toml", _SEVERE, f"source {source.key!r} has no {name}", "Fill it in.")


def _columns(snapshot: Path) -> Iterator[Fault]:
    """Every table has the columns and types of the schema, and the rows that the data package says."""
    for name, rows in _sound_tables(snapshot):
        wanted = {c.name: c.stored_dtype for c in stored_columns(name)}
        actual = dict(rows.collect_schema())
        if actual != wanted:
            yield Fault(name, _SEVERE, f"columns are {actual}, the schema says {wanted}", _BUILD)
        count = rows.select(pl.len()).collect().item()
        if count != resources(snapshot)[name].rows:
            yield Fault(name, _SEVERE, f"{count:,} rows, not what the data package says", _BUILD)


def _ranges(snapshot: Path) -> Iterator[Fault]:
    """No value lies outside its hard range, and none is missing where the schema wants one."""
    for name, rows in _sound_tables(snapshot):
        for column in stored_columns(name):
            count = (
                rows.select(_outside(column, column.hard).sum()).collect().item()
                if any(_ends(column.hard))
                else 0
            )
            if count:
                yield Fault(name, _SEVERE, f"{count:,} values of {column.name} are impossible", _BUILD)
            missing = rows.select(pl.col(column.name).null_count()).collect().item()
            if missing and not column.nullable:
                yield Fault(name, _SEVERE, f"{missing:,} values of {column.name} are missing", _BUILD)


def _expected(snapshot: Path) -> Iterator[Fault]:
    """Values outside the range where they usually lie."""
    for name, rows in _sound_tables(snapshot):
        for column in stored_columns(name):
            if any(_ends(column.expected)):
                count = rows.select(_outside(column, column.expected).sum()).collect().item()
                if count:
                    text = f"{count:,} values of {column.name} are outside {column.expected}"
                    yield Fault(name, "caution", text, "Look at them before you use them.")


def _ends(bounds: tuple[float | None, float | None]) -> list[bool]:
    return [end is not None for end in bounds]


def _outside(column: Column, bounds: tuple[float | None, float | None]) -> pl.Expr:
    value = pl.col(column.name)
    low, high = bounds
    below = value < low if low is not None else pl.lit(value=False)
    above = value > high if high is not None else pl.lit(value=False)
    return (below | above).fill_null(value=False)


def _keys(snapshot: Path) -> Iterator[Fault]:
    """No observation is there twice."""
    for name, rows in _sound_tables(snapshot):
        twice = rows.group_by(_KEYS[name]).len().filter(pl.col("len") > 1).select(pl.len()).collect().item()
        if twice:
            yield Fault(name, _SEVERE, f"{twice:,} observations are there more than once", _BUILD)


def _known_countries(snapshot: Path) -> Iterator[Fault]:
    """Every country code is in the alias table, and every country has its names."""
    iso3 = set(countries()["iso3"].to_list())
    numbers = {int(code) for code in aliases("baci")}
    for name, rows in _sound_tables(snapshot):
        for column in COUNTRY_COLUMNS.get(name, ()):
            seen = set(rows.select(pl.col(column).unique()).collect()[column].to_list())
            unknown = sorted(seen - numbers) if name == "trade" else sorted(seen - iso3)
            if unknown:
                yield Fault(
                    name, _SEVERE, f"{column} has unknown {unknown}", "Add them to country_aliases.csv."
                )


def _totals(snapshot: Path) -> Iterator[Fault]:
    """The publisher's world totals agree with the sum of its countries."""
    tables = dict(_sound_tables(snapshot))
    if not {"production", "production_totals"} <= set(tables):
        return
    sums = tables["production"].group_by("material", "year").agg(pl.col("value").sum().alias("sum"))
    both = tables["production_totals"].join(sums, on=["material", "year"], how="left").collect()
    apart = both.filter((pl.col("sum") - pl.col("value")).abs() > 0.001 * pl.col("value")).sort(
        "material", "year"
    )
    for material in apart["material"].unique(maintain_order=True).to_list():
        group = apart.filter(pl.col("material") == material)
        years = ", ".join(str(year) for year in group["year"].to_list())
        worst = group.select((pl.col("sum") / pl.col("value") - 1).abs().max() * 100).item()
        text = f"{material}: countries and printed total differ by up to {worst:.1f} % in {years}"
        yield Fault("production_totals", "info", text, "Take shares over the sum of the countries.")


def _breaks(snapshot: Path) -> Iterator[Fault]:
    """The governance series joins two editions whose levels cannot be compared."""
    for name, rows in _sound_tables(snapshot):
        if name == "governance":
            editions = rows.select(pl.col("basis").unique().sort()).collect()["basis"].to_list()
            if len(editions) > 1:
                text = f"two editions are joined: {'; '.join(editions)}"
                yield Fault(
                    name, "info", text, "Do not read a change from 2022 to 2023 as a change in a country."
                )


def _facts(snapshot: Path) -> Iterator[Fault]:
    """Every published fact has its unit, definition, source, day and grade (law 10)."""
    facts()
    return iter(())


def _store_faults(folder: Path) -> Iterator[Fault]:
    """Every addition of the journal is there and unchanged."""
    cure = "Add the publisher's file again, or restore the folder from a backup."
    try:
        found = vintages(folder)
    except EvernormalError as error:
        yield Fault(error.where, _SEVERE, error.what, error.cure)
        return
    for item in found:
        for damaged in damage(item):
            yield Fault(damaged.where, _SEVERE, damaged.what, cure)
    named = {item.path.parent for item in found}
    for place in sorted((folder / "datasets").glob("*/*")):
        if place not in named and place.is_dir():
            text = "no entry of the journal names this folder: an addition was stopped before it was complete"
            yield Fault(str(place), "info", text, "It is never read; remove it to free the space.")


CHECKS: dict[str, Check] = {
    "files": _files,
    "pins": _pins,
    "columns": _columns,
    "hard-ranges": _ranges,
    "expected-ranges": _expected,
    "keys": _keys,
    "countries": _known_countries,
    "production-totals": _totals,
    "governance-editions": _breaks,
    "facts": _facts,
}
"""Checks of the shipped data by name; the first line of each docstring says what holds when it passes."""
