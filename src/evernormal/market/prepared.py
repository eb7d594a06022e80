"""What stays while parameters and measures change: a network prepared once and solved many times.

A draw changes numbers, not the picture: who trades with whom, which balances there are and where each term of
a balance stands in the matrix stay.  A :class:`Prepared` network holds all of that, so that a draw fills in
vectors only.  It may be used for any number of runs, one after the other, and carries nothing from one run to
the next that could change a number (law 6): everything kept is a function of its key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from evernormal.market.cells import active_cells, processors, producers
from evernormal.market.routes import Routes, routes_of
from evernormal.network.network import Network

__all__ = ["Prepared"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
T = TypeVar("T")

MOST_KEPT = 64
"""Results kept of one kind: what a drawn delay would make new in every draw does not pile up."""


class Prepared:
    """One network with everything that no draw changes.

    Attributes:
        network: the network.
        throughput: (R, G) tonnes per month that come in.
        active: (R, G) cells that take part.
        cell_index: (R, G) number of an active cell, -1 for others.
        row_scale: (cells,) throughput of the active cells, tonnes per month.
        price: (R, G) base price; the world's where a region has none.
        money: USD that count as one in the scaled objective.
        producers: region and form index of every production.
        processors: conversion, region, source and target form index of every conversion that runs.
        holders: region and form index of every commercial stock.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.throughput = network.throughput() / 12
        self.active = active_cells(network)
        numbers = np.cumsum(self.active.reshape(-1)).reshape(self.throughput.shape) - 1
        self.cell_index: Integers = np.where(self.active, numbers, -1)
        self.row_scale: Floats = self.throughput[self.active]
        self.price, self.money = self._prices()
        self.producers = producers(network)
        self.processors = self._conversions()
        self.holders: tuple[Integers, Integers] = cast(
            "tuple[Integers, Integers]", np.nonzero((network.commercial_stock > 0) & self.active)
        )
        self._kept: dict[str, dict[Hashable, Any]] = {}

    def _prices(self) -> tuple[Floats, float]:
        network, throughput = self.network, self.throughput
        trade = np.array([throughput[:, g].sum() for g in range(len(network.forms))])
        weight = np.divide(
            (network.price * throughput).sum(axis=0), trade, out=np.ones_like(trade), where=trade > 0
        )
        form = network.form_index(network.form)
        money = float(weight[form] * trade[form]) / max(len(network.regions), 1)
        return np.where(network.price > 0, network.price, weight), money

    def _conversions(self) -> tuple[Integers, Integers, Integers, Integers]:
        c, r = processors(self.network)
        steps, index = self.network.conversions, self.network.form_index
        source = np.array([index(steps[k].source) for k in c], dtype=np.int64)
        target = np.array([index(steps[k].target) for k in c], dtype=np.int64)
        return c, r, source, target

    def kept(self, kind: str, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, made once per key; the oldest goes when too many are kept."""
        shelf = self._kept.setdefault(kind, {})
        if key not in shelf:
            if len(shelf) >= MOST_KEPT:
                shelf.pop(next(iter(shelf)))
            shelf[key] = make()
        return cast("T", shelf[key])

    def routes(self, new_route_size: float) -> Routes:
        """Return :func:`evernormal.market.routes.routes_of` of the network; only the sizes are computed."""
        unit = self.kept("routes", 0, lambda: routes_of(self.network, 1.0))
        reference = np.where(unit.base > 0, unit.base, unit.reference * new_route_size)
        values = {item.name: getattr(unit, item.name) for item in fields(Routes)}
        return _KnownRoutes(**{**values, "reference": reference}).of(self)


class _KnownRoutes(Routes):
    """Routes whose look-ups are made once per network."""

    _prepared: Prepared

    def of(self, prepared: Prepared) -> _KnownRoutes:
        object.__setattr__(self, "_prepared", prepared)
        return self

    def detour(self, passage: str) -> tuple[Booleans, Floats]:
        """Return what :meth:`Routes.detour` returns."""
        return self._prepared.kept("detours", passage, lambda: super(_KnownRoutes, self).detour(passage))

    def links(
        self, exporters: tuple[int, ...], importers: tuple[int, ...], forms: tuple[int, ...]
    ) -> Booleans:
        """Return what :meth:`Routes.links` returns."""
        key = (exporters, importers, forms)
        return self._prepared.kept(
            "links", key, lambda: super(_KnownRoutes, self).links(exporters, importers, forms)
        )
