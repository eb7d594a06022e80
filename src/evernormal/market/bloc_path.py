"""Year by year: mines built on a floor, and what is left of them when it is withdrawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market import bloc_tables
from evernormal.market.bloc import solve_pair
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_act import MONTHS
from evernormal.market.bloc_compare import mean_price, outcome
from evernormal.market.bloc_projects import Plants
from evernormal.market.bloc_question import BlocQuestion
from evernormal.market.bloc_year import Year

__all__ = ["path_of"]


def path_of(
    question: BlocQuestion, plants: Plants, built: NDArray[np.bool_]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return prices, budgets and welfare by year, and every built plant's year (equation E89).

    Projects that pay only with the floor are begun in its first year and run, once built, whenever the price
    covers their operating cost: their capital is sunk.  What the price leaves of the yearly capital charge
    unpaid is a loss, of which the state bears its share of the capital.

    Args:
        built: (J,) projects that are built because of the floor.
    """
    first = question.in_force.index(True)
    ready = first + np.asarray(plants.table["years_to_build"].to_list(), dtype=np.int64)
    rows: list[dict[str, Any]] = []
    yearly: list[dict[str, Any]] = []
    for y, holds in enumerate(question.in_force):
        running = built & (ready <= y)
        mechanism = question.mechanism if holds else question.mechanism.without()
        supply = plants.supply(running, plants.operating)
        before, after = solve_pair(
            question.setting, mechanism, question.acts[y], MONTHS * (y + 1), (None, supply)
        )
        mine = _plants(plants, running, after, y)
        yearly += mine
        rows.append(_row(question, before, after, y, mine))
    return pl.DataFrame(rows), pl.DataFrame(yearly, schema=PLANTS)


PLANTS = {
    "year": pl.Int64, "name": pl.String, "country": pl.String, "form": pl.String, "output_t": pl.Float64,
    "price_usd_t": pl.Float64, "earned_usd": pl.Float64, "capital_usd": pl.Float64,
    "unpaid_usd": pl.Float64, "unpaid_public_usd": pl.Float64, "unpaid_private_usd": pl.Float64,
}  # fmt: skip


def _plants(plants: Plants, running: NDArray[np.bool_], year: Year, y: int) -> list[dict[str, Any]]:
    rows = []
    output = year.quantity("project")
    for j, amount in zip(np.flatnonzero(running).tolist(), output.tolist(), strict=True):
        cell = (plants.region[j], plants.form[j])
        price, row = float(year.maker[cell]), plants.table.row(j, named=True)
        earned = (price - plants.operating[j]) * amount
        unpaid = max(float(plants.capital[j]) - earned, 0.0)
        share = row["public_share"]
        rows.append(
            {
                "year": y + 1,
                "name": row["name"],
                "country": row["country"],
                "form": row["form"],
                "output_t": amount,
                "price_usd_t": price,
                "earned_usd": earned,
                "capital_usd": float(plants.capital[j]),
                "unpaid_usd": unpaid,
                "unpaid_public_usd": None if share is None else share * unpaid,
                "unpaid_private_usd": None if share is None else (1 - share) * unpaid,
            }
        )
    return rows


def _row(
    question: BlocQuestion, before: Year, after: Year, y: int, plants: list[dict[str, Any]]
) -> dict[str, Any]:
    network, members = question.setting.network, question.mechanism.members
    g = network.form_index(network.form)
    changes, _ = compare_accounts(before, after)
    found = outcome(question, before, after)
    used = bloc_tables.amounts(before)["used"][members, g]
    return {
        "year": y + 1,
        "in_force": question.in_force[y],
        "without_usd_t": mean_price(before.home[members, g], used),
        "user_usd_t": found["user_usd_t"],
        "maker_usd_t": found["maker_usd_t"],
        "made_t": found["made_t"],
        "plants_t": float(sum(row["output_t"] for row in plants)),
        "budget_usd": found["budget_usd"],
        "users_usd": found["users_usd"],
        "members_usd": found["members_usd"],
        "unpaid_capital_usd": float(sum(row["unpaid_usd"] for row in plants)),
        "plants_earn_usd": float(
            changes.filter(pl.col("member") & (pl.col("account") == "projects"))["change_usd"].sum()
        ),
    }
