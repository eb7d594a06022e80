"""Recorded exchanges played back, and declarations made up for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from evernormal import data
from evernormal.data.geography import codes_of
from evernormal.data.schema import public_columns

RECORDED = Path(__file__).parent / "recorded" / "comtrade"


def recorded(name: str) -> httpx.Response:
    """One recorded answer."""
    answer = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["response"]
    if isinstance(answer["body"], str):
        return httpx.Response(answer["status"], headers=answer["headers"], text=answer["body"])
    return httpx.Response(
        answer["status"], headers=answer["headers"], content=json.dumps(answer["body"]).encode()
    )


def answer_of(rows: list[dict[str, Any]], count: int | None = None) -> httpx.Response:
    """An answer with these rows."""
    document = {"elapsedTime": "0.1 secs", "count": len(rows) if count is None else count, "data": rows}
    return httpx.Response(200, json={**document, "error": ""})


class Played:
    """A network that answers with what was recorded, one after the other, and a clock that only waits."""

    def __init__(self, *answers: str | httpx.Response | Exception | Callable[..., httpx.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waits: list[float] = []
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return recorded(answer)
        return answer(request) if callable(answer) else answer

    def now(self) -> datetime:
        """The time: waiting passes it on."""
        return datetime(2024, 8, 15, 12, tzinfo=UTC) + timedelta(seconds=sum(self.waits))

    def settings(self, **more: Any) -> dict[str, Any]:
        """What every call of the client needs."""
        return {
            "client": self.client,
            "key": "secret-key",
            "sleep": self.waits.append,
            "now": self.now,
            **more,
        }


def record(**changes: Any) -> dict[str, Any]:
    """One row of the API; China's part of Korean imports in May 2024, with changes."""
    rows = json.loads((RECORDED / "imports_202405.json").read_text("utf-8"))["response"]["body"]["data"]
    return {**rows[0], **changes}


_FLOWS = {"import": "M", "export": "X", "re-import": "RM", "re-export": "RX"}


def add_declarations(folder: Path, rows: pl.DataFrame, name: str = "made-up") -> Path:
    """Store declarations through a file of UN Comtrade, and return the folder of the store."""
    areas = {iso3: codes_of(iso3, "comtrade")[0] for iso3 in {*rows["reporter"], *rows["partner"]}}
    areas["ROW"] = "899"
    base = record(mosCode="0", motCode=0)
    records = []
    for row in rows.iter_rows(named=True):
        weight = None if row["quantity_t"] is None else 1000 * row["quantity_t"]
        fob = row["basis"] == "FOB"
        made = {"period": row["period"].replace("-", ""), "freqCode": "A" if len(row["period"]) == 4 else "M"}
        made |= {"reporterCode": areas[row["reporter"]], "partnerCode": areas[row["partner"]]}
        made |= {"flowCode": _FLOWS[row["flow"]], "cmdCode": row["code"], "aggrLevel": None}
        made |= {"primaryValue": row["value_usd"], "netWgt": weight, "qty": weight}
        made |= {"fobvalue" if fob else "cifvalue": row["value_usd"], "cifvalue" if fob else "fobvalue": None}
        records.append(base | made)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"count": len(records), "data": records, "error": ""}), "utf-8")
    data.add("comtrade", file, folder, name=name, as_of="2025-01-01")
    return folder


def declared(*rows: tuple[Any, ...], **changes: Any) -> pl.DataFrame:
    """Declarations: period, reporter, partner, flow, code, value in USD, and optionally weight in t."""
    columns = {column.name: column.dtype for column in public_columns("customs")}
    made = []
    for period, reporter, partner, flow, code, value, *weight in rows:
        row = dict.fromkeys(columns)
        row |= {"period": period, "year": int(period[:4]), "reporter": reporter, "partner": partner}
        row |= {"flow": flow, "code": code, "value_usd": value, "quantity_t": weight[0] if weight else None}
        row |= {"revision": "HS2022", "basis": "CIF" if flow == "import" else "FOB", "source": "made up"}
        row |= {"source_ref": f"{period} {reporter} {partner} {flow} {code}", "grade": "A"}
        made.append({**row, "as_of": date(2025, 1, 1), **changes})
    return pl.DataFrame(made, schema=columns)
