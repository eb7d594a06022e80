"""Names that the shell completes: scenarios, forms, countries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

__all__ = ["complete_country", "complete_form", "complete_scenario"]

Candidates = Iterator[tuple[str, str]]


def _starting(incomplete: str, known: Callable[[], Iterable[tuple[str, str]]]) -> Candidates:
    """Yield what starts with ``incomplete``; a shell that completes must never show a traceback."""
    try:
        names = list(known())
    except Exception:
        return
    for name, meaning in names:
        if name.lower().startswith(incomplete.lower()):
            yield name, meaning


def complete_scenario(incomplete: str) -> Candidates:
    """Yield the shipped scenarios that start with ``incomplete``."""

    def known() -> Iterator[tuple[str, str]]:
        from evernormal.network.scenario import scenario_names

        return ((name, "") for name in scenario_names())

    yield from _starting(incomplete, known)


def complete_form(incomplete: str) -> Candidates:
    """Yield the forms that start with ``incomplete``, with their English names."""

    def known() -> Iterator[tuple[str, str]]:
        from evernormal.network.forms import forms

        return forms().select("form", "name_en").iter_rows()

    yield from _starting(incomplete, known)


def complete_country(incomplete: str) -> Candidates:
    """Yield the ISO 3166 alpha-3 codes that start with ``incomplete``, with their English names."""

    def known() -> Iterator[tuple[str, str]]:
        from evernormal.data import countries

        return countries().select("iso3", "name_en").iter_rows()

    yield from _starting(incomplete, known)
