"""UN Comtrade as it is saved: an answer of the API (JSON), the CSV of the web site, a bulk file (gzip).

All three have the same fields (``typeCode, freqCode, refPeriodId, ... primaryValue, ...``); what they mean is
in :mod:`evernormal.data.publishers.comtrade_rows`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.comtrade_rows import OPTIONAL, REQUIRED, customs_table
from evernormal.data.publishers.text import (
    csv_fault,
    decode,
    refuse_non_text,
    require_header,
)
from evernormal.errors import SourceFormatError

__all__ = ["dataset_name", "document_cells", "reading"]

_BULK_DAY = re.compile(r"\[(\d{4})-(\d\d)-(\d\d)\]")
_SITE_DAY = re.compile(r"TradeData_(\d{1,2})_(\d{1,2})_(\d{4})", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_AGAIN = "Download it again."


def reading(path: Path, asked: Asked) -> Reading:
    """Return the declarations in a saved answer, a CSV or a bulk file of UN Comtrade."""
    asked.progress(path.name)
    content = path.read_bytes()
    if content.startswith(_GZIP):
        content = _unpacked(content, path.name, asked.limits)
    said: date | None = None
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        cells, said = _json_cells(content, path.name)
    else:
        cells = _csv_cells(content, path.name)
    as_of = require_day(asked, said or _named_day(path.name), path)
    table, findings = customs_table(
        cells, name=path.name, title=f"UN Comtrade, {path.name}", as_of=as_of, codes=asked.codes
    )
    return Reading(
        table, dataset_name("comtrade", table), f"UN Comtrade, {path.name}", as_of, findings=findings
    )


def dataset_name(prefix: str, table: pl.DataFrame) -> str:
    """Return a name made from what the rows are about, the same for every vintage of it.

    >>> rows = pl.DataFrame({"period": ["2024-05"], "reporter": ["KOR"], "code": ["282520"]})
    >>> dataset_name("comtrade", rows)
    'comtrade-monthly-kor-282520'
    """
    monthly = table["period"].str.len_chars().max() != 4
    reporters = sorted(table["reporter"].unique().str.to_lowercase().to_list())
    codes = sorted(table["code"].str.slice(0, 6).unique().str.to_lowercase().to_list())
    who = "-".join(reporters) if len(reporters) <= 3 else f"{len(reporters)}-reporters"
    what = "-".join(codes) if len(codes) <= 4 else f"{len(codes)}-codes"
    return f"{prefix}-{'monthly' if monthly else 'annual'}-{who}-{what}"


def document_cells(records: list[Any], name: str) -> pl.DataFrame:
    """Return the records of an answer as text, field by field, with their place in it.

    Raises:
        SourceFormatError: a record is no record, or a field is missing.
    """
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise SourceFormatError(f"record {number} is no record: {str(record)[:40]!r}", where=name)
    fields = {str(field): str(field) for record in records[:1] for field in record}
    if records:
        require_header(list(fields), REQUIRED, name)
    wanted = [field for field in (*REQUIRED, *OPTIONAL) if field in fields]
    columns = {field: [_text(record.get(field)) for record in records] for field in wanted}
    schema = {"row": pl.Int64()} | dict.fromkeys(wanted, pl.String())
    return pl.DataFrame({"row": range(1, len(records) + 1), **columns}, schema=schema)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _json_cells(content: bytes, name: str) -> tuple[pl.DataFrame, date | None]:
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SourceFormatError(
            f"the JSON is broken or cut off ({error})", where=name, cure=_AGAIN
        ) from error
    said = None
    if isinstance(document, dict):
        error_text = document.get("error") or document.get("message")
        if error_text or "data" not in document:
            raise SourceFormatError(
                f"this is an answer without data: {str(error_text or sorted(document))[:200]}",
                where=name,
                cure="Ask again, with a key where the publisher wants one.",
            )
        count = document.get("count")
        if isinstance(count, int) and count > len(document["data"] or []):
            raise SourceFormatError(
                f"the answer says {count:,} rows and holds {len(document['data'] or []):,}",
                where=name,
                cure="It was cut off: ask for fewer periods or codes at a time.",
            )
        if isinstance(document.get("fetched"), str):
            said = date.fromisoformat(document["fetched"])
        document = document["data"]
    if not isinstance(document, list):
        raise SourceFormatError("there is no list of rows in it", where=name, cure=_AGAIN)
    if not document:
        raise SourceFormatError(
            "the answer has no rows: nothing that was asked for was reported",
            where=name,
            cure="Ask for other periods, reporters or codes. No row does not mean zero.",
        )
    return document_cells(document, name), said


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _csv_cells(content: bytes, name: str) -> pl.DataFrame:
    """Return the cells of comma- or tab-separated text; the site ends its rows with an empty cell."""
    refuse_non_text(content[:4096], name)
    try:
        text = decode(content, name)
    except SourceFormatError:
        text = content.decode(
            "cp1252", errors="replace"
        )  # the site's own encoding; codes and numbers are ASCII
    first = text.split("\n", 1)[0]
    separator = "\t" if first.count("\t") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [cell.strip().strip("\ufeff") for cell in next(reader)]
        while header and not header[-1]:
            header.pop()
        require_header(header, REQUIRED, name)
        rows = [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as error:
        raise SourceFormatError(
            f"row {reader.line_num}: {csv_fault(error)}", where=name, cure=_AGAIN
        ) from error
    for line, cells in rows:
        if len(cells) < len(header) or any(cells[len(header) :]):
            raise SourceFormatError(
                f"row {line} has {len(cells)} cells, the header has {len(header)}",
                where=name,
                cure="The file was cut off or edited: download it again.",
            )
    wanted = [field for field in (*REQUIRED, *OPTIONAL) if field in header]
    columns = {field: [cells[header.index(field)] for _, cells in rows] for field in wanted}
    schema = {"row": pl.Int64()} | dict.fromkeys(wanted, pl.String())
    return pl.DataFrame({"row": [line for line, _ in rows], **columns}, schema=schema)


def _unpacked(content: bytes, name: str, limits: Limits) -> bytes:
    """Return what a gzip file holds, refusing a bomb and a file that was cut off."""
    allowed = int(min(limits.total, limits.ratio * max(len(content), 1024)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            text = stream.read(allowed + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceFormatError(
            f"the gzip file is truncated or damaged ({error})", where=name, cure=_AGAIN
        ) from error
    if len(text) > allowed:
        raise SourceFormatError(
            f"it would unpack to more than {allowed:,} bytes from {len(content):,}: no table packs so well",
            where=name,
            cure="If you trust it, unpack it yourself and add the text file.",
        )
    return text


def _named_day(name: str) -> date | None:
    """Return the day in the name of a bulk file or of a download of the site.

    >>> _named_day("COMTRADE-FINAL-CM410202405H6[2024-09-03].gz")
    datetime.date(2024, 9, 3)
    >>> _named_day("TradeData_2_20_2025_10_30_9.csv")
    datetime.date(2025, 2, 20)
    """
    bulk, site = _BULK_DAY.search(name), _SITE_DAY.search(name)
    try:
        if bulk:
            return date(int(bulk[1]), int(bulk[2]), int(bulk[3]))
        if site:
            return date(int(site[3]), int(site[1]), int(site[2]))
    except ValueError:
        return None
    return None
