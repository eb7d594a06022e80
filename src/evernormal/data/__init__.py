"""What is known? Sources, schema, checks, the shipped snapshot and the store.

The names below are the room's door; each is loaded when it is first used.  No file of the room is named
like one of them, so that ``data.trade`` is always the reader.

>>> from evernormal import data
>>> data.country(490, source="baci")
'TWN'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.data.build import build_snapshot
    from evernormal.data.checks import verify
    from evernormal.data.flows import covered_codes, scan_trade, supplier_shares, trade
    from evernormal.data.geography import aliases, countries, country, country_sources
    from evernormal.data.holdings import sources, status
    from evernormal.data.indicators import governance
    from evernormal.data.mining import production, production_totals
    from evernormal.data.published import facts
    from evernormal.data.publishers.wheel import fetch_wheel
    from evernormal.data.schema import schema_table
    from evernormal.data.snapshot import inputs
    from evernormal.data.sql import query
    from evernormal.data.store import add, default_folder, journal, vintages

_HOMES = {
    "add": "store",
    "aliases": "geography",
    "build_snapshot": "build",
    "countries": "geography",
    "country": "geography",
    "country_sources": "geography",
    "covered_codes": "flows",
    "default_folder": "store",
    "facts": "published",
    "fetch_wheel": "publishers.wheel",
    "governance": "indicators",
    "inputs": "snapshot",
    "journal": "store",
    "vintages": "store",
    "production": "mining",
    "production_totals": "mining",
    "query": "sql",
    "scan_trade": "flows",
    "schema_table": "schema",
    "sources": "holdings",
    "status": "holdings",
    "supplier_shares": "flows",
    "trade": "flows",
    "verify": "checks",
}

__all__ = [
    "add",
    "aliases",
    "build_snapshot",
    "countries",
    "country",
    "country_sources",
    "covered_codes",
    "default_folder",
    "facts",
    "fetch_wheel",
    "governance",
    "inputs",
    "journal",
    "production",
    "production_totals",
    "query",
    "scan_trade",
    "schema_table",
    "sources",
    "status",
    "supplier_shares",
    "trade",
    "verify",
    "vintages",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
