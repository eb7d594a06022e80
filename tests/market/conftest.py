"""A small balanced world with one seller that matters, one focal buyer and an alternative."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from evernormal.network.measures import KINDS, Measure
from evernormal.network.network import Conversion, EndUse, Network
from evernormal.network.scenario import Scenario, Uncertainty, Words
from evernormal.result import Parameter

FORM = "lithium/hydroxide"
ORE = "lithium/ore"


def known(name: str, value: float, low: float | None = None, high: float | None = None) -> Parameter:
    """A made-up parameter."""
    low, high = value if low is None else low, value if high is None else high
    return Parameter(name, value, low, high, "1", "C", "assumption: a made-up world for tests")


@pytest.fixture
def one_form() -> Network:
    """CHN and CHL sell to KOR and JPN; everything is tonnes contained per year."""
    regions = ("CHN", "CHL", "JPN", "KOR")
    arcs = {("CHN", "KOR"): 800.0, ("CHL", "KOR"): 200.0, ("CHN", "JPN"): 300.0, ("CHL", "JPN"): 150.0}
    index = {r: n for n, r in enumerate(regions)}
    use = np.array([[500.0], [10.0], [450.0], [1000.0]])
    production = np.array([[1600.0], [360.0], [0.0], [0.0]])
    end_uses = tuple(
        EndUse(
            FORM,
            name,
            name,
            korean,
            known("share", share),
            known("elasticity", -0.2, -0.1, -0.4),
            known("value_added", 1000.0, 500.0, 2000.0),
            known("substitutable", substitutable),
        )
        for name, korean, share, substitutable in (
            ("batteries", "이차전지", 0.8, 0.1),
            ("grease", "윤활유", 0.2, 0.5),
        )
    )
    stock = np.array([[0.0], [0.0], [450.0], [1000.0]]) / 12
    state = np.array([[0.0], [0.0], [0.0], [40.0]])
    network = Network(
        "KOR",
        FORM,
        2023,
        regions,
        (FORM,),
        production,
        use,
        (),
        np.zeros((0, 4)),
        np.array([index[i] for i, _ in arcs]),
        np.array([index[j] for _, j in arcs]),
        np.zeros(4, dtype=np.int64),
        np.array(list(arcs.values())),
        np.array([5.0, 45.0, 5.0, 45.0]),
        np.full((4, 1), 10_000.0),
        stock,
        state,
        end_uses,
    )
    network.require_balance()
    return network


@pytest.fixture
def two_stage() -> Network:
    """AUS mines, CHN and KOR refine, KOR uses; a recovery of 90 %."""
    regions = ("AUS", "CHN", "KOR")
    production = np.array([[2000.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    activity = np.array([[0.0, 1500.0, 400.0]])
    use = np.array([[100.0, 0.0], [0.0, 450.0], [0.0, 1260.0]])
    network = Network(
        "KOR",
        FORM,
        2023,
        regions,
        (ORE, FORM),
        production,
        use,
        (Conversion(ORE, FORM, known("recovery", 0.9)),),
        activity,
        np.array([0, 0, 1]),
        np.array([1, 2, 2]),
        np.array([0, 0, 1]),
        np.array([1500.0, 400.0, 900.0]),
        np.array([20.0, 25.0, 4.0]),
        np.array([[4000.0, 10_000.0]] * 3),
        np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 100.0]]),
        np.zeros((3, 2)),
    )
    network.require_balance()
    return network


@pytest.fixture
def act() -> Callable[..., Measure]:
    """Make a measure: ``act("ban", severity=1.0)`` is China's against the focal region for all of 2024."""

    def make(kind: str, **fields: Any) -> Measure:
        filled: dict[str, Any] = {"effective": date(2024, 1, 1), "ends": date(2025, 1, 1), **fields}
        if kind in {"ban", "quota", "licence", "inspection", "dumping"}:
            filled = {"by": "CHN", "against": ("focal",), **filled}
        return KINDS[kind](**filled)

    return make


@pytest.fixture
def scenario() -> Callable[..., Scenario]:
    """Make a scenario on the small world: ``scenario(measure, ...)``."""

    def make(*measures: Measure, policies: tuple[Measure, ...] = (), **fields: Any) -> Scenario:
        filled: dict[str, Any] = {
            "name": "test",
            "title": Words(en="Test", ko="시험"),
            "form": FORM,
            "focal": "KOR",
            "base_year": 2023,
            "start": "2024-01",
            "months": 18,
            "uncertainty": Uncertainty(draws=0),
            **fields,
        }
        return Scenario(measures=measures, policies=policies, **filled)

    return make
