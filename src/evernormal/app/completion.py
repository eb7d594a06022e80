"""Names that the shell completes: scenarios, forms, countries, the user's data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "complete_country",
    "complete_facts",
    "complete_form",
    "complete_scenario",
    "complete_source",
    "complete_trade",
]

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


def complete_source(incomplete: str) -> Candidates:
    """Yield the sources that can be added and start with ``incomplete``, with what each reads."""

    def known() -> Iterator[tuple[str, str]]:
        from evernormal.data.publishers.adapters import adapters

        return ((key, one.reads) for key, one in adapters().items())

    yield from _starting(incomplete, known)


def complete_facts(incomplete: str) -> Candidates:
    """Yield the user's data sets of facts that start with ``incomplete``, with the file of each."""
    yield from _starting(incomplete, lambda: _datasets("facts"))


def complete_trade(incomplete: str) -> Candidates:
    """Yield the user's data sets of trade that start with ``incomplete``, with the file of each."""
    yield from _starting(incomplete, lambda: _datasets("trade"))


def _datasets(kind: str) -> Iterable[tuple[str, str]]:
    from evernormal.app import settings
    from evernormal.data import vintages

    return {v.dataset: v.title for v in vintages(settings.store_folder()) if v.kind == kind}.items()
