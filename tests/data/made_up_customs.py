"""Recorded exchanges played back, and declarations made up for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

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
