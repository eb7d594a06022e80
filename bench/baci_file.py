"""A made-up BACI release of any size in CEPII's own form: a zip file with one CSV per year.

Presence follows a gravity-like pattern: a flow of a code between two countries is there with a probability
that grows with the exporter's size, the importer's size and how widely the code is traded, all three very
unequal.  Most flows return from year to year.  Values and quantities are log-normal, a twentieth of the
quantities is unknown; cells are padded with spaces as CEPII pads them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data import aliases, country

__all__ = ["CODES", "COUNTRIES", "YEARS", "write_release"]

YEARS = tuple(range(1995, 2025))
COUNTRIES = 226
CODES = 5000
_LARGE = ("CHN", "USA", "DEU", "JPN", "FRA", "GBR", "ITA", "NLD", "KOR", "BEL", "IND", "ESP", "CAN", "CHE")
_REDRAWN = 0.25
_MOST_KNOWN = 0.95


def write_release(path: Path, rows: int, years: tuple[int, ...] = YEARS, workers: int = 2) -> int:
    """Write a release of about so many rows, and return how many it has.

    Args:
        path: zip file to write; its name should be like ``BACI_HS17_V202501.zip``.
        rows: wanted number of rows over all years.
        years: years of the release.
        workers: processes that make years; the zip file is written by this one.
    """
    scale = _scale(rows / len(years))
    total = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ProcessPoolExecutor(workers) as pool,
    ):
        stem = path.stem.replace("_V", "_Y{}_V")
        for year, (count, text) in zip(years, _made(pool, years, scale, workers), strict=True):
            archive.writestr(f"{stem.format(year)}.csv", text)
            total += count
        lines = [f"{n},{country(str(n), source='baci')}" for n in _numbers()]
        archive.writestr("country_codes_V202501.csv", "country_code,country_name\n" + "\n".join(lines) + "\n")
        products = "\n".join(f"{code:06d},made up" for code in _codes())
        archive.writestr("product_codes_HS17_V202501.csv", f"code,description\n{products}\n")
    return total


def _made(
    pool: ProcessPoolExecutor, years: tuple[int, ...], scale: float, workers: int
) -> Iterator[tuple[int, bytes]]:
    """Yield the years in order, with no more than a few of them in memory."""
    coming = [pool.submit(_year, year, years[0], scale) for year in years[:workers]]
    for n in range(len(years)):
        yield coming.pop(0).result()
        if n + workers < len(years):
            coming.append(pool.submit(_year, years[n + workers], years[0], scale))


def _numbers() -> list[int]:
    """BACI's numbers of 226 countries, those with the most trade first."""
    numbers = {iso3: int(code) for code, iso3 in aliases("baci").items()}
    return [numbers[iso3] for iso3 in [*_LARGE, *sorted(set(numbers) - set(_LARGE))]][:COUNTRIES]


def _codes() -> npt.NDArray[np.int32]:
    """5,000 codes over the 96 chapters of the Harmonized System, more of them in 28, 29, 84 and 85."""
    draw = np.random.default_rng(1)
    chapters = np.concatenate([np.arange(1, 98), np.repeat([28, 29, 52, 72, 84, 85, 90], 12)])
    chapters = chapters[chapters != 77]
    wanted: set[int] = set()
    while len(wanted) < CODES:
        wanted.add(
            int(draw.choice(chapters)) * 10_000
            + int(draw.integers(1, 99)) * 100
            + int(draw.choice([10, 20, 90]))
        )
    return np.array(sorted(wanted), dtype=np.int32)


def _weights() -> tuple[npt.NDArray[np.float32], ...]:
    ranks = np.arange(1, COUNTRIES + 1)
    exporters, importers = ranks**-1.1, ranks**-0.75
    codes = np.random.default_rng(2).lognormal(0, 1.0, CODES)
    return tuple((w / w.max()).astype(np.float32) for w in (exporters, importers, codes))


def _chances(exporter: int, scale: float) -> npt.NDArray[np.float32]:
    exporters, importers, codes = _weights()
    strength = np.float32(scale) * exporters[exporter] * importers[:, None] * codes
    chances: npt.NDArray[np.float32] = strength / (1 + strength)
    chances[exporter] = 0
    return chances


def _scale(rows: float) -> float:
    """Find by bisection the scale at which a year has so many rows."""
    low, high = 1e-6, 1e9
    for _ in range(60):
        middle = (low * high) ** 0.5
        count = sum(float(_chances(n, middle)[:, ::25].sum()) * 25 for n in range(COUNTRIES))
        low, high = (middle, high) if count < rows else (low, middle)
        if high / low < 1.005:
            break
    return high


def _year(year: int, first: int, scale: float) -> tuple[int, bytes]:
    numbers, codes = np.array(_numbers(), dtype=np.int16), _codes()
    growth = 0.65 + 0.7 * (year - first) / max(len(YEARS) - 1, 1)
    out = io.BytesIO(b"t,i,j,k,v,q\n")
    out.seek(0, io.SEEK_END)
    count = 0
    for exporter in range(COUNTRIES):
        same, new = np.random.default_rng([3, exporter]), np.random.default_rng([4, exporter, year])
        luck = same.random((COUNTRIES, CODES), dtype=np.float32)
        redrawn = new.random((COUNTRIES, CODES), dtype=np.float32)
        luck = np.where(redrawn < _REDRAWN, redrawn / _REDRAWN, luck)
        importer, code = np.nonzero(luck < _chances(exporter, scale) * growth)
        count += importer.size
        _write(out, year, int(numbers[exporter]), numbers[importer], codes[code], new)
    return count, out.getvalue()


def _write(
    out: io.BytesIO,
    year: int,
    exporter: int,
    importers: npt.NDArray[np.int16],
    codes: npt.NDArray[np.int32],
    draw: np.random.Generator,
) -> None:
    size = importers.size
    if not size:
        return
    value = np.maximum(1, draw.lognormal(9.5, 2.6, size)).astype(np.int64)
    quantity = np.maximum(1, value * draw.lognormal(-1, 1.2, size)).astype(np.int64)
    known = draw.random(size) < _MOST_KNOWN
    table = pl.DataFrame({"j": importers, "k": codes, "value": value, "quantity": quantity, "known": known})
    table = table.select(
        pl.lit(year).alias("t"),
        pl.lit(exporter).alias("i"),
        "j",
        pl.col("k").cast(pl.String).str.zfill(6),
        _thousandths("value").alias("v"),
        pl.when("known").then(_thousandths("quantity")).otherwise(pl.lit("NA").str.pad_start(14)).alias("q"),
    )
    table.write_csv(out, include_header=False, quote_style="never")


def _thousandths(column: str) -> pl.Expr:
    whole, rest = pl.col(column) // 1000, pl.col(column) % 1000
    text = whole.cast(pl.String) + "." + rest.cast(pl.String).str.zfill(3)
    return text.str.pad_start(14)
