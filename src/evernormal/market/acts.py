"""Measures turned into what the engine understands: a cap, a wedge, a delay or an added quantity, by month.

Nothing else reaches the engine (DESIGN 4).  Whether a measure is in force is read day by day, so that one that
starts in the middle of a month bites for the days that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError
from evernormal.network.network import Network
from evernormal.result import Finding

if TYPE_CHECKING:
    from evernormal.market.routes import Routes

__all__ = ["DAYS_PER_MONTH", "Acts", "Calendar", "Hardness", "acts_of", "central_hardness", "known_from"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Hardness = Mapping[str, float]

DAYS_PER_MONTH = 365.25 / 12
KNOWN_BY_DAY = 15
"""A measure announced on or before this day of a month is known to the market in that month, later in the next."""

SIMULATED = frozenset(
    {
        "ban", "quota", "licence", "inspection", "tariff", "dumping", "corridor_closure", "accident",
        "demand_surge", "stock_release", "buy", "swap", "loan",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Calendar:
    """The months of a simulation and the days in them."""

    months: tuple[date, ...]
    days: tuple[date, ...]
    month_of_day: NDArray[np.int64]

    @classmethod
    def of(cls, start: date, months: int) -> Calendar:
        """Return the calendar of ``months`` months from the month of ``start`` on."""
        firsts = [
            date(start.year + (start.month - 1 + m) // 12, (start.month - 1 + m) % 12 + 1, 1)
            for m in range(months + 1)
        ]
        days = [firsts[0] + timedelta(days=n) for n in range((firsts[-1] - firsts[0]).days)]
        index = {(d.year, d.month): m for m, d in enumerate(firsts)}
        return cls(tuple(firsts[:-1]), tuple(days), np.array([index[d.year, d.month] for d in days]))

    def mean_by_month(self, daily: Floats) -> Floats:
        """Average a daily series over the days of each month."""
        count = np.bincount(self.month_of_day)
        return np.bincount(self.month_of_day, weights=daily, minlength=len(count)) / count


@dataclass(frozen=True)
class Acts:
    """What the known measures do in every month.  T months, A routes, R regions, G forms.

    Attributes:
        route_cap: (A, T) largest shipment relative to the base, ``inf`` where free.
        route_wedge: (A, T) extra cost as a share of the base price; negative for dumping.
        route_delay: (A, T) extra days on the way for what is shipped in the month.
        production_cap: (R, G, T) largest output relative to the base, ``inf`` where free.
        demand_growth: (R, G, T) shift of the use curve as a share of base use.
        added: (T,) tonnes put on (positive) or taken from (negative) the focal market of the scenario's form.
        state_stock: (T,) state stock at the end of the month, tonnes.
        quotas: pairs of a route mask (A,) and a (T,) cap in tonnes on their sum (``inf`` where free).
    """

    route_cap: Floats
    route_wedge: Floats
    route_delay: Floats
    production_cap: Floats
    demand_growth: Floats
    added: Floats
    state_stock: Floats
    quotas: tuple[tuple[Booleans, Floats], ...]

    def biting(self) -> Booleans:
        """(T,) months in which anything differs from the base."""
        return (
            np.isfinite(self.route_cap).any(axis=0)
            | (self.route_wedge != 0).any(axis=0)
            | (self.route_delay > 0).any(axis=0)
            | np.isfinite(self.production_cap).any(axis=(0, 1))
            | (self.demand_growth != 0).any(axis=(0, 1))
            | (self.added != 0)
            | np.array([np.isfinite(cap) for _, cap in self.quotas]).any(axis=0)
        )


def known_from(measure: Any, calendar: Calendar) -> int:
    """Return the first month in which the market knows a measure; never later than it takes effect."""
    announced, effective = measure.announced or measure.effective, measure.effective
    month = _month_index(announced, calendar) + (0 if announced.day <= KNOWN_BY_DAY else 1)
    return max(0, min(month, _month_index(effective, calendar)))


def _month_index(day: date, calendar: Calendar) -> int:
    first = calendar.months[0]
    return (day.year - first.year) * 12 + day.month - first.month


def central_hardness(measure: Any) -> Hardness:
    """Return the central value of every uncertain number of a measure."""
    return _hardness(measure, lambda value: value.central())


def sampled_hardness(measure: Any, rng: np.random.Generator) -> Hardness:
    """Draw every uncertain number of a measure."""
    return _hardness(measure, lambda value: value.sample(rng))


def _hardness(measure: Any, pick: Any) -> Hardness:
    found: dict[str, float] = {}
    for name in type(measure).model_fields:
        value = getattr(measure, name)
        if hasattr(value, "central"):
            found[name] = float(pick(value))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = float(value)
    return found


class _Builder:
    """Fills the arrays of :class:`Acts` measure by measure."""

    def __init__(self, network: Network, routes: Routes, calendar: Calendar, form: str) -> None:
        self.network, self.routes, self.calendar, self.form = network, routes, calendar, form
        shape = (len(routes.origin), len(calendar.months))
        cells = (*network.production.shape, shape[1])
        self.cap = np.full(shape, np.inf)
        self.wedge, self.delay = np.zeros(shape), np.zeros(shape)
        self.production = np.full(cells, np.inf)
        self.growth = np.zeros(cells)
        self.added, self.state = np.zeros(shape[1]), np.zeros(shape[1])
        self.quotas: list[tuple[Booleans, Floats]] = []
        self.findings: list[Finding] = []

    def add(self, measure: Any, hard: Hardness) -> None:
        kind = str(measure.kind)
        if kind not in SIMULATED:
            raise InputError(
                f"measure {measure.id!r} of kind {kind!r} cannot be simulated yet",
                where="scenario",
                cure=f"Simulated kinds: {', '.join(sorted(SIMULATED))}.",
            )
        active = np.array([measure.in_force(day) for day in self.calendar.days])
        getattr(self, f"_{kind}")(measure, hard, active)

    # Trade measures ---------------------------------------------------------------------------------------------

    def _ban(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        self._limit(self._exports(measure), 1.0 - hard["severity"] * active, active)

    def _licence(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        waited = np.array([(day - measure.effective).days for day in self.calendar.days])
        granted = np.where(waited < hard["delay_days"], 0.0, hard["approval_share"])
        self._limit(self._exports(measure), np.where(active, granted, 1.0), active)

    def _quota(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        mask = self._exports(measure)
        share = self.calendar.mean_by_month(active.astype(float))
        base = self.routes.base[mask].sum()
        monthly = hard["share_of_base"] * base if "share_of_base" in hard else hard["tonnes_per_year"] / 12
        cap = np.where(share > 0, monthly * share + base * (1 - share), np.inf)
        self.quotas.append((mask, cap))
        self.cap[np.ix_(mask & (self.routes.base == 0), share > 0)] = 0.0

    def _inspection(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        self.delay[self._exports(measure)] += hard["delay_days"] * self.calendar.mean_by_month(
            active.astype(float)
        )

    def _tariff(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        mask = self._links(
            importers=self._labels((measure.by,)), exporters=self._against(measure), measure=measure
        )
        self.wedge[mask] += hard["rate"] * self.calendar.mean_by_month(active.astype(float))

    def _dumping(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        self.wedge[self._exports(measure)] -= hard["price_cut"] * self.calendar.mean_by_month(
            active.astype(float)
        )

    def _corridor_closure(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        share = self.calendar.mean_by_month(active.astype(float))
        hit, detour = self.routes.detour(str(measure.corridor))
        if not hit.any():
            self.findings.append(
                Finding(
                    "corridor-not-used",
                    "info",
                    f"No route of this network passes {measure.corridor}.",
                    {"corridor": str(measure.corridor)},
                )
            )
        passable = hit & np.isfinite(detour)
        blocked = hit & ~np.isfinite(detour)
        self.delay[passable] += np.outer(detour[passable] * hard["severity"], share)
        self._limit(blocked, 1.0 - hard["severity"] * active, active)

    # Output and use ---------------------------------------------------------------------------------------------

    def _accident(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        left = self.calendar.mean_by_month(1.0 - hard["capacity_lost"] * active)
        for r in self._labels((measure.by,)):
            for g in self._forms(measure):
                hit = left < 1
                self.production[r, g, hit] = np.minimum(self.production[r, g, hit], left[hit])

    def _demand_surge(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        regions = self._labels(tuple(getattr(measure, "regions", ()) or ())) or range(
            len(self.network.regions)
        )
        share = self.calendar.mean_by_month(active.astype(float))
        for r in regions:
            for g in self._forms(measure):
                self.growth[r, g] += hard["growth"] * share

    # Acts of the focal state ------------------------------------------------------------------------------------

    def _stock_release(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        held = self._held()
        wanted = hard["tonnes"] if "tonnes" in hard else hard["share"] * held
        if wanted > held * (1 + 1e-9):
            self._too_much(measure, wanted, held)
            wanted = held
        self.added += self._spread(active, wanted)

    def _buy(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        self.added -= hard["tonnes_per_month"] * self.calendar.mean_by_month(active.astype(float))

    def _swap(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        self._lend(measure, hard["tonnes"], active)

    def _loan(self, measure: Any, hard: Hardness, active: Booleans) -> None:
        held = self._held()
        if hard["tonnes"] > held * (1 + 1e-9):
            self._too_much(measure, hard["tonnes"], held)
        self._lend(measure, min(hard["tonnes"], held), active)

    def _lend(self, measure: Any, tonnes: float, active: Booleans) -> None:
        """Tonnes come in the month of effect and go back in the month of the end, when it is in sight."""
        months = np.unique(self.calendar.month_of_day[active])
        if len(months):
            self.added[months[0]] += tonnes
            after = int(months[-1]) + 1
            if measure.ends is not None and after < len(self.added):
                self.added[after] -= tonnes

    def _spread(self, active: Booleans, tonnes: float) -> Floats:
        if not active.any():
            return np.zeros_like(self.added)
        return (
            tonnes
            * np.bincount(self.calendar.month_of_day, weights=active, minlength=len(self.added))
            / active.sum()
        )

    def _held(self) -> float:
        r, g = self.network.focal_index, self.network.form_index(self.form)
        return float(self.network.state_stock[r, g]) - float(np.maximum(self.added, 0).sum())

    def _too_much(self, measure: Any, wanted: float, held: float) -> None:
        self.findings.append(
            Finding(
                "release-exceeds-stock",
                "caution",
                f"Measure {measure.id!r} asks for {wanted:,.0f} t but the state holds {held:,.0f} t; "
                "only what exists is released (law 8).",
                {"id": measure.id, "wanted_t": wanted, "held_t": held},
            )
        )

    # Who and what -----------------------------------------------------------------------------------------------

    def _limit(self, mask: Booleans, daily: Floats, active: Booleans) -> None:
        months = np.zeros(self.cap.shape[1], dtype=bool)
        months[self.calendar.month_of_day[active]] = True
        cap = self.calendar.mean_by_month(daily)
        months &= cap < 1
        old = self.routes.base > 0
        self.cap[np.ix_(mask & old, months)] = np.minimum(self.cap[np.ix_(mask & old, months)], cap[months])
        self.cap[np.ix_(mask & ~old, months)] = 0.0

    def _exports(self, measure: Any) -> Booleans:
        exporters = self._labels((measure.by,)) if measure.by != "world" else range(len(self.network.regions))
        return self._links(exporters=exporters, importers=self._against(measure), measure=measure)

    def _links(self, *, exporters: Sequence[int], importers: Sequence[int], measure: Any) -> Booleans:
        routes = self.routes
        mask = (
            np.isin(routes.origin, list(exporters))
            & np.isin(routes.target, list(importers))
            & np.isin(routes.form, self._forms(measure))
        )
        if not (routes.base[mask] > 0).any():
            self.findings.append(
                Finding(
                    "measure-without-trade",
                    "caution",
                    f"Measure {measure.id!r} touches no trade of the base year, so it changes little or nothing.",
                    {"id": measure.id},
                )
            )
        return mask

    def _against(self, measure: Any) -> list[int]:
        named = self._labels(tuple(measure.against))
        exempt = set(self._labels(tuple(getattr(measure, "exempt", ()) or ())))
        everyone = range(len(self.network.regions))
        return [r for r in (named or everyone) if r not in exempt]

    def _labels(self, names: Sequence[str]) -> list[int]:
        found = []
        for name in names:
            label = self.network.focal if name == "focal" else name
            if label not in self.network.regions:
                raise LabelError(
                    f"{label} acts in the scenario but is not a region of the network",
                    where=f"network of {self.network.form}",
                    cure=f"Load the network with keep=({label!r},).",
                )
            found.append(self.network.region(label))
        return found

    def _forms(self, measure: Any) -> list[int]:
        return [self.network.form_index(name) for name in (tuple(measure.forms) or (self.form,))]


def acts_of(
    network: Network,
    routes: Routes,
    calendar: Calendar,
    form: str,
    measures: Sequence[tuple[Any, Hardness]],
) -> tuple[Acts, tuple[Finding, ...]]:
    """Return what ``measures`` (with the hardness of each) do by month, and what a reader must know about it.

    Raises:
        InputError: a kind that the engine does not simulate.
        LabelError: an actor or a form that the network does not have.
    """
    builder = _Builder(network, routes, calendar, form)
    for measure, hard in measures:
        builder.add(measure, hard)
    held = float(network.state_stock[network.focal_index, network.form_index(form)])
    state = np.maximum(held - np.cumsum(builder.added), 0.0)
    acts = Acts(
        builder.cap,
        builder.wedge,
        builder.delay,
        builder.production,
        builder.growth,
        builder.added,
        state,
        tuple(builder.quotas),
    )
    return acts, tuple(builder.findings)
