"""Published numbers beside ours: what ``evernormal verify`` runs and a user can run too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from evernormal.errors import EvernormalError
from evernormal.market.acts import Act, Calendar
from evernormal.market.curves import constant_elasticity_price
from evernormal.market.input_output_algebra import leontief_inverse
from evernormal.market.parameters import behaviour
from evernormal.market.routes import routes_of
from evernormal.market.run import final_uses, run
from evernormal.market.sensitivity import borgonovo_delta
from evernormal.market.spatial import spatial_equilibrium
from evernormal.network.network import Network
from evernormal.result import Lineage, Result

__all__ = ["run_oracles"]

MIRANDA = "Miranda and Fackler 2002, Applied Computational Economics and Finance, program DEMSLV13"

VERCAMMEN = (
    "Vercammen, module 1B: Canada - U.S. softwood lumber case study (vercammen.github.io/module1b.html)"
)
SAMPSON = "Definition of a variable levy: Sampson and Snape 1980, Journal of Political Economy 88:1026-1040"


@dataclass(frozen=True)
class _Check:
    name: str
    published: float
    ours: float
    tolerance: float
    unit: str
    source: str


def run_oracles() -> Result:
    """Compare what the package computes with published numbers.

    Import shares are held to 2 percentage points where the publication names the customs code, to 4 where its
    code set is not stated.

    Returns:
        A Result of kind ``oracles`` with one table ``oracles``: name, published, ours, difference,
        tolerance (absolute, same unit), unit, passed, source.  An oracle that cannot be computed has a null
        ``ours`` and fails; its message stands in ``source``.

    Example:
        >>> bool(run_oracles()["oracles"]["passed"].all())
        True
    """
    rows = []
    for family in (
        _demslv13,
        _softwood_tariff,
        _reference_prices,
        _constant_elasticity,
        _engine_closed_form,
        _published_import_shares,
        _stoichiometry,
        _leontief,
        _sensitivity,
    ):
        try:
            rows += [_row(check) for check in family()]
        except EvernormalError as error:
            rows.append(_failure(family.__name__.strip("_"), error))
    table = pl.DataFrame(rows)
    unit = dict.fromkeys(("published", "ours", "difference", "tolerance"), "see column unit")
    from evernormal import __version__  # noqa: PLC0415 - avoids a cycle at import

    return Result("oracles", {"oracles": table}, {"oracles": unit}, Lineage(__version__))


def _row(check: _Check) -> dict[str, object]:
    difference = check.ours - check.published
    return {
        "name": check.name,
        "published": check.published,
        "ours": check.ours,
        "difference": difference,
        "tolerance": check.tolerance,
        "unit": check.unit,
        "passed": bool(abs(difference) <= check.tolerance),
        "source": check.source,
    }


def _failure(name: str, error: EvernormalError) -> dict[str, object]:
    numbers = dict.fromkeys(("published", "ours", "difference", "tolerance"))
    return {"name": name, **numbers, "unit": "", "passed": False, "source": f"not computed: {error.message}"}


def _demslv13() -> Iterator[_Check]:
    freight = [[0, 3, 9], [3, 0, 3], [6, 3, 0]]
    answer = spatial_equilibrium([9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1], freight)
    published = (24.346154, 27.346154, 30.346154)
    for region, (known, ours) in enumerate(zip(published, answer["prices"]["price"], strict=True)):
        yield _Check(f"DEMSLV13 price in region {region + 1}", known, ours, 1e-5, "price", MIRANDA)


def _softwood_tariff() -> Iterator[_Check]:
    """Canada and the United States before and after freight and tariff rise from 12 to 40 per cubic metre."""
    base = np.array([169.0, 181.0])
    made, used = np.array([58151.0 - 10163.0, 71415.0]), np.array([19711.0, 100181.0 - 489.0])
    supply, demand = base / 0.15 / made, base / 0.17 / used
    market = (base - supply * made, supply, base + demand * used, demand, [[0, 12], [12, 0]])
    for tariff, canada, states, shipped in ((0.0, 169.0, 181.0, 28277.0), (28.0, 149.12, 189.12, 27036.0)):
        answer = spatial_equilibrium(*market, [[0, tariff], [tariff, 0]])
        price, flow = answer["prices"]["price"], answer["flows"]["quantity"]
        name = f"Softwood with a tariff of {tariff:g}"
        yield _Check(f"{name}: price in Canada", canada, price[0], 5e-3, "USD/m3", VERCAMMEN)
        yield _Check(f"{name}: price in the United States", states, price[1], 5e-3, "USD/m3", VERCAMMEN)
        yield _Check(f"{name}: exports of Canada", shipped, flow[1], 0.5, "1000 m3", VERCAMMEN)


def _reference_prices() -> Iterator[_Check]:
    """Levies on five origins that land at fixed prices, a price cut, and one levy for all by hand."""
    landed = (40.0, 60.0, 80.0, 110.0, 130.0)
    to_the_last = np.where(np.arange(6) == 5, 0.0, 1e4) * np.ones((6, 1))
    slopes, curves = np.ones(6), np.array([0.0] * 5 + [200.0])
    for cut, levies in ((0.0, (70.0, 50.0, 30.0, 0.0, 0.0)), (10.0, (80.0, 50.0, 30.0, 0.0, 0.0))):
        sellers = [landed[0] - cut, *landed[1:], 500.0]
        held = spatial_equilibrium(
            sellers, np.zeros(6), curves, slopes, to_the_last,
            members=[5], reference_price=110, levy="by_origin", origin_slope=1.0,
        )["levies"].sort("exporter")  # fmt: skip
        said = f"Reference 110, first origin cuts by {cut:g}"
        for price, known, ours in zip(landed, levies, held["levy"], strict=True):
            yield _Check(
                f"{said}: levy on an origin landing at {price:g}", known, ours, 1e-5, "price", SAMPSON
            )
        yield _Check(f"{said}: landed price", 110.0, held["price"][0], 1e-5, "price", SAMPSON)
    freight = np.array([[0, 3, 9], [3, 0, 3], [6, 3, 0]])
    answer = spatial_equilibrium(
        [9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1], freight, members=[2], reference_price=33
    )
    source = f"{MIRANDA}, region 3 held at 33: 3 units come in, 7/3 p = 51.5 in region 1, solved by hand"
    yield _Check(
        "DEMSLV13 held at 33: price in region 1",
        51.5 * 3 / 7,
        answer["prices"]["price"][0],
        1e-5,
        "price",
        source,
    )
    yield _Check(
        "DEMSLV13 held at 33: levy", 27 - 51.5 * 3 / 7, answer["levies"]["levy"][0], 1e-5, "price", source
    )


def _constant_elasticity() -> Iterator[_Check]:
    source = "Closed form (1-x)^(1/(ed-es)) of a constant-elasticity market"
    for lost, supply, demand, known in (
        (0.5, 0.0, -0.5, 4.0),
        (0.5, 0.2, -0.3, 4.0),
        (0.1, 0.0, -0.2, 1.6935),
    ):
        ours = float(constant_elasticity_price(lost, supply, demand))
        name = f"Price ratio after losing {lost:.0%} at elasticities {supply:g} and {demand:g}"
        yield _Check(name, known, ours, 5e-5, "1", source)


def _engine_closed_form() -> Iterator[_Check]:
    """One region whose output halves with fixed supply: the monthly engine against the closed form."""
    from evernormal.network.measures import Accident  # noqa: PLC0415 - pydantic loads with the first measure
    from evernormal.network.uncertain import Uncertain  # noqa: PLC0415

    form = "lithium/hydroxide"
    none, cell = np.zeros(0, dtype=np.int64), np.zeros((1, 1))
    network = Network(
        "KOR", form, 2023, ("KOR",), (form,), cell + 120, cell + 120, (), np.zeros((0, 1)),
        none, none, none, np.zeros(0), np.zeros(0), cell + 1, cell, cell,
    )  # fmt: skip
    chosen = behaviour({"use_elasticity": 0.5, "use_elasticity_growth": 1.0, "other_supply_limit": 1e-9})
    lost = Uncertain.of(0.5)
    accident = Accident(by="KOR", capacity_lost=lost, effective=date(2024, 1, 1)).resolved("KOR", form)
    calendar = Calendar.of(date(2024, 1, 1), 3)
    act = Act(accident, {"capacity_lost": 0.5})
    done = run(network, routes_of(network, 0.05), chosen, final_uses(network, chosen), calendar, [act])
    source = "Same closed form, reached by the multi-period engine"
    yield _Check(
        "Engine: price ratio after losing half of supply", 4.0, done.path.price[0, 0, 1], 1e-4, "1", source
    )


def _published_import_shares() -> Iterator[_Check]:
    """Supplier shares of a year by value that the Korea International Trade Association published."""
    from evernormal.data import facts  # noqa: PLC0415 - opens the snapshot
    from evernormal.network.forms import form  # noqa: PLC0415
    from evernormal.network.suppliers import suppliers  # noqa: PLC0415

    published = facts(topic="import_share").filter(
        pl.col("source").str.starts_with("KITA"),
        pl.col("basis") == "value",
        pl.col("period").str.contains(r"^\d{4}$"),
    )
    for fact in published.sort("form", "partner", "period").iter_rows(named=True):
        if form(fact["form"]).coverage != "full":
            continue
        shares = suppliers(fact["region"], fact["form"], years=[int(fact["period"])])["shares"]
        ours = shares.filter(pl.col("supplier") == fact["partner"])["share"].item()
        name = f"{fact['partner']} in imports of {fact['form']} by {fact['region']}, {fact['period']}"
        tolerance = 2.0 if "(HS" in fact["definition"] else 4.0
        yield _Check(name, 100 * fact["value"], 100 * ours, tolerance, "%", fact["source"])


def _stoichiometry() -> Iterator[_Check]:
    from evernormal.units import element_fraction  # noqa: PLC0415

    source = "Lithium carbonate equivalent per lithium, USGS Mineral Commodity Summaries conversion table"
    yield _Check("Li2CO3 per Li", 5.323, 1 / element_fraction("Li2CO3", "Li"), 5e-3, "kg/kg", source)
    source = "Li2O content of lithium, USGS conversion factor 2.153"
    yield _Check("Li2O per Li", 2.153, 1 / element_fraction("Li2O", "Li"), 5e-3, "kg/kg", source)


def _leontief() -> Iterator[_Check]:
    source = (
        "Miller and Blair 2009, Input-Output Analysis, section 2.3: output for final use of 600 and 1,500"
    )
    inverse = leontief_inverse([[150.0, 500.0], [200.0, 100.0]], [1000.0, 2000.0])
    for sector, published, ours in zip((1, 2), (1247.52, 1841.58), inverse @ [600.0, 1500.0], strict=True):
        yield _Check(f"Leontief, output of sector {sector}", published, float(ours), 5e-3, "USD", source)


def _sensitivity() -> Iterator[_Check]:
    """First-order indices of Ishigami's function (a = 7, b = 0.1) from 4,096 draws, by classes (E94)."""
    source = "Ishigami and Homma 1990; indices of Saltelli and others 2008, Global Sensitivity Analysis"
    rng = np.random.default_rng(0)
    x = np.pi * (2 * rng.random((4096, 3)) - 1)
    outcome = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = borgonovo_delta(x, outcome, rng, resamples=5)["first_order"]
    for number, published, ours in zip((1, 2, 3), (0.3139, 0.4424, 0.0), found, strict=True):
        yield _Check(f"Ishigami, first-order index of x{number}", published, float(ours), 0.04, "1", source)
