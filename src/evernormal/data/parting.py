"""Make the parts of a big trade table from rows that come in any order, in bounded memory.

Rows are set aside on the disk by year; then each year is sorted, checked for flows that are there twice,
written in its order by code, and set aside again by group of importers; then each group is sorted and
written.  What is in memory at any time is one year or one group.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.parts import FORMAT, KEY, MANIFEST, Part
from evernormal.result import sha256_of
from evernormal.storage import system_error

__all__ = ["Sizes", "are_whole", "repeated", "stored_amounts", "write_parts"]

_ASIDE = "aside"
_BY_CODE = ("code", "importer", "exporter")
_BY_PAIR = ("importer", "exporter", "code", "year")
_ORDER = (*KEY, "value_usd", "quantity_kg")
_AMOUNTS = ("value_usd", "quantity_kg")
_LEVEL = 3


class Sizes:
    """How big the files are: small enough that a question touches little, few enough to list."""

    rows_of_codes = 1 << 17
    rows_of_pairs = 1 << 18
    most_groups = 48
    rows_of_group = 1 << 15


def repeated(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table sorted by its key that have the same key as the row before."""
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift(1) for c in KEY if c in rows.columns)
    return rows.filter(same.fill_null(value=False))


def stored_amounts(rows: pl.DataFrame, whole: bool) -> pl.DataFrame:
    """Return rows as they are stored: whole dollars and kilograms as integers, columns in their order."""
    dtype = pl.Int64() if whole else pl.Float64()
    return rows.with_columns(pl.col(_AMOUNTS).cast(dtype)).select(_ORDER)


def are_whole(rows: pl.DataFrame) -> bool:
    """Say whether every amount is a whole number of dollars or kilograms that 64 bits hold exactly."""
    good = pl.all_horizontal(
        (pl.col(_AMOUNTS) == pl.col(_AMOUNTS).floor()).all() & (pl.col(_AMOUNTS) < 2**53).all()
    )
    return bool(rows.select(good.fill_null(value=True)).item())


def write_parts(
    portions: Iterable[pl.DataFrame],
    folder: Path,
    twice: Callable[[pl.DataFrame], Exception],
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Write portions of rows as parts into an empty folder, with their manifest; return what it says.

    Args:
        portions: rows with year, exporter, importer, code, value_usd, quantity_kg, in any order.
        folder: empty folder.
        twice: makes the error for flows that are there twice.
        progress: called with the name of each step.

    Raises:
        Exception: what ``twice`` returns, or what ``portions`` raises.
        OSError: the file system refuses; the folder is for the caller to remove.
    """
    try:
        return _Parting(folder, twice, progress).write(portions)
    except (pl.exceptions.PolarsError, OSError) as error:  # polars' own OSError has no number
        raise system_error(error) or error from error


class _Parting:
    def __init__(
        self, folder: Path, twice: Callable[[pl.DataFrame], Exception], progress: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.aside = folder / _ASIDE
        self.twice = twice
        self.progress = progress
        self.years: Counter[int] = Counter()
        self.importers: Counter[int] = Counter()
        self.exporters: Counter[int] = Counter()
        self.codes: set[int] = set()
        self.whole = True
        self.parts: list[Part] = []

    def write(self, portions: Iterable[pl.DataFrame]) -> dict[str, Any]:
        for number, portion in enumerate(portions):
            self._set_aside(portion, number)
        count = min(Sizes.most_groups, max(1, round((self.years.total() / Sizes.rows_of_pairs) ** 0.5)))
        rows, columns = _balanced(self.importers, count), _balanced(self.exporters, count)
        for year in sorted(self.years):
            self.progress(f"sort {year}")
            self._write_year(year, rows)
        for number in range(len(rows)):
            self.progress(f"sort importers {number + 1} of {len(rows)}")
            self._write_importers(number, columns)
        shutil.rmtree(self.aside)
        return self._write_manifest(rows, columns)

    def _set_aside(self, portion: pl.DataFrame, number: int) -> None:
        """Keep a portion on the disk by year, and count what is in it."""
        self.whole = self.whole and are_whole(portion)
        self.importers.update(_counts(portion, "importer"))
        self.exporters.update(_counts(portion, "exporter"))
        self.codes.update(portion["code"].unique().to_list())
        for year, count in _counts(portion, "year").items():
            self.years[year] += count
            rows = portion if count == portion.height else portion.filter(pl.col("year") == year)
            place = self.aside / "years" / str(year)
            place.mkdir(parents=True, exist_ok=True)
            rows.drop("year").write_ipc(place / f"{number:06d}.arrow", compression="lz4")

    def _write_year(self, year: int, groups: list[list[int]]) -> None:
        place = self.aside / "years" / str(year)
        rows = _read_all(place).sort(_BY_CODE).with_columns(pl.lit(year, pl.Int16()).alias("year"))
        shutil.rmtree(place)
        again = repeated(rows)
        if not again.is_empty():
            raise self.twice(again)
        rows = stored_amounts(rows, self.whole)
        for number, cut in enumerate(rows.iter_slices(Sizes.rows_of_codes)):
            span = (int(cut["code"][0]), int(cut["code"][-1]), year)
            self._write_part("codes", f"{year}-{number:03d}", cut, span)
        numbers = [(member, n) for n, group in enumerate(groups) for member in group]
        group = pl.col("importer").replace_strict(
            [m for m, _ in numbers], [n for _, n in numbers], return_dtype=pl.Int16()
        )
        for (n,), own in (
            rows.with_columns(group=group).partition_by("group", as_dict=True, include_key=False).items()
        ):
            place = self.aside / "importers" / str(n)
            place.mkdir(parents=True, exist_ok=True)
            own.write_ipc(place / f"{year}.arrow", compression="lz4")

    def _write_importers(self, number: int, columns: list[list[int]]) -> None:
        place = self.aside / "importers" / str(number)
        rows = _read_all(place)
        shutil.rmtree(place)
        members = [(member, n) for n, group in enumerate(columns) for member in group]
        group = pl.col("exporter").replace_strict(
            [m for m, _ in members], [n for _, n in members], return_dtype=pl.Int16()
        )
        tiles = rows.with_columns(group=group).partition_by("group", as_dict=True, include_key=False)
        del rows
        for (column,) in sorted(tiles):
            tile = tiles.pop((column,)).sort(_BY_PAIR)
            self._write_part("pairs", f"{number:02d}-{column:02d}", tile, (number, int(column), 0))

    def _write_part(self, order: str, name: str, rows: pl.DataFrame, span: tuple[int, int, int]) -> None:
        path = self.folder / order / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        rows.rechunk().write_parquet(
            path, compression="zstd", compression_level=_LEVEL, row_group_size=Sizes.rows_of_group
        )
        inside = f"{order}/{name}.parquet"
        self.parts.append(Part(order, inside, sha256_of(path), path.stat().st_size, rows.height, *span))

    def _write_manifest(self, rows: list[list[int]], columns: list[list[int]]) -> dict[str, Any]:
        found = {
            "format": FORMAT,
            "rows": self.years.total(),
            "bytes": sum(part.size for part in self.parts),
            "years": sorted(self.years.items()),
            "codes": sorted(self.codes),
            "importers": rows,
            "exporters": columns,
            "parts": [list(vars(part).values()) for part in self.parts],
        }
        (self.folder / MANIFEST).write_text(json.dumps(found, separators=(",", ":")) + "\n", "utf-8")
        return found


def _counts(rows: pl.DataFrame, column: str) -> dict[int, int]:
    return dict(rows.group_by(column).len().sort(column).iter_rows())


def _read_all(place: Path) -> pl.DataFrame:
    return pl.concat([pl.read_ipc(path) for path in _files(place)])


def _files(place: Path) -> Iterator[Path]:
    return iter(sorted(place.iterdir()))


def _balanced(counts: Counter[int], most: int) -> list[list[int]]:
    """Put countries into groups of about as many rows: the largest first, each to the least filled group."""
    groups: list[list[int]] = [[] for _ in range(min(most, len(counts)))]
    filled = [0] * len(groups)
    for member, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        least = min(range(len(groups)), key=lambda n: (filled[n], n))
        groups[least].append(member)
        filled[least] += count
    return [sorted(group) for group in groups]
