"""Published facts: what trade codes cannot show, typed from publications with their citation.

Who supplies gallium, germanium, synthetic graphite, magnets or cathode precursor; who refines; days of
stock; targets. Figures of different definitions stand beside each other: read ``definition`` before
comparing two rows.
"""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.publishers.facts_csv import TOPICS, read_facts
from evernormal.data.schema import TABLES, day
from evernormal.errors import InputError, SnapshotError, UnknownNameError

__all__ = ["facts"]


def facts(
    topic: str | None = None,
    form: str | None = None,
    region: str | None = None,
    *,
    material: str | None = None,
    partner: str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.DataFrame:
    """Return published facts, one row per figure.

    Args:
        topic: world_production, refining_share, mine_share, imports, import_share, exports, consumption,
            price, stock_days, stockpile_target, dependence_target or policy; None for all.
        form: such as ``gallium/metal``; None for all.
        region: country or group that the fact describes, ISO 3166 alpha-3 or ``WLD``; None for all.
        material: such as ``gallium``; None for all.
        partner: partner country of a trade fact; None for all.
        dataset: None for the shipped table, or a table that ``evernormal data add facts`` stored in
            ``folder``.
        folder: folder of the user's store; needed with ``dataset``.
        as_of: only rows that were knowable on this day (law 11), of the vintage of that day.

    Returns:
        fact_id, topic, material, form, region, partner, value, low, high (in ``unit`` of ``basis``; null
        where not published), unit, basis, period, definition, source, source_ref, as_of, grade.

    Raises:
        UnknownNameError: a topic, a country or a data set that does not exist; names the nearest.
        SourceFormatError: the table has a fault; names every row and column.

    >>> rows = facts("import_share", region="KOR", partner="CHN")
    >>> bool(rows["value"].is_between(0, 1).all()), rows.height > 10
    (True, True)
    """
    known_on = day(as_of)
    rows = _rows(dataset, folder, known_on)
    if topic is not None and topic not in TOPICS:
        raise UnknownNameError("topic of facts", topic, TOPICS)
    for name, value in (("region", region), ("partner", partner)):
        if value is not None:
            check_iso3([value], where=name)
    wanted = {"topic": topic, "form": form, "region": region, "material": material, "partner": partner}
    for name, value in wanted.items():
        if value is not None:
            rows = rows.filter(pl.col(name) == value)
    return rows if known_on is None else rows.filter(pl.col("as_of") <= known_on)


def _rows(dataset: str | None, folder: str | Path | None, known_on: date | None) -> pl.DataFrame:
    if dataset is None:
        path = TABLES / "facts.csv"
        try:
            found = path.stat()
        except OSError as error:
            raise SnapshotError(
                f"cannot read facts.csv ({error.strerror})",
                where=str(path),
                cure="Install the package again.",
            ) from error
        return _shipped(path, found.st_mtime_ns)
    from evernormal.data.store import scan, vintage  # noqa: PLC0415

    if folder is None:
        raise InputError(f"data set {dataset!r} needs the folder of the store", cure="Give folder=...")
    return scan(vintage(dataset, folder, kind="facts", as_of=known_on)).collect()


@functools.lru_cache(maxsize=2)
def _shipped(path: Path, changed: int) -> pl.DataFrame:
    return read_facts(path)
