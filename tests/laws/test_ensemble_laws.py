"""Law 6 for ensembles: a draw is a function of its number and the seed, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import evernormal
from evernormal.market.batch import Batch, Kernel, Plan, bare
from evernormal.market.factors import Joint, Space
from evernormal.network.network import Network

from .cases import LAW, ban, networks, scenario
from .test_simulation_laws import _plain_world, flat_roads, saved

UNCERTAIN = ban(0.6) | {"severity": {"low": 0.3, "mode": 0.6, "high": 1.0}, "announced": "2024-04-10"}


def bits(batch: Batch, place: int) -> bytes:
    """Everything that is kept of one draw."""
    kept = (*batch.outcomes.values(), *batch.series.values())
    return b"".join(np.ascontiguousarray(values[place]).tobytes() for values in kept)


@settings(LAW, max_examples=3)
@given(networks(stages=1))
def test_no_draw_remembers_another(world: Network) -> None:
    """Law 6: forwards, backwards, in one batch or one by one the bits are the same, before any rounding."""
    with flat_roads(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("evernormal.market.batch.rounded", lambda values: values)
        asked = scenario(UNCERTAIN)
        space = Space((asked,), {}, Joint())
        plan = Plan((bare(world),), (asked,), space)
        points = np.random.default_rng(1).random((24, space.dimension))
        kernel = Kernel(plan)
        _, atlas = kernel.survey(points[:8], kernel.central())
        plan = Plan(plan.networks, plan.scenarios, space, atlas=atlas)
        together = Kernel(plan).run(8, points[8:])
        one_by_one = Kernel(plan)
        for n in reversed(range(8, 24)):
            alone = one_by_one.run(n, points[n : n + 1])
            assert bits(alone, 0) == bits(together, n - 8), f"draw {n}"


def test_workers_of_an_ensemble_do_not_change_a_byte() -> None:
    """Law 6: an ensemble from one process and from two, the same tables."""
    world, asked = _plain_world(), scenario(UNCERTAIN)
    alone, shared = (
        saved(evernormal.ensemble(world, asked, 60, 3, workers=n, sensitivity="none")) for n in (1, 2)
    )
    assert alone == shared
