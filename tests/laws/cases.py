"""Small worlds that hypothesis draws: balanced networks, textbook markets, scenarios on them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl
from hypothesis import Phase, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evernormal.network.network import Conversion, EndUse, Network
from evernormal.network.scenario import Scenario, scenario_from
from evernormal.result import Parameter

LAW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate),
)
"""Settings of every law test: the same examples everywhere, no shrinking (a planted fault would be slow)."""

REGIONS = ("CHN", "AUS", "CHL", "KOR", "ROW")
ORE, REFINED = "lithium/ore", "lithium/hydroxide"
FOCAL = "KOR"

Floats = NDArray[np.float64]


def parameter(name: str, value: float, unit: str = "") -> Parameter:
    """A parameter of a made-up world."""
    return Parameter(name, value, value, value, unit, "C", "assumption: a made-up world for tests")


def end_uses(forms: tuple[str, ...]) -> tuple[EndUse, ...]:
    """Final uses of the focal region: two of what is refined, one of the ore; shares of a form sum to 1."""
    rows = (
        (REFINED, "batteries", "Batteries", "이차전지", 0.9, -0.2),
        (REFINED, "grease", "Grease", "윤활유", 0.1, -0.5),
        (ORE, "glass", "Glass", "유리", 1.0, -0.3),
    )
    return tuple(
        EndUse(
            form,
            name,
            english,
            korean,
            parameter(f"{name} share", share, "1"),
            parameter(f"{name} elasticity", elasticity, "1"),
            parameter(f"{name} value added", 100_000.0, "USD/t"),
            parameter(f"{name} substitutable", 0.1, "1"),
        )
        for form, name, english, korean, share, elasticity in rows
        if form in forms
    )


def close(flow: Floats, use: Floats) -> tuple[Floats, Floats]:
    """Return supply and use that balance one form: supply + imports = use + exports, nothing negative."""
    net = flow.sum(axis=1) - flow.sum(axis=0)
    supply = np.maximum(use + net, 0.0)
    return supply, supply - net


def network(
    refined_flow: Floats,
    refined_use: Floats,
    *,
    ore_flow: Floats | None = None,
    stock_months: float = 1.5,
    state_months: float = 0.5,
    regions: tuple[str, ...] = REGIONS,
    transit: Floats | None = None,
) -> Network:
    """Return a balanced network: one form, or ore and refined when ``ore_flow`` is given."""
    count = len(regions)
    supply, use = close(refined_flow, refined_use)
    flows = [refined_flow]
    forms: tuple[str, ...] = (REFINED,)
    if ore_flow is None:
        production, final = supply[:, None], use[:, None]
        conversions: tuple[Conversion, ...] = ()
        activity = np.zeros((0, count))
    else:
        step = Conversion(ORE, REFINED, parameter("recovery", 0.8, "1"))
        ore_input = supply / step.recovery.value
        mined, ore_use = close(ore_flow, ore_input)
        production = np.column_stack([mined, np.zeros(count)])
        final = np.column_stack([np.maximum(ore_use - ore_input, 0.0), use])
        conversions, activity = (step,), ore_input[None, :]
        flows, forms = [ore_flow, refined_flow], (ORE, REFINED)
    arcs = [(i, j, g) for g, flow in enumerate(flows) for i, j in np.argwhere(flow > 0)]
    i, j, g = (np.array(part, dtype=np.int64) for part in zip(*arcs, strict=True))
    amount = np.array([flows[form][a, b] for a, b, form in arcs])
    days = np.full(len(arcs), 20.0) if transit is None else transit[i, j]
    commercial = final * stock_months / 12
    state = np.zeros_like(final)
    state[regions.index(FOCAL), -1] = final[regions.index(FOCAL), -1] * state_months / 12
    return Network(
        focal=FOCAL,
        form=REFINED,
        year=2023,
        regions=regions,
        forms=forms,
        production=production,
        use=final,
        conversions=conversions,
        activity=activity,
        flow_from=i,
        flow_to=j,
        flow_form=g,
        flow=amount,
        transit_days=days,
        price=np.tile(np.array([10_000.0, 60_000.0])[-len(forms) :], (count, 1)),
        commercial_stock=commercial,
        state_stock=state,
        end_uses=end_uses(forms),
        gross_per_contained={REFINED: 6.05},
        tables={"base_rows": base_rows(regions, refined_flow), "adjustments": pl.DataFrame()},
    )


def base_rows(regions: tuple[str, ...], flow: Floats) -> pl.DataFrame:
    """Source rows of the focal region's imports, as a loaded network would carry them."""
    focal = regions.index(FOCAL)
    rows: list[dict[str, Any]] = [
        {
            "year": 2023,
            "supplier": regions[i],
            "revision": "HS1992",
            "code": "282520",
            "value_usd": float(flow[i, focal]) * 60_000.0,
            "quantity_t": float(flow[i, focal]) * 6.05,
            "content": 0.1653,
            "contained_t": float(flow[i, focal]),
            "source": "made-up world",
            "source_ref": "tests",
            "as_of": "2024-01-01",
            "grade": "C",
        }
        for i in range(len(regions))
        if flow[i, focal] > 0
    ]
    return pl.DataFrame(rows)


amounts = st.floats(min_value=50.0, max_value=5_000.0, allow_nan=False)


def _matrix(values: list[float], present: list[bool]) -> Floats:
    count = len(REGIONS)
    flow = np.where(np.array(present), np.array(values), 0.0).reshape(count, count)
    np.fill_diagonal(flow, 0.0)
    return flow


@st.composite
def networks(draw: st.DrawFn, stages: int | None = None) -> Network:
    """A balanced world of five regions in which the focal region imports from at least two of the others."""
    count = len(REGIONS)
    cells = count * count
    refined = _matrix(
        draw(st.lists(amounts, min_size=cells, max_size=cells)),
        draw(st.lists(st.booleans(), min_size=cells, max_size=cells)),
    )
    focal = REGIONS.index(FOCAL)
    refined[REGIONS.index("CHN"), focal] = draw(amounts) * 4
    refined[REGIONS.index("CHL"), focal] = draw(amounts)
    use = np.array(draw(st.lists(amounts, min_size=count, max_size=count)))
    number = stages if stages is not None else draw(st.sampled_from([1, 2]))
    ore = None
    if number == 2:
        ore = _matrix(
            draw(st.lists(amounts, min_size=cells, max_size=cells)),
            draw(st.lists(st.booleans(), min_size=cells, max_size=cells)),
        )
        ore[REGIONS.index("AUS"), REGIONS.index("CHN")] = draw(amounts) * 4
    return network(refined, use, ore_flow=ore, stock_months=draw(st.sampled_from([0.5, 1.5, 3.0])))


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Floats]:
    """A textbook market: linear curves, freight, positive demand at home possible."""
    count = draw(st.integers(2, 5))

    def vector(low: float, high: float) -> Floats:
        return np.array(draw(st.lists(st.floats(low, high), min_size=count, max_size=count)))

    freight = np.array(
        draw(st.lists(st.floats(0.5, 15.0), min_size=count * count, max_size=count * count))
    ).reshape(count, count)
    np.fill_diagonal(freight, 0.0)
    return {
        "supply_intercept": vector(1.0, 20.0),
        "supply_slope": vector(0.3, 3.0),
        "demand_intercept": vector(25.0, 60.0),
        "demand_slope": vector(0.3, 3.0),
        "freight": freight,
    }


def scenario(
    *measures: dict[str, Any],
    policies: tuple[dict[str, Any], ...] = (),
    months: int = 8,
    draws: int = 0,
    seed: int = 1,
    form: str = REFINED,
) -> Scenario:
    """A scenario on a made-up world; the focal region is :data:`FOCAL`."""
    return scenario_from(
        {
            "name": "law",
            "title": {"en": "A law", "ko": "법칙"},
            "form": form,
            "focal": FOCAL,
            "base_year": 2023,
            "start": "2024-01",
            "months": months,
            "measures": list(measures),
            "policies": list(policies),
            "uncertainty": {"draws": draws},
            "seed": seed,
        }
    )


def selling_only(world: Network, region: str = "CHN") -> Network:
    """The same world in which one region imports nothing; output and use fill the gap."""
    return _without(world, world.flow_to == world.region(region))


def buying_only(world: Network, region: str = FOCAL) -> Network:
    """The same world in which one region ships nothing on; output and use fill the gap."""
    return _without(world, world.flow_from == world.region(region))


def exporting_only(world: Network, region: str = "CHN") -> Network:
    """The same world in which one region imports nothing and uses nothing of what it digs or makes itself."""
    sold = selling_only(world, region)
    r = sold.region(region)
    spare = np.minimum(sold.production[r], sold.use[r])
    production, use = sold.production.copy(), sold.use.copy()
    production[r] -= spare
    use[r] -= spare
    return dataclasses.replace(sold, production=production, use=use)


def _without(world: Network, arcs: NDArray[np.bool_]) -> Network:
    keep = ~arcs
    cut = dataclasses.replace(
        world,
        flow=world.flow[keep],
        flow_from=world.flow_from[keep],
        flow_to=world.flow_to[keep],
        flow_form=world.flow_form[keep],
        transit_days=world.transit_days[keep],
    )
    gap = cut.residual()
    return dataclasses.replace(
        cut, production=cut.production + np.maximum(-gap, 0.0), use=cut.use + np.maximum(gap, 0.0)
    )


def ban(severity: float, against: tuple[str, ...] = ("focal",), **more: Any) -> dict[str, Any]:
    """China withholds a share of what it ships; announced in February, effective from the tenth of April."""
    return {
        "kind": "ban",
        "id": "ban",
        "by": "CHN",
        "against": list(against),
        "announced": "2024-02-10",
        "effective": "2024-04-10",
        "severity": severity,
        **more,
    }


def release(share: float) -> dict[str, Any]:
    """The focal state puts a share of its stock on the market in May and June."""
    return {"kind": "stock_release", "id": "release", "effective": "2024-05-01", "share": share, "months": 2}
