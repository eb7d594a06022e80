"""What can go wrong? Indicators of concentration, criticality and dependence.

The names below are the room's door; each is loaded when it is first used.  No file of the room is named
like one of them, so that ``risk.geopolrisk`` is always the function.

>>> from evernormal import risk
>>> float(risk.herfindahl([0.5, 0.5]))
0.5
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.risk.dependence import n_minus_one, net_import_reliance, remaining_supply, supplier_shares
    from evernormal.risk.european_union import eu_supply_risk, hhi_wgi_t
    from evernormal.risk.exposure_duty import concentration_duty, neighbours_of
    from evernormal.risk.exposure_trend import trend
    from evernormal.risk.geopolitical import geopolrisk
    from evernormal.risk.origin import trace_origin
    from evernormal.risk.origin_algebra import origin_matrix
    from evernormal.risk.shares import concentration, herfindahl

_HOMES = {
    "concentration": "shares",
    "concentration_duty": "exposure_duty",
    "eu_supply_risk": "european_union",
    "geopolrisk": "geopolitical",
    "herfindahl": "shares",
    "hhi_wgi_t": "european_union",
    "n_minus_one": "dependence",
    "neighbours_of": "exposure_duty",
    "net_import_reliance": "dependence",
    "origin_matrix": "origin_algebra",
    "remaining_supply": "dependence",
    "supplier_shares": "dependence",
    "trace_origin": "origin",
    "trend": "exposure_trend",
}

__all__ = [
    "concentration",
    "concentration_duty",
    "eu_supply_risk",
    "geopolrisk",
    "herfindahl",
    "hhi_wgi_t",
    "n_minus_one",
    "neighbours_of",
    "net_import_reliance",
    "origin_matrix",
    "remaining_supply",
    "supplier_shares",
    "trace_origin",
    "trend",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.risk.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.risk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
