"""What a reader must know before trusting a bloc's numbers."""

from __future__ import annotations

import numpy as np

from evernormal.market.bloc_tables import margins
from evernormal.market.bloc_year import Year
from evernormal.result import Finding

__all__ = ["bloc_findings"]

SQUEEZED = 0.1
"""Loss of a converter's margin that is told, as a share of the margin."""


LARGE = 0.1
"""Share of members' purchases from outside from which on an exporter is told about."""
NO_USE = 0.05
"""Home use below this share of output counts as not known."""


def bloc_findings(before: Year, after: Year) -> tuple[Finding, ...]:
    """Return findings of a pair of years, the most serious first."""
    found = [
        *_out_of_reach(after),
        *_no_makers(before, after),
        *_extreme(after),
        *_squeezed(before, after),
        *_leaking(after),
        *_home_use_unknown(before, after),
        *_not_needed(after),
        *_absent(after),
        Finding(
            "bloc-annual",
            "info",
            "Prices and quantities are those of a whole year after the market has adjusted; months, stocks"
            " and cargo at sea are left out.",
        ),
    ]
    return tuple(found)


def _out_of_reach(year: Year) -> list[Finding]:
    network, mechanism = year.setting.network, year.mechanism
    if mechanism.instrument != "levy":
        return []
    cells = np.argwhere(year.out_of_reach & mechanism.held)
    found = []
    for g, name in enumerate(network.forms):
        members = [network.regions[r] for r, form in cells.tolist() if form == g]
        if members:
            found.append(
                Finding(
                    "bloc-out-of-reach",
                    "warning",
                    f"No levy holds the reference price of {name} in {', '.join(members)}: their price stays"
                    " below it with every non-member kept out, because members make or send more than is"
                    " used there at that price.",
                    {"form": name, "members": members},
                )
            )
    return found


def _no_makers(before: Year, after: Year) -> list[Finding]:
    """Forms that no member makes: until something is built the mechanism only taxes those who use them."""
    network, mechanism = after.setting.network, after.mechanism
    made = (before.made + after.made)[mechanism.members].sum(axis=0)
    return [
        Finding(
            "bloc-no-makers",
            "warning",
            f"No member makes {network.forms[g]}: until one does, a reference price only makes it dearer.",
            {"form": network.forms[g]},
        )
        for g in np.flatnonzero(mechanism.held.any(axis=0) & (made <= 0)).tolist()
    ]


def _absent(year: Year) -> list[Finding]:
    """Members that neither make, use nor trade a form: there is no price to hold."""
    network, mechanism = year.setting.network, year.mechanism
    found = []
    for g in np.flatnonzero(mechanism.held.any(axis=0)).tolist():
        blind = mechanism.held[:, g] & ~np.isfinite(year.home[:, g])
        members = [network.regions[r] for r in np.flatnonzero(blind)]
        if members:
            found.append(
                Finding(
                    "bloc-member-absent",
                    "info",
                    f"The data show no {network.forms[g]} made, used or traded in {', '.join(members)}: no"
                    " price is held there.",
                    {"form": network.forms[g], "members": members},
                )
            )
    return found


def _extreme(year: Year) -> list[Finding]:
    """Levies above the price at the border: the reference asks more than trade can bear."""
    mechanism, network = year.mechanism, year.setting.network
    if mechanism.instrument != "levy" or mechanism.by_origin:
        return []
    with np.errstate(invalid="ignore"):
        cells = mechanism.held & ~year.out_of_reach & (year.home - year.border > np.maximum(year.border, 0.0))
    found = []
    for g, name in enumerate(network.forms):
        members = [network.regions[r] for r in np.flatnonzero(cells[:, g])]
        if members:
            found.append(
                Finding(
                    "bloc-levy-extreme",
                    "caution",
                    f"The levy on {name} is more than the price at the border in {', '.join(members)}: the"
                    " reference is far beyond the history that the curves come from.",
                    {"form": name, "members": members},
                )
            )
    return found


def _squeezed(before: Year, after: Year) -> list[Finding]:
    table = margins(before, after)
    hit = table.filter(table["effective_protection"] < -SQUEEZED)
    found = []
    for conversion in hit["conversion"].unique().sort().to_list():
        members = hit.filter(hit["conversion"] == conversion)["member"].to_list()
        found.append(
            Finding(
                "bloc-processors-squeezed",
                "caution",
                f"The margin of {conversion} falls by more than {SQUEEZED:.0%} in {', '.join(members)}:"
                " the input is held up more than what is made of it.",
                {"conversion": conversion, "members": members, "share": SQUEEZED},
            )
        )
    return found


def _home_use_unknown(before: Year, after: Year) -> list[Finding]:
    """Outside exporters that use nothing at home in the network: what they cannot sell has nowhere to go."""
    network, routes, members = after.setting.network, after.setting.routes, after.mechanism.members
    found = []
    for g, name in enumerate(network.forms):
        outer = (routes.form == g) & ~members[routes.origin] & members[routes.target]
        sent = np.bincount(routes.origin[outer], before.shipped[outer], len(members))
        large = sent > LARGE * max(float(sent.sum()), 1e-300)
        needed = np.array([c.source == name for c in network.conversions], dtype=bool)
        at_home = network.use[:, g] + network.activity[needed].sum(axis=0)
        blind = large & (at_home < NO_USE * np.maximum(before.made[:, g], 1e-300)) & (before.made[:, g] > 0)
        if after.mechanism.held[:, g].any() and blind.any():
            exporters = [network.regions[r] for r in np.flatnonzero(blind)]
            found.append(
                Finding(
                    "bloc-home-use-unknown",
                    "caution",
                    f"How much {name} {', '.join(exporters)} use at home is not known and counts as none: how"
                    " far their price falls and how much less they make is overstated.",
                    {"exporters": exporters, "form": name},
                )
            )
    return found


def _leaking(year: Year) -> list[Finding]:
    tonnes = float(year.leaked.sum())
    if tonnes <= 0:
        return []
    return [
        Finding(
            "bloc-leak",
            "caution",
            f"{tonnes:,.0f} t a year enter free under another origin; how much can is an assumption.",
            {"tonnes": tonnes},
        )
    ]


def _not_needed(year: Year) -> list[Finding]:
    network, mechanism = year.setting.network, year.mechanism
    held = mechanism.held & np.isfinite(year.home) & ~year.out_of_reach
    slack = held & (year.home > mechanism.reference * (1 + 1e-9))
    if mechanism.instrument != "levy" or not held.any() or not slack[held].all():
        return []
    return [
        Finding(
            "bloc-not-needed",
            "info",
            "Every reference price lies below the price that holds without a mechanism: no levy is due.",
            {"forms": [network.forms[g] for g in np.flatnonzero(held.any(axis=0))]},
        )
    ]
