"""How far a bloc's answer rests on assumptions: behaviour at the ends of its published intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.market import bloc_tables
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_compare import outcome
from evernormal.market.bloc_question import BlocQuestion, lay_out, pair_of
from evernormal.market.bloc_year import Year
from evernormal.market.parameters import MONTHLY_KINDS, market_parameters
from evernormal.network.network import Network

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["ASSUMPTIONS", "ranges"]

ASSUMPTIONS: Mapping[str, tuple[str, ...]] = {
    "use": ("use_elasticity",),
    "supply": ("supply_elasticity", "processing_elasticity"),
    "routes": ("substitution_long",),
}
"""What is moved: how much users, makers and trade routes answer to prices."""
COLUMNS = ("user_usd_t", "made_t", "from_others_t", "users_usd", "makers_usd", "budget_usd", "members_usd")


def ranges(
    network: Network,
    scenario: Scenario,
    fixed: Mapping[str, float],
    question: BlocQuestion,
    central: tuple[Year, Year],
) -> pl.DataFrame:
    """Return the answer with each assumption at the low and at the high end of its interval.

    Columns: assumption, end (central, low, high), prices, tonnes and accounts of members as in the table of
    alternatives, and focal_usd, the sum of the focal country.  What the user has fixed is not moved.
    """
    known = {p.name: p for p in market_parameters(MONTHLY_KINDS)}
    rows = [{"assumption": "central", "end": "central", **_figures(question, *central)}]
    for assumption, names in ASSUMPTIONS.items():
        free = [known[name] for name in names if name not in fixed]
        for end in ("low", "high") if free else ():
            moved = {p.name: p.low if end == "low" else p.high for p in free}
            other = lay_out(network, scenario, {**fixed, **moved})
            years = pair_of(other, other.mechanism)
            rows.append({"assumption": assumption, "end": end, **_figures(other, *years)})
    return pl.DataFrame(rows)


def _figures(question: BlocQuestion, before: Year, after: Year) -> dict[str, Any]:
    found = outcome(question, before, after)
    changes, _ = compare_accounts(before, after)
    focal = bloc_tables.welfare_of(changes, question.setting.network.focal)
    return {**{name: found[name] for name in COLUMNS}, "focal_usd": focal}
