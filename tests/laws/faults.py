"""Planted faults: for each law, a way to be wrong, and the guards that must then fail.

A fault replaces a public function, or a part below it, by one that has a believable defect.  ``guard`` is the
very test that guards the law, so that ``test_faults.py`` finds out a guard that cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from evernormal.network.network import Network
from evernormal.result import Result

from . import test_network_laws, test_textbook_market

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """One planted defect.

    Attributes:
        law: the number of the law that it breaks.
        name: what is wrong, in a few words joined by hyphens.
        plant: puts the defect in place for the life of the monkeypatch.
        guard: the test that must fail.
    """

    law: int
    name: str
    plant: Plant
    guard: Callable[..., None]

    def __str__(self) -> str:
        return f"law-{self.law}-{self.name}"


def wrapped(target: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Plant:
    """Return a plant that replaces ``target`` (a dotted name) by ``change(original)``."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        module, _, name = target.rpartition(".")
        owner = pytest.importorskip(module) if not module.endswith("Network") else Network
        patch.setattr(owner, name, change(getattr(owner, name)))

    return plant


def with_table(result: Result, name: str, table: pl.DataFrame) -> Result:
    """Return the result with one table exchanged."""
    return replace(result, tables={**result.tables, name: table})


def _after(change: Callable[[Result], Result]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Change what a function returns."""
    return lambda original: lambda *args, **kwargs: change(original(*args, **kwargs))


def _scaled(table: str, column: str, factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Multiply one column of one table of the returned result."""
    return _after(lambda r: with_table(r, table, r[table].with_columns(pl.col(column) * factor)))


def _drifting(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that carries state from call to call, as an unseeded generator would."""
    calls = [0]

    def drift(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        result = original(*args, **kwargs)
        flows = result["flows"].with_columns(pl.col("quantity") * (1 + 1e-12 * calls[0]))
        return with_table(result, "flows", flows)

    return drift


def _by_position(original: Callable[..., Any]) -> Callable[..., Any]:
    """Freight rows joined by position after a sort: labels are lost."""

    def mixed(*args: Any, **kwargs: Any) -> Any:
        freight = np.asarray(kwargs["freight"])
        kwargs["freight"] = freight[np.argsort(freight.sum(axis=1), kind="stable")]
        return original(*args, **kwargs)

    return mixed


def _inverted_tariff(original: Callable[..., Any]) -> Callable[..., Any]:
    """A tariff whose sign is wrong."""

    def inverted(*args: Any, tariff: Any = None, **kwargs: Any) -> Any:
        return original(*args, tariff=None if tariff is None else -np.asarray(tariff), **kwargs)

    return inverted


def _absolute_tolerance(original: Callable[..., Any]) -> Callable[..., Any]:
    """A result rounded to a fixed number of tonnes, whatever the unit."""
    return _after(lambda r: with_table(r, "demand", r["demand"].with_columns(pl.col("quantity").round(0))))(
        original
    )


SPATIAL = "evernormal.market.spatial.spatial_equilibrium"
NETWORK = "evernormal.network.network.Network"

market, picture = test_textbook_market, test_network_laws

FAULTS: list[Fault] = [
    Fault(
        1,
        "flows-lose-one-per-cent",
        wrapped(SPATIAL, _scaled("flows", "quantity", 0.99)),
        market.test_market_clears,
    ),
    Fault(
        1,
        "prices-off-by-one-per-cent",
        wrapped(SPATIAL, _scaled("prices", "price", 1.01)),
        market.test_no_profitable_shipment_is_left,
    ),
    Fault(
        1,
        "exports-are-forgotten",
        wrapped(f"{NETWORK}.exports", lambda original: lambda self: original(self) * 0),
        picture.test_base_picture_closes,
    ),
    Fault(
        1,
        "balance-is-not-checked",
        wrapped(f"{NETWORK}.require_balance", lambda _: lambda self, tolerance=0: None),
        picture.test_a_picture_that_does_not_close_is_refused,
    ),
    Fault(
        2,
        "not-a-number-is-let-in",
        wrapped(f"{NETWORK}._check", lambda _: lambda self, name, shape: None),
        picture.test_unknown_cannot_enter_as_a_number,
    ),
    Fault(
        3,
        "shapes-are-not-checked",
        wrapped(f"{NETWORK}._check", lambda _: lambda self, name, shape: None),
        picture.test_labels_must_fit,
    ),
    Fault(6, "state-between-calls", wrapped(SPATIAL, _drifting), market.test_same_market_same_bytes),
    Fault(
        7, "joined-by-position", wrapped(SPATIAL, _by_position), market.test_order_of_regions_does_not_matter
    ),
    Fault(
        7,
        "rounded-to-whole-units",
        wrapped(SPATIAL, _absolute_tolerance),
        market.test_unit_of_quantity_does_not_matter,
    ),
    Fault(
        9,
        "tariff-has-the-wrong-sign",
        wrapped(SPATIAL, _inverted_tariff),
        market.test_dearer_access_never_helps_the_importer,
    ),
]

BY_LAW: Mapping[int, list[Fault]] = {
    law: [fault for fault in FAULTS if fault.law == law] for law in sorted({fault.law for fault in FAULTS})
}
