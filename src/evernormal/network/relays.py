"""Infer what a supplier must buy itself: it ships more than it makes and nobody publishes its imports (E27).

Of forms whose trade hides in a basket code the network knows the imports of a few countries only.  Their
suppliers would then seem to make what they ship.  Where production is known, by country or because the
world's total leaves no room, the rest must come from somewhere: from those who make more than they are known
to use and ship.  Such a flow is implied, not observed; it carries grade C and is listed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.network.network import REST_OF_WORLD
from evernormal.result import Finding, Parameter

__all__ = ["IMPLIED_SCHEMA", "RECOVERED", "Account", "Relays", "implied_flows", "implied_inflows"]

IMPLIED_SCHEMA = {
    "supplier": pl.String,
    "relay": pl.String,
    "implied_t": pl.Float64,
    "exports_t": pl.Float64,
    "use_t": pl.Float64,
    "visible_imports_t": pl.Float64,
    "production_t": pl.Float64,
    "recovered_t": pl.Float64,
    "surplus_t": pl.Float64,
    "grade": pl.String,
}

RECOVERED = Parameter(
    "recovered_share",
    0.15,
    0.0,
    0.3,
    "fraction",
    "C",
    "assumption: the middle between nothing (end-of-life recycling input rate of gallium, European Commission"
    " 2017, table 3) and the 30 % of the germanium consumed worldwide that is made from recycled materials"
    " (USGS, Mineral Commodity Summaries 2020); what a country recovers by itself is hardly published",
)
"""Share of what a country ships beyond its known production that comes from scrap or stock at home."""

NEGLIGIBLE = 1e-9
SMALL_SURPLUS = 1e-3
"""A maker with less than this share of what all have left is not asked: grams among tonnes."""


@dataclass(frozen=True)
class Account:
    """What is known of one form before anything is implied, tonnes contained a year.

    Attributes:
        form: form name, for messages.
        flows: visible flows; ``exporter, importer, contained_t``.
        production: known production by country.
        unlisted: what the world makes beyond these countries; None where no total says so.
        visible: countries whose total imports are published.
        use: known use by country.
        onward: what countries whose total exports are published ship beyond their visible flows: to where is
            not known, and it is not among ``flows``.  They can have shipped no more.
    """

    form: str
    flows: pl.DataFrame
    production: Mapping[str, float]
    unlisted: float | None
    visible: frozenset[str]
    use: Mapping[str, float] = field(default_factory=dict)
    onward: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Relays:
    """What follows from an :class:`Account`.

    Attributes:
        table: one row per implied flow (columns of ``IMPLIED_SCHEMA``); use and visible imports are null
            where nothing is known of them.
        own: the part of the world's unlisted output that falls to each unlisted supplier.
        recovered: what each relay recovers from scrap or takes from stock.
        findings: what a reader must know.
        parameters: assumptions used.
    """

    table: pl.DataFrame
    own: Mapping[str, float]
    recovered: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True)
class _Need:
    """A country that sends out or uses more than it makes, and what it lacks."""

    exports: float
    use: float | None
    imports: float | None
    own: float
    lacks: float

    @property
    def known(self) -> tuple[float, float | None, float | None, float]:
        """Exports, use, imports and production, as the table shows them."""
        return self.exports, self.use, self.imports, self.own


def implied_inflows(account: Account, recovered: Parameter = RECOVERED) -> Relays:
    """Infer the flows into countries that ship more than they can have (equation E27).

    A country lacks ``exports + known use - visible imports - production``, less the share ``recovered`` of
    it.  Producers fill that in proportion to their surplus, ``production - known use - visible exports``,
    and to no more than it (nor than their published total exports leave); a country whose published imports
    are not below its exports has none.

    Nothing is implied for a country whose total imports are published; for a producer that statistics list,
    unless its use is published too (what it ships beyond its production is then taken as made there, as
    the tracing of origins does); or for an unlisted one where no world total says how much others can make
    (law 2).  Up to that total unlisted suppliers make what they ship.

    Args:
        account: what is known.
        recovered: share of the lack that scrap and stock supply.

    >>> flows = pl.DataFrame({"exporter": ["A", "B"], "importer": ["C", "C"], "contained_t": [2.0, 10.0]})
    >>> known = Account("x/metal", flows, {"A": 90.0, "D": 10.0}, 0.0, frozenset("C"))
    >>> none = Parameter("recovered_share", 0.0, 0.0, 0.0, "fraction", "C", "assumption: example")
    >>> implied_inflows(known, none).table.select("supplier", "relay", pl.col("implied_t").round(3)).rows()
    [('A', 'B', 8.98), ('D', 'B', 1.02)]
    """
    imports, visible = _sums(account.flows, "importer"), _sums(account.flows, "exporter")
    countries = sorted(set(visible) | set(account.onward))
    exports = {c: visible.get(c, 0.0) + account.onward.get(c, 0.0) for c in countries}
    own = _unlisted_output(account, exports)
    needs = _needs(account, exports, imports, own)
    unknown = _unexplained(account, exports)
    notes = [_unknown_finding(account, unknown)] if unknown else []
    if not needs:
        return Relays(pl.DataFrame(schema=IMPLIED_SCHEMA), own, {}, tuple(notes))
    surplus = _surplus(account, visible, imports, needs)
    wanted = (1.0 - recovered.value) * sum(needs[c].lacks for c in sorted(needs))
    available = sum(surplus[s] for s in sorted(surplus))
    part = min(1.0, available / wanted) * (1.0 - recovered.value) if wanted > 0 else 0.0
    home = {relay: recovered.value * need.lacks for relay, need in sorted(needs.items())}
    rows = [
        (supplier, relay, part * need.lacks * left / available, *need.known, home[relay], left, "C")
        for relay, need in sorted(needs.items())
        for supplier, left in sorted(surplus.items())
    ]
    table = pl.DataFrame(rows, schema=IMPLIED_SCHEMA, orient="row").filter(pl.col("implied_t") > 0)
    if len(table):
        notes.insert(0, _finding(account, table, recovered))
    if wanted > available * (1.0 + NEGLIGIBLE):
        notes.append(_short_finding(account, wanted - available))
    return Relays(table, own, home, tuple(notes), (recovered,))


def implied_flows(table: pl.DataFrame, price: float, content: float) -> pl.DataFrame:
    """Turn implied inflows into flows of an observation: values at the world price, spread of grade C."""
    return table.select(
        pl.col("supplier").alias("exporter"),
        pl.col("relay").alias("importer"),
        contained_t=pl.col("implied_t"),
        gross_t=pl.col("implied_t") / content,
        value_usd=pl.col("implied_t") * price,
        sigma_t=pl.col("implied_t") * RELATIVE_SIGMA["C"],
        grade=pl.lit("C"),
    )


def _sums(flows: pl.DataFrame, side: str) -> dict[str, float]:
    ordered = flows.sort("exporter", "importer")
    return dict(ordered.group_by(side, maintain_order=True).agg(pl.col("contained_t").sum()).iter_rows())


def _unlisted(account: Account, exports: Mapping[str, float]) -> list[str]:
    """Suppliers that no statistic of production lists and whose imports nobody publishes."""
    return sorted(set(exports) - set(account.production) - account.visible)


def _unlisted_output(account: Account, exports: Mapping[str, float]) -> dict[str, float]:
    """Share what unlisted countries make among the unlisted suppliers, as far as they ship it."""
    suppliers = _unlisted(account, exports)
    shipped = sum(exports[c] for c in suppliers)
    if account.unlisted is None or shipped <= 0:
        return {}
    part = min(1.0, account.unlisted / shipped)
    return {c: part * exports[c] for c in suppliers if part > 0}


def _needs(
    account: Account, exports: Mapping[str, float], imports: Mapping[str, float], own: Mapping[str, float]
) -> dict[str, _Need]:
    """Who sends out or uses more than it makes and visibly buys; no use and no import is assumed (law 2)."""
    listed = set(account.production)
    unlisted = set() if account.unlisted is None else (set(exports) | set(account.use)) - listed
    found = {}
    for country in sorted((unlisted | (listed & set(account.use))) - account.visible):
        makes = account.production.get(country, own.get(country, 0.0))
        out, use, bought = exports.get(country, 0.0), account.use.get(country), imports.get(country)
        leaves = out + (use or 0.0)
        lacks = leaves - (bought or 0.0) - makes
        if lacks > NEGLIGIBLE * leaves:
            found[country] = _Need(out, use, bought, makes, lacks)
    return found


def _surplus(
    account: Account,
    exports: Mapping[str, float],
    imports: Mapping[str, float],
    needs: Mapping[str, _Need],
) -> dict[str, float]:
    """What each producer makes beyond its known use and visible exports, and may have shipped."""
    found = {}
    for country in sorted(set(account.production) - set(needs)):
        bought, sold = imports.get(country, 0.0), exports.get(country, 0.0)
        if country in account.visible and bought >= sold:
            continue
        left = account.production[country] + bought - account.use.get(country, 0.0) - sold
        left = min(left, account.onward.get(country, left))
        if left > 0:
            found[country] = left
    least = SMALL_SURPLUS * sum(found[c] for c in sorted(found))
    return {country: left for country, left in found.items() if left >= least}


def _unexplained(account: Account, exports: Mapping[str, float]) -> dict[str, float]:
    """Suppliers of which nothing can be said: they are no known producers and no world total is known."""
    if account.unlisted is not None or not account.production:
        return {}
    return {country: exports[country] for country in _unlisted(account, exports) if country != REST_OF_WORLD}


def _finding(account: Account, table: pl.DataFrame, recovered: Parameter) -> Finding:
    into = table.group_by("relay").agg(pl.col("implied_t").sum()).sort("relay")
    from_ = table.group_by("supplier").agg(pl.col("implied_t").sum()).sort("supplier")
    total = float(into["implied_t"].sum())
    top = from_.sort("implied_t", "supplier", descending=[True, False]).row(0)
    relays = into.sort("implied_t", "relay", descending=[True, False])["relay"].to_list()
    return Finding(
        "supply-implied",
        "warning",
        f"{', '.join(relays)} ship or use more {account.form} than they are known to make, and what they buy"
        f" is not published: {total:,.4g} t a year are implied to reach them from those who make more than"
        f" they are known to use and ship, {top[1] / total:.0%} of it from {top[0]}; {recovered.value:.0%} of"
        " what they lack is taken as scrap or stock. An assumption (grade C), not trade that was seen: bring"
        " their production or imports as facts where you know better.",
        {
            "form": account.form,
            "implied_t": total,
            "regions": relays,
            "supplier": top[0],
            "share": top[1] / total,
            "recovered_share": recovered.value,
        },
    )


def _unknown_finding(account: Account, unknown: Mapping[str, float]) -> Finding:
    listed = sorted(unknown, key=lambda c: (-unknown[c], c))
    total = sum(unknown[c] for c in sorted(unknown))
    return Finding(
        "supply-unexplained",
        "caution",
        f"{', '.join(listed)} ship {total:,.4g} t of {account.form}. Their production is not published, and"
        " the figures at hand cannot tell what they make from what they buy: they count as makers; what they"
        " buy from others is unknown, not zero.",
        {"form": account.form, "regions": listed, "shipped_t": total},
    )


def _short_finding(account: Account, tonnes: float) -> Finding:
    return Finding(
        "supply-unexplained-rest",
        "caution",
        f"{tonnes:,.4g} t of {account.form} that suppliers ship beyond their known production are more than"
        " all producers have left: they count as made by those suppliers.",
        {"form": account.form, "shipped_t": tonnes},
    )
