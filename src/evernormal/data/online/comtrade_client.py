"""Ask UN Comtrade's API v1, politely and for as long as it makes sense.

Too many requests and passing failures are waited out: as long as the server says (``Retry-After``), else
twice as long each time, a bounded number of times.  What waiting cannot cure, such as a key that is not
accepted or a used-up quota, is told at once.  The key travels in a header and never stands in a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from evernormal.data.online.comtrade_query import Query
from evernormal.errors import DataError, InputError, SourceFormatError

if TYPE_CHECKING:
    import httpx

__all__ = ["ADDRESS", "Answer", "ComtradeClient", "Patience"]

ADDRESS = "https://comtradeapi.un.org"
"""Where the API stands."""

_CAP_WITH_KEY, _CAP_BEFORE_2023, _CAP_WITHOUT_KEY = 250_000, 100_000, 500
_HEADER = "Ocp-Apim-Subscription-Key"
_WAIT_TEXT = re.compile(r"try again in (\d+) second", re.IGNORECASE)
_QUOTA_TEXT = re.compile(r"quota.*?replenished in ([\d.:]+)", re.IGNORECASE)
_SERVER_FAULT = 500


@dataclass(frozen=True)
class Patience:
    """How often and how long to wait.

    Attributes:
        tries: times that one question is asked.
        first: seconds after the first failure; doubled after each.
        longest: seconds that are waited at most at a time; a server that asks for more is told to the user.
        pause: seconds between two questions.
    """

    tries: int = 6
    first: float = 2.0
    longest: float = 300.0
    pause: float = 1.0


@dataclass(frozen=True)
class Answer:
    """Rows of one answer, and whether it was cut off at the most rows that the publisher gives."""

    rows: list[dict[str, Any]]
    cut: bool


class ComtradeClient:
    """UN Comtrade, asked over an HTTP client that the caller brings.

    Args:
        http: the client; redirects are not followed, so the key goes nowhere else.
        key: subscription key; None asks the public preview, 500 rows an answer.
        sleep: waits a number of seconds.
        now: the time, for servers that name a time to come back.
        patience: how often and how long to wait.
    """

    def __init__(
        self,
        http: httpx.Client,
        key: str | None,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        patience: Patience | None = None,
    ) -> None:
        self._http = http
        self._key = key
        self._sleep = sleep
        self._now = now
        self._patience = patience or Patience()
        self._asked = False

    @property
    def cap(self) -> int:
        """Rows of one answer at most."""
        return _CAP_WITH_KEY if self._key else _CAP_WITHOUT_KEY

    def ask(self, query: Query) -> Answer:
        """Return the answer to one question.

        Raises:
            InputError: the key is not accepted.
            DataError: the quota is used up, the question is refused, or the server does not answer in time.
            SourceFormatError: every answer was a web page or broken.
        """
        place = "data/v1/get" if self._key else "public/v1/preview"
        path = f"{place}/C/{query.frequency}/{query.classification}"
        document = self._document(path, {**query.parameters, "maxRecords": str(self.cap)})
        rows = document["data"]
        cut = len(rows) >= self.cap or len(rows) == _CAP_BEFORE_2023 or _count(document) > len(rows)
        return Answer(rows, cut)

    def availability(
        self, frequency: str, reporters: Sequence[str] = (), periods: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return which data sets the publisher has: one record per reporter and period.

        Args:
            frequency: ``A`` or ``M``.
            reporters: numeric codes; none for all.
            periods: ``2023`` or ``202305``; none for all.

        Raises:
            InputError, DataError, SourceFormatError: as in :meth:`ask`.
        """
        place = "data/v1/getDa" if self._key else "public/v1/getDA"
        parameters = {"reporterCode": ",".join(reporters), "period": ",".join(periods)}
        document = self._document(f"{place}/C/{frequency}/HS", {k: v for k, v in parameters.items() if v})
        records: list[dict[str, Any]] = document["data"]
        return records

    def _document(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Ask until an answer comes that is whole, or patience ends."""
        import httpx  # noqa: PLC0415

        trouble: DataError = DataError("it was not asked", where=path)
        for number in range(self._patience.tries):
            if self._asked and number == 0:
                self._sleep(self._patience.pause)
            self._asked = True
            wait = self._patience.first * 2**number
            try:
                response = self._http.get(
                    f"{ADDRESS}/{path}", params=parameters, headers={_HEADER: self._key} if self._key else {}
                )
            except httpx.TimeoutException:
                trouble = DataError("UN Comtrade did not answer in time", where=path, cure=_LATER)
            except httpx.TransportError as error:
                reason = f"UN Comtrade cannot be reached ({type(error).__name__})"
                trouble = DataError(reason, where=path, cure="Check the connection, then run it again.")
            else:
                if response.is_success:
                    try:
                        return _whole(response, path)
                    except SourceFormatError as error:
                        trouble = error
                else:
                    trouble, asked_for = self._refusal(response, path)
                    wait = wait if asked_for is None else asked_for
            if number + 1 < self._patience.tries:
                self._sleep(min(wait, self._patience.longest))
        what = f"{trouble.what}; asked {self._patience.tries} times"
        raise type(trouble)(what, where=trouble.where, cure=trouble.cure) from None

    def _refusal(self, response: httpx.Response, path: str) -> tuple[DataError, float | None]:
        """Return what a refusal means and the wait that the server asks; raise when waiting cures nothing."""
        status, text = response.status_code, _message(response)
        wait = _asked_wait(response, text, self._now())
        if status in {401, 403}:
            self._raise_denied(status, text, wait, path)
        if status in {403, 429}:
            if wait is not None and wait > self._patience.longest:
                raise DataError(
                    f"UN Comtrade asks to wait {wait:,.0f} seconds", where=path, cure=f"{_LATER} {_KEPT}"
                )
            return DataError(f"UN Comtrade answers too many requests ({text})", where=path, cure=_LATER), wait
        if status == 408 or status >= _SERVER_FAULT:
            return DataError(f"UN Comtrade fails with {status} ({text})", where=path, cure=_LATER), wait
        raise DataError(
            f"UN Comtrade refuses the question with {status} ({text})",
            where=path,
            cure="Check reporters, periods and codes; ask `evernormal data fetch comtrade --available`.",
        )

    def _raise_denied(self, status: int, text: str, wait: float | None, path: str) -> None:
        quota = _QUOTA_TEXT.search(text)
        if quota:
            raise DataError(
                f"the quota of this key is used up; it is filled again in {quota[1]}",
                where=path,
                cure=f"Run the command again then. {_KEPT}",
            )
        if status == 403 and wait is not None:
            return
        raise InputError(
            f"UN Comtrade does not accept the key ({status}: {text})"
            if self._key
            else f"UN Comtrade wants a key for this ({status}: {text})",
            where=path,
            cure="Take a key from comtradedeveloper.un.org (product comtrade - v1);"
            " the command line reads it from EVERNORMAL_COMTRADE_KEY.",
        )


_LATER = "Run it again later."
_KEPT = "What has come so far is kept."


def _whole(response: httpx.Response, path: str) -> dict[str, Any]:
    """Return an answer after checking that it is one and is all there."""
    head = response.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<"):
        raise SourceFormatError("a web page came instead of data", where=path, cure=_LATER)
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        raise SourceFormatError(
            f"the answer of {len(response.content):,} bytes is broken or cut off", where=path, cure=_LATER
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        raise _refused(document, path)
    if document.get("error"):
        raise _refused(document, path)
    if _count(document) < len(document["data"]):
        raise SourceFormatError("the answer has more rows than it says", where=path, cure=_LATER)
    return document


def _refused(document: Any, path: str) -> DataError:
    said = document.get("error") or document.get("message") if isinstance(document, dict) else document
    return DataError(f"UN Comtrade answers without data ({str(said)[:200]})", where=path)


def _count(document: dict[str, Any]) -> int:
    count = document.get("count")
    return count if isinstance(count, int) else len(document["data"])


def _message(response: httpx.Response) -> str:
    """Return what the server says in its refusal, in one short line."""
    try:
        document = response.json()
    except (ValueError, RecursionError):
        title = re.search(r"<title>(.*?)</title>", response.text, re.IGNORECASE | re.DOTALL)
        return " ".join((title[1] if title else response.reason_phrase).split())[:200]
    if not isinstance(document, dict):
        return str(document)[:200]
    inner = document.get("errorObject")
    said = document.get("message") or document.get("error")
    said = said or (inner.get("errorMessage") if isinstance(inner, dict) else None)
    return " ".join(str(said or response.reason_phrase).split())[:200]


def _asked_wait(response: httpx.Response, text: str, now: datetime) -> float | None:
    """Return the seconds that the server asks to wait, by header or in words; None when it does not say."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdigit():
        return float(header)
    if header:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - now.astimezone(UTC)).total_seconds())
    said = _WAIT_TEXT.search(text)
    return float(said[1]) if said else None
