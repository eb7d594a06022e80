"""How does the world react? The equilibrium engine, prices and losses.

The names below are the room's door; each is loaded when it is first used.  No file of the room is named like
one of them.

>>> from evernormal import market
>>> inverse = market.leontief_inverse([[150, 500], [200, 100]], [1000, 2000])
>>> inverse.round(4).tolist()
[[1.2541, 0.33], [0.264, 1.1221]]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.market.bloc import bloc_equilibrium
    from evernormal.market.bloc_projects import read_projects
    from evernormal.market.bloc_scenario import bloc_study
    from evernormal.market.economy_loss import propagate_loss
    from evernormal.market.economy_recipes import joint_shortage
    from evernormal.market.history.backtesting import backtest
    from evernormal.market.input_output_algebra import leontief_inverse
    from evernormal.market.input_output_table import open_input_output

_HOMES = {
    "backtest": "history.backtesting",
    "bloc_equilibrium": "bloc",
    "bloc_study": "bloc_scenario",
    "joint_shortage": "economy_recipes",
    "leontief_inverse": "input_output_algebra",
    "open_input_output": "input_output_table",
    "propagate_loss": "economy_loss",
    "read_projects": "bloc_projects",
}

__all__ = [
    "backtest",
    "bloc_equilibrium",
    "bloc_study",
    "joint_shortage",
    "leontief_inverse",
    "open_input_output",
    "propagate_loss",
    "read_projects",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.market.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.market' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
