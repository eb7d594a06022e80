"""Critical-mineral security for mineral-poor industrial countries.

The names below are the public door; each is loaded when it is first used, so that importing the package stays
cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.market.many import ensemble
    from evernormal.market.simulate import simulate
    from evernormal.market.spatial import spatial_equilibrium
    from evernormal.network.load import load_network
    from evernormal.network.scenario import load_scenario
    from evernormal.result import Result

__version__ = "0.1.0"

_HOMES = {
    "Result": "evernormal.result",
    "ensemble": "evernormal.market.many",
    "load_network": "evernormal.network.load",
    "load_scenario": "evernormal.network.scenario",
    "simulate": "evernormal.market.simulate",
    "spatial_equilibrium": "evernormal.market.spatial",
}

__all__ = [
    "Result",
    "__version__",
    "ensemble",
    "load_network",
    "load_scenario",
    "simulate",
    "spatial_equilibrium",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'evernormal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
