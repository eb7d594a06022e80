"""Blocks of BACI's text to rows: a quick way for what is right, a slow one that names what is wrong.

Both ways accept the same cells; the quick one leaves every block in which anything is unusual (a quote, a
blank line, a number with spaces behind it, a code out of range) to the slow one.
"""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.text import (
    Problems,
    csv_fault,
    place_of_byte,
    refuse_non_text,
    require_header,
)
from evernormal.errors import SourceFormatError

__all__ = ["BLOCK", "COLUMNS", "KEY", "ROWS", "Header", "line_blocks", "parse", "read_header"]

COLUMNS = ("t", "i", "j", "k", "v", "q")
KEY = ("year", "exporter", "importer", "code")
ROWS = {
    "year": pl.Int16(),
    "exporter": pl.Int16(),
    "importer": pl.Int16(),
    "code": pl.Int32(),
    "value_usd": pl.Float64(),
    "quantity_kg": pl.Float64(),
}
"""Columns of the rows that :func:`parse` returns: dollars, kilograms; a null quantity is unknown."""

BLOCK = 32 << 20
"""Bytes of text that are parsed at once."""

_LONGEST_ROW = 1 << 20
_YEARS = (1962, 2100)
_LARGEST_CODE = 999_999
_SMALLEST_CODE = 10_000
"""Chapters begin with 01: a lesser number is a heading or a chapter, not a code of six digits."""

_UNKNOWN = ("", "NA")
_PADDED = [" " * width + "NA" for width in range(33)]
_NUMBER = r"^\+?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"
_QUICK = {
    "t": pl.Int16(),
    "i": pl.Int16(),
    "j": pl.Int16(),
    "k": pl.Int32(),
    "v": pl.Float64(),
    "q": pl.Float64(),
}
_SHOWN = 200


@dataclass(frozen=True)
class Header:
    """The first line of a table: the names of its columns, as many as every row has cells."""

    names: tuple[str, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return types for the quick way; columns that BACI does not have are text under their number."""
        named = [name if name in COLUMNS else f"other {n}" for n, name in enumerate(self.names)]
        return {name: _QUICK.get(name, pl.String()) for name in named}


def line_blocks(pieces: Iterable[bytes], name: str, size: int) -> Iterator[bytes]:
    """Yield the text in blocks of whole lines; the last may lack its line end.

    Raises:
        SourceFormatError: a line without end.
    """
    kept: list[bytes] = []
    length = 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length < size:
            continue
        block = b"".join(kept)
        cut = block.rfind(b"\n") + 1
        if length - cut > _LONGEST_ROW:
            raise SourceFormatError(
                f"a row has more than {_LONGEST_ROW:,} bytes", where=name, cure="Give the publisher's CSV."
            )
        yield block[:cut]
        kept, length = [block[cut:]], length - cut
    if length:
        yield b"".join(kept)


def read_header(block: bytes, name: str) -> tuple[Header, bytes]:
    """Return the header of a table and the rest of its first block.

    Raises:
        SourceFormatError: a web page, another format, or a header without a column of BACI.
    """
    refuse_non_text(block[:4096], name)
    first, _, rest = block.partition(b"\n")
    if len(first) > _LONGEST_ROW:
        raise SourceFormatError("the header is no line of text", where=name)
    text = first.decode("utf-8-sig", errors="replace")
    header = tuple(cell.strip().strip('"') for cell in text.split(","))
    require_header(header, COLUMNS, name)
    return Header(header), rest


def parse(block: bytes, header: Header, first_row: int, name: str) -> tuple[pl.DataFrame, int]:
    """Return the rows of a block and the number of lines that it has.

    Args:
        block: whole lines.
        header: of the table.
        first_row: number of the first line as a spreadsheet counts.
        name: of the file, for errors.

    Raises:
        SourceFormatError: names row and column of every fault of the block.
    """
    found = _quickly(block, header)
    if found is not None:
        return found, found.height
    return _slowly(block, header, first_row, name)


def _quickly(block: bytes, header: Header) -> pl.DataFrame | None:
    """Return the rows when the block holds nothing unusual."""
    if not block.strip() or b'"' in block:
        return None
    try:
        read = pl.read_csv(
            block,
            has_header=False,
            schema=header.schema,
            null_values=_PADDED,
            quote_char=None,
        )
    except pl.exceptions.PolarsError:
        return None
    if _commas(block) != read.height * (len(header.names) - 1):
        return None
    cells = read.select(COLUMNS).rechunk()
    if any(cells[column].null_count() for column in COLUMNS[:-1]) or not _plausible(cells):
        return None
    return cells.select(
        pl.col("t").alias("year"),
        pl.col("i").alias("exporter"),
        pl.col("j").alias("importer"),
        pl.col("k").alias("code"),
        _thousandfold("v").alias("value_usd"),
        _thousandfold("q").alias("quantity_kg"),
    )


def _plausible(cells: pl.DataFrame) -> bool:
    year, code = cells["t"].to_numpy(), cells["k"].to_numpy()
    if not (year.min() >= _YEARS[0] and year.max() <= _YEARS[1]):
        return False
    if not (code.min() >= _SMALLEST_CODE and code.max() <= _LARGEST_CODE):
        return False
    known = _known_countries()
    for column in ("i", "j"):
        numbers = cells[column].to_numpy()
        if numbers.min() < 0 or not known[numbers].all():
            return False
    return all(_amounts(cells[column].drop_nulls()) for column in ("v", "q"))


def _amounts(cells: pl.Series) -> bool:
    """Say whether all are finite and none is below zero, minus zero included."""
    if cells.is_empty():
        return True
    values = cells.to_numpy()
    return bool(values.min() >= 0 and values.max() <= 1e300 and not np.signbit(values).any())


@functools.cache
def _known_countries() -> npt.NDArray[np.bool_]:
    known = np.zeros(1 << 15, dtype=np.bool_)
    known[[int(code) for code in aliases("baci")]] = True
    return known


def _thousandfold(column: str) -> pl.Expr:
    """Thousands of dollars to dollars, tonnes to kilograms: whole where three decimals say so."""
    product = pl.col(column) * 1000
    whole = product.round()
    return pl.when((product - whole).abs() <= product * 1e-15).then(whole).otherwise(product)


def _slowly(block: bytes, header: Header, first_row: int, name: str) -> tuple[pl.DataFrame, int]:
    try:
        cells = _cells(block, header, first_row)
    except pl.exceptions.PolarsError as error:
        _explain(block, header, first_row, name)
        empty = next((n for n, line in enumerate(block.splitlines(), first_row) if not line.strip()), None)
        what = "cannot be read as CSV" if empty is None else f"row {empty} is empty"
        raise SourceFormatError(what, where=name, cure="Give the publisher's CSV as it is.") from error
    if _commas(block) < cells.height * (len(header.names) - 1):
        _explain(block, header, first_row, name)
    filled = _without_end(cells)
    rows = _numbers(filled)
    problems = Problems(name)
    faulty = rows.filter(pl.col("fault") != "").head(_SHOWN)
    texts = filled.filter(pl.col("row").is_in(faulty["row"].implode()))
    for (row, fault), text in zip(
        faulty.select("row", "fault").rows(), texts.iter_rows(named=True), strict=True
    ):
        problems.add(row, fault, _say(fault, text[fault]))
    problems.raise_if_any()
    return rows.select(*ROWS), cells.height


def _commas(block: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord(",")))


def _without_end(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the lines up to the last that is not blank: files may end with blank lines."""
    written = cells.filter(pl.any_horizontal(pl.col(c) != "" for c in COLUMNS))
    return cells.clear() if written.is_empty() else cells.filter(pl.col("row") <= written["row"][-1])


def _cells(block: bytes, header: Header, first_row: int) -> pl.DataFrame:
    """Return every cell as stripped text, with its row as a spreadsheet counts."""
    table = pl.read_csv(
        block,
        has_header=False,
        schema=dict.fromkeys(header.schema, pl.String()),
        row_index_name="row",
        row_index_offset=first_row,
    )
    return table.select("row", *(pl.col(c).fill_null("").str.strip_chars().alias(c) for c in COLUMNS))


def _numbers(cells: pl.DataFrame) -> pl.DataFrame:
    known = [int(code) for code in aliases("baci")]
    amounts = cells.with_columns(
        *(
            pl.when(pl.col(c).str.contains(_NUMBER))
            .then(pl.col(c).cast(pl.Float64, strict=False))
            .alias(f"{c}#")
            for c in ("v", "q")
        )
    )
    numbers = amounts.with_columns(
        year=pl.col("t").cast(pl.Int16, strict=False),
        exporter=pl.col("i").cast(pl.Int16, strict=False),
        importer=pl.col("j").cast(pl.Int16, strict=False),
        code=pl.col("k").cast(pl.Int32, strict=False),
        value_usd=_thousandfold("v#"),
        quantity_kg=_thousandfold("q#"),
    )
    checks = {
        "t": pl.col("year").is_between(*_YEARS),
        "i": pl.col("exporter").is_in(known),
        "j": pl.col("importer").is_in(known),
        "k": pl.col("code").is_between(_SMALLEST_CODE, _LARGEST_CODE),
        "v": pl.col("value_usd").is_finite(),
        "q": pl.col("quantity_kg").is_finite() | pl.col("q").is_in(_UNKNOWN),
    }
    fault = pl.coalesce(
        *(pl.when(~good.fill_null(value=False)).then(pl.lit(column)) for column, good in checks.items()),
        pl.lit(""),
    )
    return numbers.with_columns(fault=fault).select("row", *ROWS, "fault")


def _say(column: str, text: str) -> str:
    """Return what is wrong with a cell."""
    shown = text if len(text) <= 40 else text[:37] + "..."
    expected = {
        "t": "a year like 2023",
        "k": "a code of six digits (five where the leading zero is lost)",
        "v": "a value in thousand USD of zero or more",
        "q": "a quantity in tonnes of zero or more, or empty or NA",
    }
    if column in ("i", "j"):
        return f"{shown!r} is no country code of BACI"
    advice = "; write numbers without thousands separators" if _is_grouped(text) else ""
    return f"{shown!r}, expected {expected[column]}{advice}"


def _is_grouped(text: str) -> bool:
    digits = text.replace(",", "").replace(" ", "").replace("'", "").replace("\u00a0", "")
    try:
        return digits != text and math.isfinite(float(digits))
    except ValueError:
        return False


def _explain(block: bytes, header: Header, first_row: int, name: str) -> None:
    """Find the line that has too few or too many cells or is no text, and raise naming it."""
    wanted = len(header.names)
    for number, line in enumerate(io.BytesIO(block), start=first_row):
        try:
            cells = next(csv.reader([line.decode("utf-8-sig")]), [])
        except UnicodeDecodeError as error:
            top = ",".join(header.names).encode() + b"\n"
            _, column = place_of_byte(top + line, len(top) + error.start)
            raise SourceFormatError(
                f"row {number}, column {column} is not UTF-8", where=name, cure="Save it as UTF-8."
            ) from None
        except csv.Error as error:
            raise SourceFormatError(
                f"row {number}: {csv_fault(error)}", where=name, cure="Download it again."
            ) from error
        if not cells or len(cells) == wanted or not any(cell.strip() for cell in cells):
            continue
        cut = len(cells) < wanted and not line.endswith(b"\n")
        raise SourceFormatError(
            f"row {number} has {len(cells)} cells, expected {wanted}"
            + (": the file ends in the middle of a row" if cut else ""),
            where=name,
            cure="Download it again: it was cut off." if cut else "Give the file as the publisher ships it.",
        )
