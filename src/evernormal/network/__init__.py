"""What is modelled? Forms, chains, the balanced base-year network, measures and scenarios.

The names below are the room's door; each is loaded when it is first used.  No file of the room is named like
one of them, so that ``network.visibility`` is always the function.

>>> from evernormal import network
>>> network.basket("284690", "HS2022").closed
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.network.basket_tables import basket
    from evernormal.network.baskets import split_basket
    from evernormal.network.element_visibility import visibility
    from evernormal.network.policy_measures import measures_from_policies
    from evernormal.network.policy_scenario import scenario_from_policies

_HOMES = {
    "basket": "basket_tables",
    "measures_from_policies": "policy_measures",
    "scenario_from_policies": "policy_scenario",
    "split_basket": "baskets",
    "visibility": "element_visibility",
}

__all__ = ["basket", "measures_from_policies", "scenario_from_policies", "split_basket", "visibility"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.network.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.network' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
