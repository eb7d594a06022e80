"""The sentence of a derivation in the reader's language.

Derivations carry English sentences; ``tables/derivations.toml`` has the Korean one of each.  A sentence that
is put together names its parts in braces.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from evernormal.report.language import Language

__all__ = ["derivation_text", "sentences"]


def derivation_text(words: Language, text: str) -> str:
    """Return the sentence in the language, or as it is where it has no translation.

    Several sentences joined by a semicolon are looked up one by one.

    >>> from evernormal.report.language import language
    >>> derivation_text(language("ko"), "Concentration x import risk.")
    '생산 집중도에 수입 위험도를 곱함.'
    """
    if not words.korean:
        return text
    found = _translated(words, text)
    if found is not None:
        return found
    parts = [_translated(words, part) for part in text.split("; ")]
    return " ".join(part for part in parts if part) if all(parts) else text


def _translated(words: Language, text: str) -> str | None:
    for pattern, korean in sentences():
        match = pattern.fullmatch(text)
        if match is not None:
            parts = {name: _translated(words, part) or part for name, part in match.groupdict().items()}
            return words.fill(korean, parts)
    return None


@cache
def sentences() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each English sentence as a pattern, and its Korean sentence."""
    path = resources.files("evernormal.report") / "tables" / "derivations.toml"
    rows = tomllib.loads(path.read_text("utf-8"))["sentence"]
    return tuple((_pattern(row["en"]), row["ko"]) for row in rows)


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text)
    return re.compile(
        "".join(f"(?P<{part}>.+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )
