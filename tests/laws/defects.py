"""Believable defects: each takes a function and returns one that is wrong in one way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evernormal.errors import UnitError
from evernormal.network.network import Network
from evernormal.result import Result


def with_table(result: Result, name: str, table: pl.DataFrame) -> Result:
    """Return the result with one table exchanged."""
    return replace(result, tables={**result.tables, name: table})


def after(change: Callable[[Result], Result]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Change what a function returns."""
    return lambda original: lambda *args, **kwargs: change(original(*args, **kwargs))


def scaled(table: str, column: str, factor: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Multiply one column of one table of the returned result."""
    return after(lambda r: with_table(r, table, r[table].with_columns(pl.col(column) * factor)))


def drifting(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that carries state from call to call, as an unseeded generator would."""
    calls = [0]

    def drift(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        result = original(*args, **kwargs)
        flows = result["flows"].with_columns(pl.col("quantity") * (1 + 1e-12 * calls[0]))
        return with_table(result, "flows", flows)

    return drift


def by_position(original: Callable[..., Any]) -> Callable[..., Any]:
    """Freight rows joined by position after a sort: labels are lost."""

    def mixed(*args: Any, **kwargs: Any) -> Any:
        freight = np.asarray(kwargs["freight"])
        kwargs["freight"] = freight[np.argsort(freight.sum(axis=1), kind="stable")]
        return original(*args, **kwargs)

    return mixed


def inverted_tariff(original: Callable[..., Any]) -> Callable[..., Any]:
    """A tariff whose sign is wrong."""

    def inverted(*args: Any, tariff: Any = None, **kwargs: Any) -> Any:
        return original(*args, tariff=None if tariff is None else -np.asarray(tariff), **kwargs)

    return inverted


def absolute_tolerance(original: Callable[..., Any]) -> Callable[..., Any]:
    """A result rounded to a fixed number of tonnes, whatever the unit."""
    return after(lambda r: with_table(r, "demand", r["demand"].with_columns(pl.col("quantity").round(0))))(
        original
    )


def nothing(_: Callable[..., Any]) -> Callable[..., Any]:
    """A check that checks nothing."""
    return lambda *args, **kwargs: None


def always(value: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that gives one answer to everything."""
    return lambda original: lambda *args, **kwargs: value


def loses(column: str, share: float = 0.01) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The world table of a simulation loses a share of one column."""
    return scaled("regions", column, 1.0 - share)


def backwards(original: Callable[..., Any]) -> Callable[..., Any]:
    """A plant that has already slowed down can still stop altogether: together they run below zero."""

    def idle(self: Any, base: Any, value: Any, running: Any) -> Any:
        block = original(self, base, value, running)
        return replace(block, upper=np.ones_like(block.upper))

    return idle


def zero_for_unknown(original: Callable[..., Any]) -> Callable[..., Any]:
    """Unknown prices become 0."""
    change = pl.col("price_ratio").fill_null(0.0)
    return after(lambda r: with_table(r, "regions", r["regions"].with_columns(change)))(original)


def off_base(original: Callable[..., Any]) -> Callable[..., Any]:
    """A use curve that misses the base point: the marginal benefit starts one per cent too low."""

    def shifted(*args: Any, **kwargs: Any) -> Any:
        curve = original(*args, **kwargs)
        return replace(curve, start=curve.start - 0.01)

    return shifted


def foreseen(_: Callable[..., Any]) -> Callable[..., Any]:
    """Every measure is known from the first month on."""
    return lambda measure, calendar, month: measure


def seed_ignored(original: Callable[..., Any]) -> Callable[..., Any]:
    """The seed that was asked for is not the seed that is used."""
    return lambda *args, **kwargs: original(*args, **{**kwargs, "seed": 7})


def unseeded(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draws come from a generator that nobody seeded."""
    return lambda *args, **kwargs: original(
        *args, **{**kwargs, "seed": int(np.random.default_rng().integers(1 << 31))}
    )


def depends_on_process(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draws made in this process differ from those made in a worker."""

    def changed(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        return replace(outcome, imports=outcome.imports * 1.001)

    return changed


def remembering(original: Callable[..., Any]) -> Callable[..., Any]:
    """A worker starts from where it stopped, so that a draw depends on the one before."""

    def run_from(self: Any, first: int, points: Any, atlas: Any) -> Any:
        last = getattr(self, "last", None) or atlas
        batch, standing = original(self, first, points, last)
        self.last = replace(atlas, points=points[-1:], standing=standing[-1:])
        return batch, standing

    return run_from


def first_row(_: Callable[..., Any]) -> Any:
    """The focal region is taken by its place in the table instead of its label."""
    return property(lambda self: 3)


def last_word(_: Callable[..., Any]) -> Callable[..., Any]:
    """Of several measures only the last one of the file counts."""
    return lambda scenario: (scenario.measures[-1].resolved(scenario.focal, scenario.form),)


def by_name(original: Callable[..., Any]) -> Callable[..., Any]:
    """What a region is called changes what happens to it."""

    def named(network: Network, *args: Any, **kwargs: Any) -> Any:
        result = original(network, *args, **kwargs)
        factor = 0.9 if "CHN" in network.regions else 1.0
        return scaled("supply", "imports_t", factor)(lambda: result)()

    return named


def file_order(_: Callable[..., Any]) -> Callable[..., Any]:
    """Measures take their draws in the order of the file."""
    return lambda scenario: tuple(m.resolved(scenario.focal, scenario.form) for m in scenario.measures)


def turned_hardness(name: str, turn: Callable[[float], float]) -> Callable[..., Any]:
    """One hardness means its opposite."""

    def change(original: Callable[..., Any]) -> Callable[..., Any]:
        def turned(scenario: Any, policies: bool) -> Any:
            return tuple(
                replace(act, hardness={k: turn(v) if k == name else v for k, v in act.hardness.items()})
                for act in original(scenario, policies)
            )

        return turned

    return change


def stock_taken(original: Callable[..., Any]) -> Callable[..., Any]:
    """A release takes from the market what it should put on it."""

    def taken(*args: Any, **kwargs: Any) -> Any:
        acts, findings = original(*args, **kwargs)
        return replace(acts, added=-acts.added), findings

    return taken


def no_source(original: Callable[..., Any]) -> Callable[..., Any]:
    """The third row of every table has lost its source."""

    def lost(path: Path) -> Any:
        rows = original(path)
        return [{**row, "source": ""} if n == 2 else row for n, row in enumerate(rows)]

    return lost


def certain(original: Callable[..., Any]) -> Callable[..., Any]:
    """Assumptions do not say that they are assumptions."""
    return lambda path: [
        {**row, "source": row["source"].replace("assumption", "figure")} for row in original(path)
    ]


def short_kilograms(original: Callable[..., Any]) -> Callable[..., Any]:
    """A kilogram of 999 grams, on the way there only."""
    return lambda value, source, target: original(value, source, target) * (0.999 if target == "kg" else 1.0)


def one_way(original: Callable[..., Any]) -> Callable[..., Any]:
    """A factor that is used on the way to an oxide but forgotten on the way back."""
    return lambda value, source, target, element="": (
        value if "O" in source else original(value, source, target, element)
    )


def mixing(original: Callable[..., Any]) -> Callable[..., Any]:
    """A basis of another element counts tonne for tonne."""

    def mixed(value: float, source: str, target: str, element: str = "") -> Any:
        try:
            return original(value, source, target, element)
        except UnitError:
            return value

    return mixed


class Everything(dict[str, Any]):
    """A table that has every name."""

    def __contains__(self, name: object) -> bool:
        return True


def with_folder(test: Callable[[Path], None]) -> Callable[[], None]:
    """Call a test that needs a folder."""

    def guard() -> None:
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))

    return guard
