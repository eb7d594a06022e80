"""One result, one language and one width: what a chart of indicators asks for.

Results name the same thing differently (``importer``, ``focal``, ``country``); a view knows all of them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from evernormal.errors import UnknownNameError
from evernormal.report.charts import theme
from evernormal.report.language import Language, clean
from evernormal.report.percents import spanned, whole_percent
from evernormal.result import Result

__all__ = ["View", "slug"]

_PLACE = ("importer", "focal", "country")
_PLACES = ("countries", "importers")


def slug(name: str) -> str:
    """Return a name as it can stand in an identifier.

    >>> slug("lithium/hydroxide")
    'lithium-hydroxide'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"


@dataclass(frozen=True)
class View:
    """A result as a chart reads it.

    Attributes:
        result: what is drawn.
        words: language.
        width: of the picture in pixels.
        choices: what the caller chose, such as the year or the country; None where nothing was.
    """

    result: Result
    words: Language
    width: int = theme.WIDTH
    choices: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Country that the result is about; the one that was chosen of several."""
        call = self.result.lineage.call
        if self.choices.get("country"):
            return str(self.choices["country"])
        for name in _PLACE:
            if isinstance(call.get(name), str):
                return str(call[name])
        for name in _PLACES:
            if call.get(name):
                return str(next(iter(call[name])))
        return ""

    @property
    def place_inline(self) -> str:
        """Name of the country inside a sentence."""
        return self.words.country_inline(self.place)

    @property
    def form(self) -> str:
        """Form, or the customs codes, that the result is about, as it stands inside a sentence."""
        call = self.result.lineage.call
        name = self.choices.get("form") or call.get("form")
        if name:
            return self.words.inline(self.words.form(str(name)))
        codes = call.get("codes") or call.get("of")
        if codes:
            shown = [clean(str(code)) for code in codes]
            return self.words.text("visual.codes", codes=", ".join(shown))
        return self.words.text("visual.everything")

    def rows(self, table: str, **where: object) -> pl.DataFrame:
        """Return the rows of a table with these values."""
        found = self.result[table]
        for column, value in where.items():
            found = found.filter(pl.col(column) == value)
        return found

    def choose(self, name: str, known: Iterable[Any], default: Any) -> Any:
        """Return what the caller chose among what there is, or the default.

        Errors: :class:`UnknownNameError` for a choice that the result does not have.
        """
        chosen = self.choices.get(name)
        if chosen is None:
            return default
        there = list(known)
        if chosen not in there:
            raise UnknownNameError(name, str(chosen), [str(one) for one in there])
        return chosen

    def sources(self, given: Iterable[tuple[str, object]] = ()) -> list[str]:
        """Return a line on where the numbers come from and what day they were knowable.

        Args:
            given: source and as-of date of each row; the inputs of the result where there is none.
        """
        words = self.words
        named = list(dict.fromkeys((clean(source), _day(when)) for source, when in given))
        if not named:
            named = list(dict.fromkeys((clean(i.source), i.as_of) for i in self.result.lineage.inputs))
        named = named[:4] or [(words.unknown, "")]
        days = sorted({when for _, when in named if when})
        text = "; ".join(dict.fromkeys(source for source, _ in named))
        asked = self.result.lineage.call.get("as_of")
        last = words.date(days[-1]) if days else words.unknown
        lines = [words.text("visual.source", source=text, as_of=last)]
        if asked:
            lines.append(words.text("visual.asked", as_of=words.date(str(asked))))
        return lines

    def shared(self, share: float | None) -> str:
        """Return a fraction as whole per cents."""
        return whole_percent(self.words, share)

    def spanned(self, share: float | None, low: float | None, high: float | None) -> str:
        """Return a share with its interval where that is wide."""
        return spanned(self.words, share, low, high)


def _day(when: object) -> str:
    return when.isoformat() if isinstance(when, dt.date) else str(when or "")
