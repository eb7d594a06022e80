"""Suppliers of visible trade that ship more than they buy, though nobody lists them as makers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from evernormal.network.network import REST_OF_WORLD
from evernormal.network.observations import Observed
from evernormal.network.reconcile import Picture
from evernormal.result import Finding

__all__ = ["unlisted_suppliers"]

VISIBLE_SHARE = 0.01
"""Suppliers of less than this share of the focal region's imports are not named."""

OWN_SHARE = 0.5
"""A supplier of which less than this share is net exports forwards goods, which the balance shows as such."""


def unlisted_suppliers(observed: Sequence[Observed], picture: Picture, focal: str) -> list[Finding]:
    """Name the focal region's suppliers that count as makers although the list of producers lacks them.

    Where trade and production statistics are whole, the balance carries what a hub forwards from its
    imports to its exports.  What it ships beyond that nothing explains: stock, goods of another kind under
    the code, or trade that was not recorded.  It is taken as production there, and said so.
    """
    findings = []
    for one in observed:
        name = one.form.name
        if not one.production_listed:
            continue
        flows = picture.flows[name]
        bought = flows.filter(pl.col("importer") == focal)
        total = float(bought["contained_t"].sum())
        found = {}
        for supplier, tonnes in bought.sort("exporter").select("exporter", "contained_t").iter_rows():
            made = picture.values.get(("production", name, supplier, ""), 0.0)
            sent = float(flows.filter(pl.col("exporter") == supplier)["contained_t"].sum())
            known = {("production", name, supplier, ""), ("output", name, supplier, "")} & picture.known
            ours = tonnes >= VISIBLE_SHARE * total and made > OWN_SHARE * sent
            if ours and not known and supplier != REST_OF_WORLD:
                found[supplier] = tonnes
        if found:
            findings.append(_finding(name, focal, found, total))
    return findings


def _finding(name: str, focal: str, found: dict[str, float], total: float) -> Finding:
    regions = sorted(found, key=lambda c: (-found[c], c))
    share = sum(found[c] for c in sorted(found)) / total
    return Finding(
        "supplier-not-listed",
        "caution",
        f"{', '.join(regions)} supply {share:.1%} of {focal}'s imports of {name}, ship more of it than they"
        " visibly buy, and production statistics give no figure for them: the difference is taken as made"
        " there. It may be stock, other goods under the code, or trade that was not recorded.",
        {"form": name, "regions": regions, "share": share, "focal": focal},
    )
