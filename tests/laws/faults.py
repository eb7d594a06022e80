"""Planted faults: for each law, a way to be wrong, and the guards that must then fail.

A fault replaces a public function, or a part below it, by one that has a believable defect.  ``guard`` is the
very test that guards the law, so that ``test_faults.py`` finds out a guard that cannot fail.
"""

from __future__ import annotations

import pkgutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evernormal.errors import UnitError
from evernormal.network.network import Network
from evernormal.result import Result

from . import (
    test_input_laws,
    test_network_laws,
    test_shipped_numbers,
    test_simulation_laws,
    test_textbook_market,
)

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
        owner_name, _, name = target.rpartition(".")
        owner: Any = pkgutil.resolve_name(owner_name)
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


def _nothing(_: Callable[..., Any]) -> Callable[..., Any]:
    """A check that checks nothing."""
    return lambda *args, **kwargs: None


def _always(value: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that gives one answer to everything."""
    return lambda original: lambda *args, **kwargs: value


def _loses(column: str, share: float = 0.01) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The world table of a simulation loses a share of one column."""
    return _scaled("regions", column, 1.0 - share)


def _backwards(original: Callable[..., Any]) -> Callable[..., Any]:
    """A plant that has already slowed down can still stop altogether: together they run below zero."""

    def idle(self: Any, base: Any, value: Any, running: Any) -> Any:
        block = original(self, base, value, running)
        return replace(block, upper=np.ones_like(block.upper))

    return idle


def _zero_for_unknown(original: Callable[..., Any]) -> Callable[..., Any]:
    """Unknown prices become 0."""
    change = pl.col("price_ratio").fill_null(0.0)
    return _after(lambda r: with_table(r, "regions", r["regions"].with_columns(change)))(original)


def _off_base(original: Callable[..., Any]) -> Callable[..., Any]:
    """A use curve that misses the base point: the marginal benefit starts one per cent too low."""

    def shifted(*args: Any, **kwargs: Any) -> Any:
        curve = original(*args, **kwargs)
        return replace(curve, start=curve.start - 0.01)

    return shifted


def _foreseen(_: Callable[..., Any]) -> Callable[..., Any]:
    """Every measure is known from the first month on."""
    return lambda measure, calendar, month: measure


def _seed_ignored(original: Callable[..., Any]) -> Callable[..., Any]:
    """The seed that was asked for is not the seed that is used."""
    return lambda network, scenario, count, seed, *rest: original(network, scenario, count, 7, *rest)


def _unseeded(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draws come from a generator that nobody seeded."""
    return lambda scenario, seed, fixed: original(scenario, np.random.SeedSequence(), fixed)


def _depends_on_process(original: Callable[..., Any]) -> Callable[..., Any]:
    """Draws made in this process differ from those made in a worker."""

    def changed(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        return replace(outcome, imports=outcome.imports * (1 + 1e-9))

    return changed


def _first_row(_: Callable[..., Any]) -> Any:
    """The focal region is taken by its place in the table instead of its label."""
    return property(lambda self: 3)


def _last_word(_: Callable[..., Any]) -> Callable[..., Any]:
    """Of several measures only the last one of the file counts."""
    return lambda scenario, policies: [scenario.measures[-1].resolved(scenario.focal, scenario.form)]


def _by_name(original: Callable[..., Any]) -> Callable[..., Any]:
    """What a region is called changes what happens to it."""

    def named(network: Network, *args: Any, **kwargs: Any) -> Any:
        result = original(network, *args, **kwargs)
        factor = 0.9 if "CHN" in network.regions else 1.0
        return _scaled("supply", "imports_t", factor)(lambda: result)()

    return named


def _file_order(_: Callable[..., Any]) -> Callable[..., Any]:
    """Measures take their draws in the order of the file."""

    def unsorted(scenario: Any, policies: bool) -> Any:
        chosen = (*scenario.measures, *scenario.policies) if policies else scenario.measures
        return [measure.resolved(scenario.focal, scenario.form) for measure in chosen]

    return unsorted


def _turned_hardness(name: str, turn: Callable[[float], float]) -> Callable[..., Any]:
    """One hardness means its opposite."""

    def change(original: Callable[..., Any]) -> Callable[..., Any]:
        def turned(scenario: Any, policies: bool) -> Any:
            return tuple(
                replace(act, hardness={k: turn(v) if k == name else v for k, v in act.hardness.items()})
                for act in original(scenario, policies)
            )

        return turned

    return change


def _stock_taken(original: Callable[..., Any]) -> Callable[..., Any]:
    """A release takes from the market what it should put on it."""

    def taken(*args: Any, **kwargs: Any) -> Any:
        acts, findings = original(*args, **kwargs)
        return replace(acts, added=-acts.added), findings

    return taken


def _no_source(original: Callable[..., Any]) -> Callable[..., Any]:
    """The third row of every table has lost its source."""

    def lost(path: Path) -> Any:
        rows = original(path)
        return [{**row, "source": ""} if n == 2 else row for n, row in enumerate(rows)]

    return lost


def _certain(original: Callable[..., Any]) -> Callable[..., Any]:
    """Assumptions do not say that they are assumptions."""
    return lambda path: [
        {**row, "source": row["source"].replace("assumption", "figure")} for row in original(path)
    ]


def _short_kilograms(original: Callable[..., Any]) -> Callable[..., Any]:
    """A kilogram of 999 grams, on the way there only."""
    return lambda value, source, target: original(value, source, target) * (0.999 if target == "kg" else 1.0)


def _one_way(original: Callable[..., Any]) -> Callable[..., Any]:
    """A factor that is used on the way to an oxide but forgotten on the way back."""
    return lambda value, source, target, element="": (
        value if "O" in source else original(value, source, target, element)
    )


def _mixing(original: Callable[..., Any]) -> Callable[..., Any]:
    """A basis of another element counts tonne for tonne."""

    def mixed(value: float, source: str, target: str, element: str = "") -> Any:
        try:
            return original(value, source, target, element)
        except UnitError:
            return value

    return mixed


class _Everything(dict[str, Any]):
    """A table that has every name."""

    def __contains__(self, name: object) -> bool:
        return True


def with_folder(test: Callable[[Path], None]) -> Callable[[], None]:
    """Call a test that needs a folder."""

    def guard() -> None:
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))

    return guard


SPATIAL = "evernormal.market.spatial.spatial_equilibrium"
SIMULATE = "evernormal.market.simulate"
NETWORK = "evernormal.network.network.Network"
RUN = "evernormal.market.run"
market, picture, months = test_textbook_market, test_network_laws, test_simulation_laws
shipped, inputs = test_shipped_numbers, test_input_laws
PARAMETERS = next(path for path in shipped.TABLES if path.name == "parameters.csv")


def _ban_is_checked() -> None:
    months.test_a_bad_measure_is_named_with_the_nearest_right_value({"severity": -0.2}, "severity")


def _fault(law: int, name: str, target: str, change: Callable[..., Any], guard: Callable[..., None]) -> Fault:
    return Fault(law, name, wrapped(target, change), guard)


FAULTS: list[Fault] = [
    _fault(1, "flows-lose-one-per-cent", SPATIAL, _scaled("flows", "quantity", 0.99),
           market.test_market_clears),
    _fault(1, "prices-off-by-one-per-cent", SPATIAL, _scaled("prices", "price", 1.01),
           market.test_no_profitable_shipment_is_left),
    _fault(1, "exports-are-forgotten", f"{NETWORK}.exports", lambda original: lambda self: original(self) * 0,
           picture.test_base_picture_closes),
    _fault(1, "picture-is-not-checked", f"{NETWORK}.require_balance", _nothing,
           picture.test_a_picture_that_does_not_close_is_refused),
    _fault(1, "output-loses-one-per-cent", f"{SIMULATE}.simulate", _loses("production_t"),
           months.test_every_month_balances),
    _fault(1, "stock-evaporates", f"{SIMULATE}.simulate", _loses("stock_t", 1e-3),
           months.test_every_month_balances),
    _fault(1, "refining-loses-one-per-cent", f"{SIMULATE}.simulate", _loses("exports_t"),
           months.test_every_month_balances_along_the_chain),
    _fault(1, "suppliers-do-not-add-up", f"{SIMULATE}.simulate", _scaled("imports", "imports_t", 1.01),
           months.test_tables_tell_one_story),
    _fault(1, "stopped-plants-run-backwards", "evernormal.market.program._Assembly._idle", _backwards,
           months.test_nothing_is_negative),
    _fault(2, "not-a-number-is-let-in", f"{NETWORK}._check", _nothing,
           picture.test_unknown_cannot_enter_as_a_number),
    _fault(2, "unknown-price-becomes-zero", f"{SIMULATE}.simulate", _zero_for_unknown,
           months.test_an_unknown_price_does_not_become_zero),
    _fault(3, "shapes-are-not-checked", f"{NETWORK}._check", _nothing, picture.test_labels_must_fit),
    _fault(3, "focal-and-form-are-not-compared", f"{SIMULATE}._require_same", _nothing,
           months.test_network_and_scenario_must_speak_of_the_same),
    _fault(4, "units-are-not-required", "evernormal.result.Result._require_units", _nothing,
           picture.test_a_number_without_unit_is_refused),
    _fault(4, "kilograms-are-short", "evernormal.units.convert", _short_kilograms,
           inputs.test_a_mass_comes_back),
    _fault(4, "oxide-one-way-only", "evernormal.units.convert_basis", _one_way,
           inputs.test_a_basis_comes_back),
    _fault(4, "elements-mix", "evernormal.units.convert_basis", _mixing,
           inputs.test_bases_of_two_elements_do_not_mix),
    _fault(5, "curve-misses-the-base-point", "evernormal.market.program.use_curve", _off_base,
           months.test_no_measure_no_change),
    _fault(5, "imports-drift", f"{SIMULATE}.simulate", _scaled("supply", "imports_t", 1.001),
           months.test_a_measure_of_no_hardness_changes_nothing),
    _fault(5, "measures-are-foreseen", f"{RUN}.known_in", _foreseen, months.test_nobody_foresees),
    _fault(6, "state-between-calls", SPATIAL, _drifting, market.test_same_market_same_bytes),
    _fault(6, "seed-is-ignored", f"{SIMULATE}._draws", _seed_ignored, months.test_same_seed_same_bytes),
    _fault(6, "draws-are-unseeded", f"{SIMULATE}._draw", _unseeded, months.test_same_seed_same_bytes),
    _fault(6, "workers-differ", f"{SIMULATE}._outcome", _depends_on_process,
           months.test_workers_do_not_change_a_byte),
    _fault(7, "joined-by-position", SPATIAL, _by_position, market.test_order_of_regions_does_not_matter),
    _fault(7, "rounded-to-whole-units", SPATIAL, _absolute_tolerance,
           market.test_unit_of_quantity_does_not_matter),
    _fault(7, "focal-by-place", f"{NETWORK}.focal_index", _first_row, months.test_order_does_not_matter),
    _fault(7, "rounded-to-whole-tonnes", f"{SIMULATE}.simulate",
           _after(lambda r: with_table(r, "supply", r["supply"].with_columns(pl.col("imports_t").round(0)))),
           months.test_unit_scale_does_not_matter),
    _fault(7, "names-matter", f"{SIMULATE}.simulate", _by_name, months.test_names_do_not_matter),
    _fault(7, "last-measure-wins", f"{SIMULATE}._resolved", _last_word,
           months.test_order_of_measures_does_not_matter),
    _fault(7, "draws-in-file-order", f"{SIMULATE}._resolved", _file_order,
           months.test_order_of_measures_does_not_matter_to_the_draws),
    _fault(9, "tariff-has-the-wrong-sign", SPATIAL, _inverted_tariff,
           market.test_dearer_access_never_helps_the_importer),
    _fault(9, "ban-raises-supply", f"{SIMULATE}._central_acts", _turned_hardness("severity", lambda v: 1 - v),
           months.test_harsher_ban_is_not_better),
    _fault(9, "ban-on-all-raises-supply", f"{SIMULATE}._central_acts",
           _turned_hardness("severity", lambda v: 1 - v), months.test_harsher_ban_on_everyone_is_not_better),
    _fault(9, "delay-shortens", f"{SIMULATE}._central_acts",
           _turned_hardness("delay_days", lambda v: 180 - v), months.test_slower_licence_is_not_better),
    _fault(9, "approval-refuses", f"{SIMULATE}._central_acts",
           _turned_hardness("approval_share", lambda v: 1 - v), months.test_lower_approval_is_not_better),
    _fault(9, "release-takes", f"{RUN}.acts_of", _stock_taken, months.test_more_released_stock_is_not_worse),
    _fault(10, "source-is-lost", f"{shipped.__name__}.rows_of", _no_source,
           lambda: shipped.test_every_shipped_row_has_its_source(PARAMETERS)),
    _fault(10, "assumption-is-hidden", f"{shipped.__name__}.rows_of", _certain,
           lambda: shipped.test_every_shipped_row_has_its_source(PARAMETERS)),
    _fault(10, "row-check-is-blind", f"{shipped.__name__}.problems_of_row", _always([]),
           inputs.test_a_lost_source_is_seen),
    _fault(12, "hash-is-not-checked", "evernormal.result.sha256_of", _always("0" * 64),
           with_folder(picture.test_tampering_with_a_saved_result_is_seen)),
    _fault(12, "negative-severity-is-let-in", "evernormal.network.uncertain.Within._check", _nothing,
           _ban_is_checked),
    _fault(12, "any-severity-is-let-in", "evernormal.network.uncertain.Within._check", _nothing,
           inputs.test_an_impossible_severity_is_refused),
    _fault(12, "nearest-finds-nothing", "evernormal.errors.nearest", _always([]),
           inputs.test_a_misspelt_form_is_answered_with_the_nearest),
    _fault(12, "any-three-letters-are-a-country", "evernormal.network.known._countries", _always(_Everything()),
           inputs.test_only_countries_are_countries),
]  # fmt: skip

BY_LAW: Mapping[int, list[Fault]] = {
    law: [fault for fault in FAULTS if fault.law == law] for law in sorted({fault.law for fault in FAULTS})
}
