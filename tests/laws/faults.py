"""Planted faults: for each law, a way to be wrong, and the guards that must then fail.

A fault replaces a public function, or a part below it, by one that has a believable defect.  ``guard`` is the
very test that guards the law, so that ``test_faults.py`` finds out a guard that cannot fail.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from . import (
    defects,
    test_ensemble_laws,
    test_harder_is_not_better,
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


SPATIAL = "evernormal.market.spatial.spatial_equilibrium"
SIMULATE = "evernormal.market.simulate"
NETWORK = "evernormal.network.network.Network"
RUN = "evernormal.market.run"
SCENARIO = "evernormal.network.scenario.Scenario"
market, picture, months = test_textbook_market, test_network_laws, test_simulation_laws
shipped, inputs, harder = test_shipped_numbers, test_input_laws, test_harder_is_not_better
PARAMETERS = next(path for path in shipped.TABLES if path.name == "parameters.csv")


def _ban_is_checked() -> None:
    months.test_a_bad_measure_is_named_with_the_nearest_right_value({"severity": -0.2}, "severity")


def _fault(law: int, name: str, target: str, change: Callable[..., Any], guard: Callable[..., None]) -> Fault:
    return Fault(law, name, wrapped(target, change), guard)


FAULTS: list[Fault] = [
    _fault(
        1,
        "flows-lose-one-per-cent",
        SPATIAL,
        defects.scaled("flows", "quantity", 0.99),
        market.test_market_clears,
    ),
    _fault(
        1,
        "prices-off-by-one-per-cent",
        SPATIAL,
        defects.scaled("prices", "price", 1.01),
        market.test_no_profitable_shipment_is_left,
    ),
    _fault(
        1,
        "exports-are-forgotten",
        f"{NETWORK}.exports",
        lambda original: lambda self: original(self) * 0,
        picture.test_base_picture_closes,
    ),
    _fault(
        1,
        "picture-is-not-checked",
        f"{NETWORK}.require_balance",
        defects.nothing,
        picture.test_a_picture_that_does_not_close_is_refused,
    ),
    _fault(
        1,
        "output-loses-one-per-cent",
        f"{SIMULATE}.simulate",
        defects.loses("production_t"),
        months.test_every_month_balances,
    ),
    _fault(
        1,
        "stock-evaporates",
        f"{SIMULATE}.simulate",
        defects.loses("stock_t", 1e-3),
        months.test_every_month_balances,
    ),
    _fault(
        1,
        "refining-loses-one-per-cent",
        f"{SIMULATE}.simulate",
        defects.loses("exports_t"),
        months.test_every_month_balances_along_the_chain,
    ),
    _fault(
        1,
        "suppliers-do-not-add-up",
        f"{SIMULATE}.simulate",
        defects.scaled("imports", "imports_t", 1.01),
        months.test_tables_tell_one_story,
    ),
    _fault(
        1,
        "stopped-plants-run-backwards",
        "evernormal.market.program._Assembly._idle",
        defects.backwards,
        months.test_nothing_is_negative,
    ),
    _fault(
        2,
        "not-a-number-is-let-in",
        f"{NETWORK}._check",
        defects.nothing,
        picture.test_unknown_cannot_enter_as_a_number,
    ),
    _fault(
        2,
        "unknown-price-becomes-zero",
        f"{SIMULATE}.simulate",
        defects.zero_for_unknown,
        months.test_an_unknown_price_does_not_become_zero,
    ),
    _fault(3, "shapes-are-not-checked", f"{NETWORK}._check", defects.nothing, picture.test_labels_must_fit),
    _fault(
        3,
        "focal-and-form-are-not-compared",
        f"{SIMULATE}._require_same",
        defects.nothing,
        months.test_network_and_scenario_must_speak_of_the_same,
    ),
    _fault(
        4,
        "units-are-not-required",
        "evernormal.result.Result._require_units",
        defects.nothing,
        picture.test_a_number_without_unit_is_refused,
    ),
    _fault(
        4,
        "kilograms-are-short",
        "evernormal.units.convert",
        defects.short_kilograms,
        inputs.test_a_mass_comes_back,
    ),
    _fault(
        4,
        "oxide-one-way-only",
        "evernormal.units.convert_basis",
        defects.one_way,
        inputs.test_a_basis_comes_back,
    ),
    _fault(
        4,
        "elements-mix",
        "evernormal.units.convert_basis",
        defects.mixing,
        inputs.test_bases_of_two_elements_do_not_mix,
    ),
    _fault(
        5,
        "curve-misses-the-base-point",
        "evernormal.market.program.use_curve",
        defects.off_base,
        months.test_no_measure_no_change,
    ),
    _fault(
        5,
        "imports-drift",
        f"{SIMULATE}.simulate",
        defects.scaled("supply", "imports_t", 1.001),
        months.test_a_measure_of_no_hardness_changes_nothing,
    ),
    _fault(5, "measures-are-foreseen", f"{RUN}.known_in", defects.foreseen, months.test_nobody_foresees),
    _fault(6, "state-between-calls", SPATIAL, defects.drifting, market.test_same_market_same_bytes),
    _fault(
        6, "seed-is-ignored", f"{SIMULATE}.simulate", defects.seed_ignored, months.test_same_seed_same_bytes
    ),
    _fault(
        6, "draws-are-unseeded", f"{SIMULATE}.simulate", defects.unseeded, months.test_same_seed_same_bytes
    ),
    _fault(
        6,
        "workers-differ",
        "evernormal.market.draws.outcome_of",
        defects.depends_on_process,
        months.test_workers_do_not_change_a_byte,
    ),
    _fault(
        6,
        "a-worker-remembers-the-last-draw",
        "evernormal.market.batch.Kernel.run_from",
        defects.remembering,
        test_ensemble_laws.test_no_draw_remembers_another,
    ),
    _fault(
        6,
        "workers-of-an-ensemble-differ",
        "evernormal.market.batch.outcome_of",
        defects.depends_on_process,
        test_ensemble_laws.test_workers_of_an_ensemble_do_not_change_a_byte,
    ),
    _fault(
        7, "joined-by-position", SPATIAL, defects.by_position, market.test_order_of_regions_does_not_matter
    ),
    _fault(
        7,
        "rounded-to-whole-units",
        SPATIAL,
        defects.absolute_tolerance,
        market.test_unit_of_quantity_does_not_matter,
    ),
    _fault(
        7, "focal-by-place", f"{NETWORK}.focal_index", defects.first_row, months.test_order_does_not_matter
    ),
    _fault(
        7,
        "rounded-to-whole-tonnes",
        f"{SIMULATE}.simulate",
        defects.after(
            lambda r: defects.with_table(r, "supply", r["supply"].with_columns(pl.col("imports_t").round(0)))
        ),
        months.test_unit_scale_does_not_matter,
    ),
    _fault(7, "names-matter", f"{SIMULATE}.simulate", defects.by_name, months.test_names_do_not_matter),
    _fault(
        7,
        "last-measure-wins",
        f"{SCENARIO}.resolved_measures",
        defects.last_word,
        months.test_order_of_measures_does_not_matter,
    ),
    _fault(
        7,
        "draws-in-file-order",
        f"{SCENARIO}.resolved_measures",
        defects.file_order,
        months.test_order_of_measures_does_not_matter_to_the_draws,
    ),
    _fault(
        9,
        "tariff-has-the-wrong-sign",
        SPATIAL,
        defects.inverted_tariff,
        market.test_dearer_access_never_helps_the_importer,
    ),
    _fault(
        9,
        "ban-raises-supply",
        f"{SIMULATE}._central_acts",
        defects.turned_hardness("severity", lambda v: 1 - v),
        harder.test_harsher_ban_is_not_better,
    ),
    _fault(
        9,
        "ban-on-all-raises-supply",
        f"{SIMULATE}._central_acts",
        defects.turned_hardness("severity", lambda v: 1 - v),
        harder.test_harsher_ban_on_everyone_is_not_better,
    ),
    _fault(
        9,
        "delay-shortens",
        f"{SIMULATE}._central_acts",
        defects.turned_hardness("delay_days", lambda v: 180 - v),
        harder.test_slower_licence_is_not_better,
    ),
    _fault(
        9,
        "approval-refuses",
        f"{SIMULATE}._central_acts",
        defects.turned_hardness("approval_share", lambda v: 1 - v),
        harder.test_lower_approval_is_not_better,
    ),
    _fault(
        9,
        "slow-approval-hurries",
        f"{SIMULATE}._central_acts",
        defects.turned_hardness("approval_months", lambda v: 12 - v),
        harder.test_slower_approval_is_not_better,
    ),
    _fault(
        9,
        "release-takes",
        f"{RUN}.acts_of",
        defects.stock_taken,
        harder.test_more_released_stock_is_not_worse,
    ),
    _fault(
        10,
        "source-is-lost",
        f"{shipped.__name__}.rows_of",
        defects.no_source,
        lambda: shipped.test_every_shipped_row_has_its_source(PARAMETERS),
    ),
    _fault(
        10,
        "assumption-is-hidden",
        f"{shipped.__name__}.rows_of",
        defects.certain,
        lambda: shipped.test_every_shipped_row_has_its_source(PARAMETERS),
    ),
    _fault(
        10,
        "row-check-is-blind",
        f"{shipped.__name__}.problems_of_row",
        defects.always([]),
        inputs.test_a_lost_source_is_seen,
    ),
    _fault(
        12,
        "hash-is-not-checked",
        "evernormal.result.sha256_of",
        defects.always("0" * 64),
        defects.with_folder(picture.test_tampering_with_a_saved_result_is_seen),
    ),
    _fault(
        12,
        "negative-severity-is-let-in",
        "evernormal.network.uncertain.Within._check",
        defects.nothing,
        _ban_is_checked,
    ),
    _fault(
        12,
        "any-severity-is-let-in",
        "evernormal.network.uncertain.Within._check",
        defects.nothing,
        inputs.test_an_impossible_severity_is_refused,
    ),
    _fault(
        12,
        "nearest-finds-nothing",
        "evernormal.errors.nearest",
        defects.always([]),
        inputs.test_a_misspelt_form_is_answered_with_the_nearest,
    ),
    _fault(
        12,
        "any-three-letters-are-a-country",
        "evernormal.network.known._countries",
        defects.always(defects.Everything()),
        inputs.test_only_countries_are_countries,
    ),
]

BY_LAW: Mapping[int, list[Fault]] = {
    law: [fault for fault in FAULTS if fault.law == law] for law in sorted({fault.law for fault in FAULTS})
}
