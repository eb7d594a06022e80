"""Routes of the monthly engine: the arcs of the base year and those that a shock could open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.network.network import Network

__all__ = ["Routes", "routes_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

OPENING_SHARE = 0.005
"""Exporters and importers below this share of a form's world trade open no new routes."""
OPENING_PARTNERS = 8
"""New routes run to the focal region and among so many of the largest exporters and importers."""


@dataclass(frozen=True)
class Routes:
    """A routes, tonnes contained per month.

    Attributes:
        origin: (A,) region index of the exporter.
        target: (A,) region index of the importer.
        form: (A,) form index.
        base: (A,) shipped per month in the base year; 0 for a route not yet open.
        reference: (A,) scale of the route's response, positive.
        transit_days: (A,) days on the way.
    """

    origin: Integers
    target: Integers
    form: Integers
    base: Floats
    reference: Floats
    transit_days: Floats
    names: tuple[tuple[str, str], ...]

    def links(
        self, exporters: tuple[int, ...], importers: tuple[int, ...], forms: tuple[int, ...]
    ) -> NDArray[np.bool_]:
        """Return which routes carry one of ``forms`` from one of ``exporters`` to one of ``importers``."""
        ends = np.isin(self.origin, exporters) & np.isin(self.target, importers)
        return np.asarray(ends & np.isin(self.form, forms))

    def detour(self, passage: str) -> tuple[NDArray[np.bool_], Floats]:
        """Return which routes use a passage and the extra days when it is closed (``inf``: no way round)."""
        from evernormal.network.transit import passages, transit_days  # noqa: PLC0415 - reads a table

        hit = np.zeros(len(self.base), dtype=bool)
        extra = np.zeros(len(self.base))
        for a, (exporter, importer) in enumerate(self.names):
            if passage in passages(exporter, importer):
                hit[a] = True
                extra[a] = transit_days(exporter, importer, closed=(passage,)) - transit_days(
                    exporter, importer
                )
        return hit, extra


def routes_of(network: Network, new_route_size: float) -> Routes:
    """Return the base arcs of a network followed by the routes that a shock could open.

    A new route's reference size is ``new_route_size`` times the smaller of the exporter's exports and the
    importer's imports of the form.
    """
    exports, imports = network.exports(), network.imports()
    present = set(
        zip(network.flow_from.tolist(), network.flow_to.tolist(), network.flow_form.tolist(), strict=True)
    )
    candidates: list[tuple[int, int, int]] = []
    for g in range(len(network.forms)):
        sellers = _largest(exports[:, g])
        buyers = _largest(imports[:, g])
        focal = network.focal_index
        pairs = {
            (i, focal) for i in np.flatnonzero(exports[:, g] > OPENING_SHARE * exports[:, g].sum()).tolist()
        }
        pairs |= {(i, j) for i in sellers for j in buyers}
        if imports[focal, g] + network.production[focal, g] <= 0:
            pairs = {(i, j) for i, j in pairs if j != focal}
        candidates += [(i, j, g) for i, j in sorted(pairs) if i != j and (i, j, g) not in present]
    new = np.array(candidates, dtype=np.int64).reshape(-1, 3)
    size = new_route_size * np.minimum(exports[new[:, 0], new[:, 2]], imports[new[:, 1], new[:, 2]]) / 12
    keep = size > 0
    new, size = new[keep], size[keep]
    origin = np.concatenate([network.flow_from, new[:, 0]])
    target = np.concatenate([network.flow_to, new[:, 1]])
    base = network.flow / 12
    names = tuple((network.regions[i], network.regions[j]) for i, j in zip(origin, target, strict=True))
    return Routes(
        origin,
        target,
        np.concatenate([network.flow_form, new[:, 2]]),
        np.concatenate([base, np.zeros(len(new))]),
        np.concatenate([base, size]),
        np.concatenate([network.transit_days, _transit(network, new)]),
        names,
    )


def _largest(totals: Floats) -> list[int]:
    order = np.argsort(-totals, kind="stable")[:OPENING_PARTNERS]
    return [int(r) for r in order if totals[r] > OPENING_SHARE * totals.sum()]


def _transit(network: Network, new: Integers) -> Floats:
    from evernormal.network.transit import transit_days  # noqa: PLC0415 - reads a table

    days = [float(transit_days(network.regions[i], network.regions[j])) for i, j, _ in new.tolist()]
    return np.array(days, dtype=float)
