"""Measures turned into what the engine understands: a cap, a wedge, a delay or an added quantity, by month.

Nothing else reaches the engine.  Whether a measure is in force is read day by day, so that one
that starts in the middle of a month bites for the days that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, NotCoveredError, UnknownNameError
from evernormal.network.network import Network
from evernormal.result import Finding

if TYPE_CHECKING:
    from evernormal.market.routes import Routes
    from evernormal.network.measures import Measure

__all__ = ["DAYS_PER_MONTH", "Act", "Acts", "Calendar", "Use", "acts_of", "known_in"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

DAYS_PER_MONTH = 365.25 / 12
KNOWN_BY_DAY = 15
"""News up to this day of a month moves the market in that month, later news in the next."""

SIMULATED = (
    "accident", "ban", "buy", "corridor_closure", "demand_surge", "dumping", "inspection", "licence", "loan",
    "quota", "stock_release", "swap", "tariff",
)  # fmt: skip
"""Kinds of measures that the engine simulates."""


@dataclass(frozen=True)
class Use:
    """One final use: region and form index, tonnes per month, elasticity of monthly use (negative), its
    name."""

    region: int
    form: int
    base: float
    elasticity: float
    name: str


@dataclass(frozen=True)
class Act:
    """A resolved measure with one number for each of its hardnesses."""

    measure: Measure
    hardness: Mapping[str, float]


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

    @cached_property
    def day_numbers(self) -> NDArray[np.int64]:
        """(D,) proleptic Gregorian ordinal of every day."""
        return np.array([day.toordinal() for day in self.days])

    @cached_property
    def days_in_month(self) -> NDArray[np.int64]:
        """(T,) days of every month."""
        return np.bincount(self.month_of_day)

    def mean_by_month(self, daily: NDArray[Any]) -> Floats:
        """Average a daily series over the days of each month."""
        count = self.days_in_month
        return np.asarray(np.bincount(self.month_of_day, weights=daily, minlength=len(count)) / count)

    def active(self, measure: Measure) -> Booleans:
        """Return for every day whether ``measure`` is in force."""
        day = self.day_numbers
        inside = np.zeros(len(day), dtype=bool)
        for first, after in measure.window():
            inside |= (day >= first.toordinal()) & (day < (after.toordinal() if after else day[-1] + 1))
        return inside


@dataclass(frozen=True)
class Acts:
    """What the known measures do in every month.  T months, A routes, R regions, G forms.

    Attributes:
        route_cap: (A, T) largest shipment relative to the base, ``inf`` where free.
        route_wedge: (A, T) extra cost as a share of the base price; negative for dumping.
        route_delay: (A, T) extra days on the way for what is shipped in the month.
        production_cap: (R, G, T) largest output relative to the base, ``inf`` where free.
        demand_growth: (U, T) shift of each final use as a share of its base.
        added: (R, T) tonnes of the scenario's form that states put on (positive) or take from (negative) a
            market.
        state_stock: (T,) state stock of the focal region at the end of the month, tonnes.
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
        return np.asarray(
            np.isfinite(self.route_cap).any(axis=0)
            | (self.route_wedge != 0).any(axis=0)
            | (self.route_delay > 0).any(axis=0)
            | np.isfinite(self.production_cap).any(axis=(0, 1))
            | (self.demand_growth != 0).any(axis=0)
            | (self.added != 0).any(axis=0)
            | np.array([np.isfinite(cap) for _, cap in self.quotas], dtype=bool).any(axis=0)
        )


def known_in(measure: Measure, calendar: Calendar, month: int) -> Measure | None:
    """Return a measure as the market knows it in a month; never later than it takes effect or is
    suspended."""
    first = calendar.months[month]
    last = first + timedelta(days=int(calendar.days_in_month[month]) - 1)
    happens = any(day is not None and first <= day <= last for day in (measure.effective, measure.suspended))
    return measure.as_known(last if happens else first.replace(day=KNOWN_BY_DAY))


class _Builder:
    """Fills the arrays of :class:`Acts` measure by measure."""

    def __init__(self, network: Network, routes: Routes, calendar: Calendar, uses: Sequence[Use]) -> None:
        self.network, self.routes, self.calendar, self.uses = network, routes, calendar, uses
        shape = (len(routes.origin), len(calendar.months))
        cells = (*network.production.shape, shape[1])
        self.cap = np.full(shape, np.inf)
        self.wedge, self.delay = np.zeros(shape), np.zeros(shape)
        self.production = np.full(cells, np.inf)
        self.growth = np.zeros((len(uses), shape[1]))
        self.added = np.zeros((len(network.regions), shape[1]))
        self.released = np.zeros(len(network.regions))
        self.quotas: list[tuple[Booleans, Floats]] = []
        self.findings: list[Finding] = []

    def add(self, act: Act) -> None:
        measure: Any = act.measure
        kind = str(measure.kind)
        if kind not in SIMULATED:
            raise InputError(
                f"measure {measure.id!r} of kind {kind!r} cannot be simulated yet",
                where="scenario",
                cure="Ask `evernormal bloc`, which holds reference prices year by year."
                if kind == "price_floor"
                else f"Simulated kinds: {', '.join(SIMULATED)}.",
            )
        getattr(self, f"_{kind}")(measure, act.hardness, self.calendar.active(measure))

    # Trade measures ---------------------------------------------------------------------------------------

    def _ban(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        self._limit(self._exports(measure), 1.0 - hard["severity"] * active, active)

    def _licence(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        waited = self.calendar.day_numbers - measure.effective.toordinal()
        approved, rise = hard["approval_share"], hard.get("approval_months", 0.0) * DAYS_PER_MONTH
        since = waited - hard["delay_days"]
        granted = np.where(since < 0, 0.0, approved)
        if rise > 0:
            first = min(hard["first_approval_share"], approved)
            risen = np.clip(since, 0.0, rise) / rise
            granted = np.where(since < 0, 0.0, first + (approved - first) * risen)
        granted = 1.0 - hard.get("covers", 1.0) * (1.0 - granted)
        self._limit(self._exports(measure), np.where(active, granted, 1.0), active)

    def _quota(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        mask = self._exports(measure)
        share = self.calendar.mean_by_month(active.astype(float))
        base = self.routes.base[mask].sum()
        monthly = hard["share_of_base"] * base if "share_of_base" in hard else hard["tonnes_per_year"] / 12
        cap = np.where(share > 0, monthly * share + base * (1 - share), np.inf)
        self.quotas.append((mask, cap))
        self.cap[np.ix_(mask & (self.routes.base == 0), share > 0)] = 0.0

    def _inspection(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        self.delay[self._exports(measure)] += hard["delay_days"] * self.calendar.mean_by_month(
            active.astype(float)
        )

    def _tariff(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        mask = self._links(
            importers=self._labels((measure.by,)), exporters=self._against(measure), measure=measure
        )
        self.wedge[mask] += hard["rate"] * self.calendar.mean_by_month(active.astype(float))

    def _dumping(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        self.wedge[self._exports(measure)] -= hard["price_cut"] * self.calendar.mean_by_month(
            active.astype(float)
        )

    def _corridor_closure(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
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

    # Output and use ---------------------------------------------------------------------------------------

    def _accident(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        left = self.calendar.mean_by_month(1.0 - hard["capacity_lost"] * active)
        for r in self._labels((measure.by,)):
            for g in self._forms(measure):
                hit = left < 1
                self.production[r, g, hit] = np.minimum(self.production[r, g, hit], left[hit])

    def _demand_surge(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        regions = self._labels(measure.regions) or list(range(len(self.network.regions)))
        forms = self._forms(measure)
        hit = [
            k
            for k, use in enumerate(self.uses)
            if use.region in regions and use.form in forms and measure.end_use in ("", use.name)
        ]
        if not hit:
            known = {use.name for use in self.uses if use.form in forms}
            raise UnknownNameError("end use", measure.end_use, known, where=f"measure {measure.id!r}")
        self.growth[hit] += hard["growth"] * self.calendar.mean_by_month(active.astype(float))

    # Acts of states ---------------------------------------------------------------------------------------

    def _stock_release(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        region = self._labels((measure.by,))[0]
        if "tonnes" not in hard and region != self.network.focal_index:
            raise NotCoveredError(
                f"the state stock of {measure.by} is not known, so a share of it is not a quantity",
                where=f"measure {measure.id!r}",
                cure="Give tonnes.",
            )
        wanted = hard["tonnes"] if "tonnes" in hard else hard["share"] * self._held(region, before=True)
        self.added[region] += self._spread(active, self._at_most_held(measure, wanted, region))

    def _buy(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        bought = hard["tonnes_per_month"] * self.calendar.mean_by_month(active.astype(float))
        self.added[self._labels((measure.by,))[0]] -= bought

    def _swap(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        self._lend(measure, hard["tonnes"], active)

    def _loan(self, measure: Any, hard: Mapping[str, float], active: Booleans) -> None:
        region = self._labels((measure.by,))[0]
        self._lend(measure, self._at_most_held(measure, hard["tonnes"], region), active)

    def _lend(self, measure: Any, tonnes: float, active: Booleans) -> None:
        """Tonnes come in the month of effect and go back in the month of the end, when it is in sight."""
        region = self._labels((measure.by,))[0]
        months = np.unique(self.calendar.month_of_day[active])
        if len(months):
            self.added[region, months[0]] += tonnes
            after = int(months[-1]) + 1
            if measure.ends is not None and after < self.added.shape[1]:
                self.added[region, after] -= tonnes

    def _spread(self, active: Booleans, tonnes: float) -> Floats:
        """Spread tonnes evenly over the active days; what falls outside the calendar is not released."""
        months = self.added.shape[1]
        if not active.any():
            return np.zeros(months)
        days = np.bincount(self.calendar.month_of_day, weights=active, minlength=months)
        return np.asarray(tonnes * days / active.sum())

    def _held(self, region: int, *, before: bool = False) -> float:
        held = float(self.network.state_stock[region, self.network.form_index(self.network.form)])
        return held if before else held - float(self.released[region])

    def _at_most_held(self, measure: Any, wanted: float, region: int) -> float:
        """Return what can be put out (law 8); the stock of a state other than the focal one is its own
        affair."""
        if region != self.network.focal_index:
            return wanted
        held = self._held(region)
        if wanted > held * (1 + 1e-9):
            self.findings.append(
                Finding(
                    "release-exceeds-stock",
                    "caution",
                    f"Measure {measure.id!r} asks for {wanted:,.0f} t but the state holds {held:,.0f} t; "
                    "only what exists is released (law 8).",
                    {"id": measure.id, "wanted_t": wanted, "held_t": held},
                )
            )
        put_out = min(wanted, held)
        self.released[region] += put_out
        return put_out

    # Who and what -----------------------------------------------------------------------------------------

    def _limit(self, mask: Booleans, daily: NDArray[Any], active: Booleans) -> None:
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
        mask = routes.links(tuple(exporters), tuple(importers), tuple(self._forms(measure)))
        if not (routes.base[mask] > 0).any():
            self.findings.append(
                Finding(
                    "measure-without-trade",
                    "caution",
                    f"Measure {measure.id!r} touches no trade of the base year and changes little.",
                    {"id": measure.id},
                )
            )
        return mask

    def _against(self, measure: Any) -> list[int]:
        named = self._labels(tuple(measure.against))
        exempt = set(self._labels(measure.exempt))
        everyone = range(len(self.network.regions))
        return [r for r in (named or everyone) if r not in exempt]

    def _labels(self, names: Sequence[str]) -> list[int]:
        found = []
        for name in names:
            if name not in self.network.regions:
                raise LabelError(
                    f"{name} acts in the scenario but is not a region of the network",
                    where=f"network of {self.network.form}",
                    cure=f"Load the network with keep=({name!r},).",
                )
            found.append(self.network.region(name))
        return found

    def _forms(self, measure: Any) -> list[int]:
        return [self.network.form_index(name) for name in measure.forms]


def acts_of(
    network: Network, routes: Routes, calendar: Calendar, uses: Sequence[Use], acts: Sequence[Act]
) -> tuple[Acts, tuple[Finding, ...]]:
    """Return what resolved measures do by month, and what a reader must know about it.

    Raises:
        InputError: a kind that the engine does not simulate.
        LabelError: an actor or a form that the network does not have.
        NotCoveredError: a share of a stock that nobody knows.
    """
    builder = _Builder(network, routes, calendar, uses)
    for act in acts:
        builder.add(act)
    focal = network.focal_index
    held = float(network.state_stock[focal, network.form_index(network.form)])
    return (
        Acts(
            builder.cap,
            builder.wedge,
            builder.delay,
            builder.production,
            builder.growth,
            builder.added,
            np.maximum(held - np.cumsum(builder.added[focal]), 0.0),
            tuple(builder.quotas),
        ),
        tuple(builder.findings),
    )
