"""Episodes that a user asks for: pairs of parentheses, words, tables or a file, checked one by one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evernormal.data.geography import aliases
from evernormal.errors import InputError, SourceFormatError
from evernormal.market.history.episodes import HELD_OUT, TRAIN, Episode
from evernormal.market.history.known import policy_episodes

__all__ = ["asked_episodes"]

CURE = 'Write it like ("260400", "IDN", 2014).'
COLUMNS = ("code", "exporter", "year")
MOST_CHARACTERS = 60


def asked_episodes(episodes: Any) -> tuple[Episode, ...]:
    """Return the episodes that a user gave, those of one code and year together.

    Args:
        episodes: code, exporter and year each, as a tuple or as text with commas, and ``train`` or
            ``held-out`` as a fourth part where there is a split; episodes; a table with the columns code,
            exporter, year (and split); or the path of such a table as CSV.

    Raises:
        InputError: no episode, one that is not code, exporter and year, one twice, one with two sides.
        SourceFormatError: a file that cannot be read.

    >>> [one.name for one in asked_episodes(["260600,IDN,2014", ("260600", "GUY", 2014)])]
    ['260600-GUY+IDN-2014']
    """
    together: dict[tuple[str, int], dict[str, str]] = {}
    for place, parts in _parts(episodes):
        code, exporters, year, split = _checked(parts, place)
        own = together.setdefault((code, year), {})
        for exporter in exporters:
            if exporter in own:
                raise InputError(
                    f"{code}, {exporter}, {year} is given twice", where=place, cure="Give it once."
                )
            own[exporter] = split
    if not together:
        raise InputError("no episode was given", cure="Give at least one (code, exporter, year).")
    return tuple(_episode(key, own) for key, own in sorted(together.items()))


def _episode(key: tuple[str, int], own: dict[str, str]) -> Episode:
    (code, year), exporters, sides = key, sorted(own), sorted(set(own.values()))
    if len(sides) > 1:
        raise InputError(
            f"the split leaks: exporters of code {code} that cut together in {year} are on two sides",
            where=f"episode {code}, {'+'.join(exporters)}, {year}",
            cure="Put exporters that cut a code in one year on one side.",
        )
    policies = policy_episodes()
    acts = [policies[code, one, year].name for one in exporters if (code, one, year) in policies]
    return Episode(code, year, tuple(exporters), "asked", sides[0], "; ".join(dict.fromkeys(acts)))


def _parts(episodes: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield where an episode stands and its parts."""
    if isinstance(episodes, Path) or (isinstance(episodes, str) and episodes.endswith(".csv")):
        yield from _of_file(Path(episodes))
    elif isinstance(episodes, str):
        yield "episode 1", episodes.split(",")
    elif hasattr(episodes, "columns") and hasattr(episodes, "__getitem__"):
        yield from _of_table(episodes)
    elif isinstance(episodes, Iterable):
        for number, given in enumerate(episodes, start=1):
            yield f"episode {number}", _of_one(given, number)
    else:
        raise InputError(f"episodes must be a list, got {type(episodes).__name__}", cure=CURE)


def _of_one(given: Any, number: int) -> list[Any]:
    if isinstance(given, Episode):
        return [given.code, given.exporters, given.year, given.split]
    if isinstance(given, str):
        return list(given.split(","))
    if isinstance(given, Iterable) and not isinstance(given, dict):
        return list(given)
    raise InputError(f"{_short(given)} is not code, exporter and year", where=f"episode {number}", cure=CURE)


def _of_table(table: Any) -> Iterator[tuple[str, list[Any]]]:
    names = [str(name) for name in table.columns]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"the table of episodes has no column {', '.join(missing)}",
            cure=f"Give columns {', '.join(COLUMNS)}, and split where there is one.",
        )
    wanted = [*COLUMNS, *(["split"] if "split" in names else [])]
    for number, row in enumerate(zip(*(list(table[name]) for name in wanted), strict=True), start=1):
        yield f"episode {number}", list(row)


def _of_file(path: Path) -> Iterator[tuple[str, list[Any]]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
        separator = max(",;\t", key=lines[0].count) if lines else ","
        rows = list(csv.DictReader(lines, strict=True, delimiter=separator))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceFormatError(
            f"cannot be read as csv ({getattr(error, 'strerror', None) or str(error).splitlines()[0]})",
            where=path.name,
            cure=f"Give a table with the columns {', '.join(COLUMNS)}.",
        ) from error
    for number, row in enumerate(rows, start=2):
        missing = [name for name in COLUMNS if row.get(name) is None]
        if missing:
            raise InputError(
                f"no {', '.join(missing)}",
                where=f"{path.name}, line {number}",
                cure=f"Give columns {', '.join(COLUMNS)}, and split where there is one.",
            )
        yield f"{path.name}, line {number}", [row[name] for name in COLUMNS] + [row.get("split") or ""]


def _checked(parts: list[Any], place: str) -> tuple[str, tuple[str, ...], int, str]:
    if len(parts) not in {3, 4}:
        shown = ", ".join(_short(part) for part in parts[:5])
        raise InputError(f"({shown}) is not code, exporter and year", where=place, cure=CURE)
    code, year = str(parts[0]).strip(), str(parts[2]).strip()
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        raise InputError(f"code must be six digits as text, got {_short(parts[0])}", where=place, cure=CURE)
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        raise InputError(f"year must be four digits, got {_short(parts[2])}", where=place, cure=CURE)
    split = "" if len(parts) == 3 or parts[3] is None else str(parts[3]).strip()
    if split not in {"", TRAIN, HELD_OUT}:
        raise InputError(f"split must be {TRAIN} or {HELD_OUT}, got {_short(parts[3])}", where=place)
    return code, _exporters(parts[1], place), int(year), split


def _exporters(given: Any, place: str) -> tuple[str, ...]:
    """Return ISO 3166 alpha-3 of one exporter or of several joined by +; BACI's numbers will do."""
    listed = [str(one) for one in given] if isinstance(given, tuple) else str(given).split("+")
    known = aliases("baci")
    names = [one.strip().upper() for one in listed]
    names = [known.get(str(int(one)), one) if one.isascii() and one.isdigit() else one for one in names]
    if not all(names):
        raise InputError("exporter is empty", where=place, cure=CURE)
    if len(set(names)) < len(names):
        raise InputError(f"{'+'.join(names)} names an exporter twice", where=place, cure="Give it once.")
    return tuple(names)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
