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
    from evernormal.data.code_conversion import convert_codes
    from evernormal.data.comparison import compare_sources
    from evernormal.data.concordance_links import concordance
    from evernormal.data.conversion_weights import learn_weights
    from evernormal.data.customs_rows import customs, customs_shares
    from evernormal.data.firm_rows import firm, firm_cover
    from evernormal.data.flows import covered_codes, scan_trade, supplier_shares, trade
    from evernormal.data.geography import aliases, countries, country, country_sources
    from evernormal.data.holdings import sources, status
    from evernormal.data.indicators import governance
    from evernormal.data.input_output_rows import input_output
    from evernormal.data.mining import production, production_totals
    from evernormal.data.mirror import mirror_flows
    from evernormal.data.online.comtrade_fetch import comtrade_availability, fetch_comtrade
    from evernormal.data.online.comtrade_query import periods_between
    from evernormal.data.policy_rows import policies
    from evernormal.data.price_rows import prices
    from evernormal.data.published import facts
    from evernormal.data.publishers.firm_marks import mark_faults
    from evernormal.data.publishers.firm_template import firm_template
    from evernormal.data.publishers.wheel import fetch_wheel
    from evernormal.data.schema import schema_table
    from evernormal.data.snapshot import inputs
    from evernormal.data.sql import query
    from evernormal.data.statistics_rows import statistics
    from evernormal.data.store import add, default_folder, journal, vintages

_HOMES = {
    "add": "store",
    "aliases": "geography",
    "build_snapshot": "build",
    "compare_sources": "comparison",
    "comtrade_availability": "online.comtrade_fetch",
    "concordance": "concordance_links",
    "convert_codes": "code_conversion",
    "countries": "geography",
    "country": "geography",
    "country_sources": "geography",
    "covered_codes": "flows",
    "customs": "customs_rows",
    "customs_shares": "customs_rows",
    "default_folder": "store",
    "facts": "published",
    "fetch_comtrade": "online.comtrade_fetch",
    "fetch_wheel": "publishers.wheel",
    "firm": "firm_rows",
    "firm_cover": "firm_rows",
    "firm_template": "publishers.firm_template",
    "governance": "indicators",
    "input_output": "input_output_rows",
    "inputs": "snapshot",
    "journal": "store",
    "learn_weights": "conversion_weights",
    "mark_faults": "publishers.firm_marks",
    "mirror_flows": "mirror",
    "periods_between": "online.comtrade_query",
    "policies": "policy_rows",
    "prices": "price_rows",
    "production": "mining",
    "production_totals": "mining",
    "query": "sql",
    "scan_trade": "flows",
    "schema_table": "schema",
    "sources": "holdings",
    "statistics": "statistics_rows",
    "status": "holdings",
    "supplier_shares": "flows",
    "trade": "flows",
    "verify": "checks",
    "vintages": "store",
}

__all__ = [
    "add",
    "aliases",
    "build_snapshot",
    "compare_sources",
    "comtrade_availability",
    "concordance",
    "convert_codes",
    "countries",
    "country",
    "country_sources",
    "covered_codes",
    "customs",
    "customs_shares",
    "default_folder",
    "facts",
    "fetch_comtrade",
    "fetch_wheel",
    "firm",
    "firm_cover",
    "firm_template",
    "governance",
    "input_output",
    "inputs",
    "journal",
    "learn_weights",
    "mark_faults",
    "mirror_flows",
    "periods_between",
    "policies",
    "prices",
    "production",
    "production_totals",
    "query",
    "scan_trade",
    "schema_table",
    "sources",
    "statistics",
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
