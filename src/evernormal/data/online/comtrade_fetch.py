"""Fetch declarations from UN Comtrade and store them, answer by answer, all or nothing in the end."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.online.comtrade_client import ComtradeClient, Patience
from evernormal.data.online.comtrade_query import Query, area_codes, query_for
from evernormal.data.online.exchanges import Exchanges
from evernormal.data.store import add
from evernormal.errors import DataError, NotCoveredError
from evernormal.result import Result
from evernormal.storage import exclusive

if TYPE_CHECKING:
    import httpx

__all__ = ["comtrade_availability", "fetch_comtrade"]


def fetch_comtrade(
    codes: Iterable[str],
    periods: Iterable[str],
    folder: str | Path,
    *,
    reporters: Iterable[str],
    partners: Iterable[str] = (),
    flows: Iterable[str] = ("import", "export"),
    classification: str = "HS",
    name: str | None = None,
    client: httpx.Client,
    key: str | None,
    sleep: Callable[[float], None],
    now: Callable[[], datetime],
    patience: Patience | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Result:
    """Ask UN Comtrade for declarations and store them as a data set of kind ``customs``.

    Each answer is kept on disk when it has come, so a fetch that was stopped goes on where it was when it is
    asked again; nothing is stored before everything has come.  An answer that is cut off at the publisher's
    most rows (250,000 with a key, 500 without) is asked again in two halves.

    Args:
        codes: two, four or six digits as text, or ``TOTAL``.
        periods: years like ``2024`` or months like ``2024-05``, not both.
        folder: folder of the user's store.
        reporters: countries that report: ISO 3166 alpha-3.
        partners: their partners, ``WLD`` for the world; none for every partner and the world.
        flows: ``import``, ``export``, ``re-import``, ``re-export``.
        classification: ``HS`` as reported, or one revision such as ``H6``.
        name: name of the data set; made from the question when None.
        client: HTTP client.
        key: subscription key; None asks the public preview.
        sleep: waits a number of seconds.
        now: the time; its day becomes the day on which the rows were knowable (law 11).
        patience: how often and how long to wait.
        progress: called with the name of each step.

    Returns:
        Result ``data-addition`` as of :func:`evernormal.data.add`.

    Raises:
        InputError: the question or the key is wrong.
        NotCoveredError: the publisher has no rows for the question.
        DataError: the quota is used up, or the server fails for too long; what has come is kept.
        SourceFormatError: what came cannot be read.
        StorageError: disk full, no permission, or another process is fetching the same.
    """
    query = query_for(
        codes, periods, reporters=reporters, partners=partners, flows=flows, classification=classification
    )
    asked = ComtradeClient(client, key, sleep=sleep, now=now, patience=patience)
    place = Path(folder) / "downloads" / f"comtrade-{query.key}{'' if key else '-preview'}"
    with exclusive(place.with_suffix(".lock"), doing="fetching the same from UN Comtrade"):
        exchanges = Exchanges(place)
        rows, days = _all_rows(query, asked, exchanges, now, progress)
        if not rows:
            exchanges.clear()
            raise NotCoveredError(
                "UN Comtrade has no rows for this question: the trade is unknown, not zero",
                where=", ".join(f"{k}={v}" for k, v in query.parameters.items())[:300],
                cure="See what is published: evernormal data fetch comtrade --available.",
            )
        with tempfile.TemporaryDirectory(prefix="evernormal-") as scratch:
            file = Path(scratch) / f"comtrade-api-{max(days)}.json"
            document = {"fetched": max(days), "count": len(rows), "data": rows, "error": ""}
            file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
            result = add(
                "comtrade", file, folder, name=name or _with_partners(rows, query), progress=progress
            )
        exchanges.clear()
    return result


def _with_partners(rows: list[dict[str, Any]], query: Query) -> str | None:
    """Return a name that says which partners were asked for; None where all were.

    Declarations with one partner must not take the place of those with another.
    """
    if not query.partners:
        return None
    known = aliases("comtrade")
    who = sorted(
        {known[str(row.get("reporterCode"))].lower() for row in rows if str(row.get("reporterCode")) in known}
    )
    partners = sorted({known[code].lower() for code in query.partners})
    parts = [who if len(who) <= 3 else [f"{len(who)}-reporters"], ["with"]]
    parts.append(partners if len(partners) <= 4 else [f"{len(partners)}-partners"])
    parts.append(list(query.codes) if len(query.codes) <= 2 else [f"{len(query.codes)}-codes"])
    span = "monthly" if query.frequency == "M" else "annual"
    return "-".join(["comtrade", span, *(word.lower() for part in parts for word in part)])


def _all_rows(
    query: Query,
    client: ComtradeClient,
    exchanges: Exchanges,
    now: Callable[[], datetime],
    progress: Callable[[str], None],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return every row, and the days on which the answers came; ask only what has not come yet."""
    waiting = list(reversed(query.fitting()))
    rows: list[dict[str, Any]] = []
    days: list[str] = []
    while waiting:
        one = waiting.pop()
        answer = exchanges.read(one.key)
        if answer is None:
            progress(f"{one.periods[0]} to {one.periods[-1]}, {len(one.codes)} codes")
            came = client.ask(one)
            halves = one.halves() if came.cut else None
            if came.cut and halves is None:
                raise DataError(
                    f"one period, code, reporter and flow has {client.cap:,} rows or more, the most that an"
                    " answer holds",
                    where=", ".join(f"{k}={v}" for k, v in one.parameters.items()),
                    cure="Name the partners, or ask with a key.",
                )
            answer = {"day": now().date().isoformat(), "cut": came.cut, "rows": [] if came.cut else came.rows}
            exchanges.write(one.key, answer)
        if answer["cut"]:
            waiting += reversed(one.halves() or ())
        else:
            rows += answer["rows"]
            days.append(answer["day"])
    return rows, days


def comtrade_availability(
    frequency: str,
    *,
    reporters: Iterable[str] = (),
    periods: Iterable[str] = (),
    client: httpx.Client,
    key: str | None,
    sleep: Callable[[float], None],
    now: Callable[[], datetime],
    patience: Patience | None = None,
) -> pl.DataFrame:
    """Return which data UN Comtrade holds.

    Args:
        frequency: ``A`` annual or ``M`` monthly.
        reporters: ISO 3166 alpha-3; none for all.
        periods: like ``2024`` or ``2024-05``; none for all.
        client: HTTP client.
        key: subscription key; None asks the public address.
        sleep: waits a number of seconds.
        now: the time.
        patience: how often and how long to wait.

    Returns:
        reporter (ISO 3166 alpha-3, null for an area that has none), period, classification, rows,
        first_released, last_released.
    """
    asked = ComtradeClient(client, key, sleep=sleep, now=now, patience=patience)
    records = asked.availability(
        frequency, area_codes(reporters), [period.replace("-", "") for period in periods]
    )
    known = aliases("comtrade")
    table = [
        {
            "reporter": known.get(str(record.get("reporterCode"))),
            "period": _readable(str(record.get("period"))),
            "classification": str(record.get("classificationCode")),
            "rows": record.get("totalRecords"),
            "first_released": str(record.get("firstReleased") or "")[:10] or None,
            "last_released": str(record.get("lastReleased") or "")[:10] or None,
        }
        for record in records
    ]
    schema = {"reporter": pl.String(), "period": pl.String(), "classification": pl.String()}
    whole = {**schema, "rows": pl.Int64(), "first_released": pl.String(), "last_released": pl.String()}
    return pl.DataFrame(table, schema=whole).sort("period", "reporter", nulls_last=True)


def _readable(period: str) -> str:
    return f"{period[:4]}-{period[4:]}" if len(period) == 6 else period
