"""Who gains and who pays: surpluses, revenue and cost that add up to the change of the world's welfare.

Every quantity is decided by somebody who gains what it is worth at the prices that they see, less the area
under their curve (equation E85).  Wedges between prices are revenue of whoever levies them or cost of whoever
pays them.  The sum of all accounts must be the change of benefits less real costs, which is computed from
quantities alone (equation E86); the difference is the residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.bloc_year import SHIPPING, Year

__all__ = ["ACCOUNTS", "Accounts", "accounts_of", "compare_accounts"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ACCOUNTS = (
    "users", "producers", "processors", "projects", "other_supply", "traders", "absorption", "levy",
    "tariff", "contract", "purchase", "state_sales", "price_cut", "quota_rent",
)  # fmt: skip
"""Accounts: surpluses first, then what states and exporters take in or pay out."""

_OWNER = {
    "production": "producers",
    "production_idle": "producers",
    "conversion": "processors",
    "conversion_idle": "processors",
    "project": "projects",
    "other_supply": "other_supply",
    "absorbed": "absorption",
    "plain": "traders",
}


@dataclass(frozen=True)
class Accounts:
    """Accounts of a year, each against an unknown constant that is the same in every year.

    Attributes:
        rows: account, region index, form index, end use (empty but for users), USD per year.
        welfare: benefits less real costs, from quantities alone, USD per year.
        turnover: value of all that is used, USD per year; the scale of the residual.
    """

    rows: dict[tuple[str, int, int, str], float]
    welfare: float
    turnover: float


class _Ledger:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, int, int, str], list[float]] = {}

    def add(
        self, account: str, region: Integers, form: Integers, usd: Floats, names: tuple[str, ...] = ()
    ) -> None:
        for k, (r, g, value) in enumerate(zip(region.tolist(), form.tolist(), usd.tolist(), strict=True)):
            name = names[k] if names else ""
            self.entries.setdefault((account, r, g, name), []).append(value)

    def total(self) -> dict[tuple[str, int, int, str], float]:
        return {key: fsum(values) for key, values in self.entries.items()}


def accounts_of(year: Year) -> Accounts:
    """Return the accounts of a solved year (equations E85 and E86)."""
    ledger, real = _Ledger(), []
    quantities, market = year.point.quantities, year.market
    paid = market.weight @ year.point.prices
    offset = np.where(np.isfinite(market.offset), market.offset, 0.0)
    area = (quantities**2 - year.rest**2) / (2 * market.slope) + offset * (quantities - year.rest)
    tariff, cut = _wedges(year)
    names = tuple(use.name for use in year.built.uses)
    for name, piece in year.built.parts.pieces.items():
        account = _account(name)
        if not account:
            continue
        q, cost = quantities[piece.place], area[piece.place]
        ends = tuple(names[k] for k in piece.item.tolist()) if account in ("users", "other_supply") else ()
        if account == "traders" and name != "plain":
            wedge, rest = (tariff - cut)[piece.item], year.rest[piece.place]
            way = _way(year, piece.item) if name in ("levied", "passed_on") else np.zeros(len(q))
            cost = cost + way * (q - rest) + wedge * rest
            paid[piece.place] += way
            _border_payments(ledger, year, piece.item, q, tariff, cut)
            real.append(-(cost - wedge * q))
        else:
            real.append(-cost)
        ledger.add(account, piece.region, piece.form, paid[piece.place] * q - cost, ends)
    _spending(ledger, year, names)
    _at_the_border(ledger, year)
    _states(ledger, year)
    r, g = _cells_of_uses(year)
    return Accounts(
        ledger.total(),
        fsum(float(v) for values in real for v in values),
        float(fsum((year.home[r, g] * year.built.use).tolist())),
    )


def _way(year: Year, item: Integers) -> Floats:
    """USD per tonne that shipping costs where the landed price is what buyers compare with a reference."""
    view = year.built.views.landed[item]
    return np.where(view >= 0, year.market.constant[np.maximum(view, 0)], 0.0)


def _account(piece: str) -> str:
    """Return whose decision a piece is; empty for devices that nobody decides on."""
    if piece.startswith("use_"):
        return "users"
    if piece in SHIPPING or piece.startswith("leak"):
        return "traders"
    return _OWNER.get(piece, "")


def _wedges(year: Year) -> tuple[Floats, Floats]:
    """(A,) USD per tonne that measures' tariffs take and that exporters' price cuts give."""
    routes = year.setting.routes
    seller = year.built.price[routes.origin, routes.form]
    return year.acts.tariff * seller, year.acts.dumping * seller


def _cells_of_uses(year: Year) -> tuple[Integers, Integers]:
    uses = year.built.uses
    return (
        np.array([u.region for u in uses], dtype=np.int64),
        np.array([u.form for u in uses], dtype=np.int64),
    )


def _spending(ledger: _Ledger, year: Year, names: tuple[str, ...]) -> None:
    """Users pay the home price for what they want at base prices, less what they do without."""
    r, g = _cells_of_uses(year)
    ledger.add("users", r, g, -year.home[r, g] * year.built.use, names)


def _border_payments(
    ledger: _Ledger, year: Year, item: Integers, quantity: Floats, tariff: Floats, cut: Floats
) -> None:
    routes = year.setting.routes
    if tariff.any():
        ledger.add("tariff", routes.target[item], routes.form[item], tariff[item] * quantity)
    if cut.any():
        ledger.add("price_cut", routes.origin[item], routes.form[item], -cut[item] * quantity)
    for number, (mask, _) in enumerate(year.acts.quotas):
        piece = year.built.parts.pieces[f"unused_quota_{number}"]
        worth = max(float(year.point.unknown[_row_of(year, piece.place.start)]), 0.0)
        rent = np.where(mask[item], worth, 0.0) * quantity
        ledger.add("quota_rent", routes.origin[item], routes.form[item], rent)


def _row_of(year: Year, quantity: int) -> int:
    """Return the balance that a quantity stands in."""
    column = year.market.incidence[:, [quantity]]
    return int(column.tocoo().row[0])


def _at_the_border(ledger: _Ledger, year: Year) -> None:
    """What members take in from what comes from outside."""
    kind, routes = year.mechanism.instrument, year.setting.routes
    if kind not in ("levy", "tariff"):
        return
    a = np.flatnonzero(np.isfinite(year.route_levy) & (year.paying > 0))
    ledger.add(kind, routes.target[a], routes.form[a], year.route_levy[a] * year.paying[a])


def _states(ledger: _Ledger, year: Year) -> None:
    """Contracts paid, goods bought to hold a price, and what states sell or buy on their own."""
    network = year.setting.network
    r, g = np.nonzero(np.isfinite(year.home))
    if year.mechanism.instrument == "contract":
        top_up = (year.maker - year.home)[r, g] * year.made[r, g]
        ledger.add("contract", r, g, -top_up)
    if year.mechanism.instrument == "purchase":
        ledger.add("purchase", r, g, -year.home[r, g] * year.bought[r, g])
    if year.acts.added.any():
        main = np.full(len(network.regions), network.form_index(network.form))
        here = np.flatnonzero(np.isfinite(year.home[:, main[0]]))
        sold = year.home[here, main[here]] * year.acts.added[here]
        ledger.add("state_sales", here, main[here], sold)


def compare_accounts(before: Year, after: Year) -> tuple[pl.DataFrame, float]:
    """Return the change of every account from one year to another, and the residual (equation E86).

    Returns:
        Table region, member, form, account, end_use, change_usd; and the difference between the sum of all
        accounts and the change of welfare, relative to the value of all that is used.
    """
    first, last = accounts_of(before), accounts_of(after)
    network = after.setting.network
    keys = sorted(
        first.rows.keys() | last.rows.keys(),
        key=lambda k: (network.regions[k[1]], k[2], ACCOUNTS.index(k[0]), k[3]),
    )
    rows = [
        {
            "region": network.regions[r],
            "member": bool(after.mechanism.members[r]),
            "form": network.forms[g],
            "account": account,
            "end_use": name,
            "change_usd": last.rows.get((account, r, g, name), 0.0)
            - first.rows.get((account, r, g, name), 0.0),
        }
        for account, r, g, name in keys
    ]
    schema = {
        "region": pl.String, "member": pl.Boolean, "form": pl.String, "account": pl.String,
        "end_use": pl.String, "change_usd": pl.Float64,
    }  # fmt: skip
    table = pl.DataFrame(rows, schema=schema)
    gap = fsum(table["change_usd"].to_list()) - (last.welfare - first.welfare)
    return table, abs(gap) / max(first.turnover, 1e-300)
