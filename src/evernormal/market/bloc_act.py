"""What a bloc does, and what measures do in a year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, UnknownNameError
from evernormal.market.acts import Act, Acts, Calendar, Use, acts_of
from evernormal.market.routes import Routes
from evernormal.network.network import REST_OF_WORLD, Network
from evernormal.result import Finding

__all__ = ["INSTRUMENTS", "Instrument", "Mechanism", "Reference", "YearActs", "mechanism_for", "year_acts"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

Instrument = Literal["none", "levy", "purchase", "contract", "tariff"]
INSTRUMENTS: tuple[Instrument, ...] = ("none", "levy", "purchase", "contract", "tariff")
Reference = float | Mapping[str, float] | Mapping[str, Mapping[str, float]]
"""USD per tonne contained: of the network's form, by form, or by form and member."""

MONTHS = 12


@dataclass(frozen=True)
class Mechanism:
    """What a bloc does in a year.

    Attributes:
        instrument: ``levy`` on what comes from outside; ``purchase``: governments buy at the reference;
            ``contract``: members' producers get the reference, users pay the market; ``tariff``: a fixed
            ad-valorem tariff; ``none``.
        members: (R,) who belongs.
        exempt: (R,) non-members whose goods enter free.
        reference: (R, G) reference price in USD per tonne contained, NaN where none is held.
        by_origin: every origin has its own levy.
        strict: what members ship to one another is free only as far as they made it themselves.
        leakage: share of each non-member's base shipments that can be relabelled as made elsewhere.
        relabelling_cost: cost of that as a share of the exporter's price.
        through: regions where it is relabelled.
        rate: (G,) tariff as a share of the price at the border.
    """

    instrument: Instrument
    members: Booleans
    exempt: Booleans
    reference: Floats
    by_origin: bool = False
    strict: bool = True
    leakage: float = 0.0
    relabelling_cost: float = 0.0
    through: tuple[int, ...] = ()
    rate: Floats | None = None

    @property
    def held(self) -> Booleans:
        """(R, G) cells in which the bloc holds a price."""
        return np.asarray(np.isfinite(self.reference) & self.members[:, None])

    @property
    def at_border(self) -> bool:
        """Whether what comes from outside pays at the border."""
        return self.instrument in ("levy", "tariff")

    def without(self) -> Mechanism:
        """Return the bloc when it does nothing."""
        return replace(self, instrument="none", leakage=0.0)

    def levied(self, routes: Routes) -> Booleans:
        """(A,) routes of goods from outside into a cell that holds a price."""
        outside = ~(self.members | self.exempt)[routes.origin]
        return np.asarray(self.at_border & outside & self.held[routes.target, routes.form])

    def inner(self, routes: Routes) -> Booleans:
        """(A,) routes from a member into a cell that holds a price."""
        inside = self.members[routes.origin]
        return np.asarray(self.at_border & inside & self.held[routes.target, routes.form])


def mechanism_for(
    network: Network,
    members: Iterable[str],
    reference_price: Reference,
    *,
    relative: bool = False,
    exempt: Iterable[str] = (),
    instrument: str = "levy",
    levy: str = "common",
    rules_of_origin: str = "strict",
    leakage: float = 0.0,
    relabelling_cost: float = 0.0,
    through: Iterable[str] = (),
    base: Floats,
) -> Mechanism:
    """Check what is asked of a bloc and lay it out over a network.

    Args:
        base: (R, G) base prices, which a relative reference multiplies.

    Raises:
        UnknownNameError: a member, partner, instrument or rule that does not exist.
        LabelError: a member that is not a region, or a form that the network lacks.
        InputError: a reference below zero, nobody outside.
    """
    for kind, value, known in (
        ("instrument", instrument, INSTRUMENTS),
        ("kind of levy", levy, ("common", "by_origin")),
        ("rules of origin", rules_of_origin, ("strict", "loose")),
    ):
        if value not in known:
            raise UnknownNameError(kind, value, known)
    inside = _mask(network, members, "members")
    if not inside.any():
        raise InputError(
            "a bloc needs at least one member", where="members", cure="Name ISO 3166 alpha-3 codes."
        )
    spared = _mask(network, exempt, "exempt")
    both = [network.regions[r] for r in np.flatnonzero(inside & spared)]
    if both:
        raise InputError(f"{', '.join(both)} is both a member and exempt", where="exempt")
    if (inside | spared).all():
        raise InputError("every region is a member or exempt: nobody is outside", where="members")
    reference = _reference(network, inside, reference_price, relative, base)
    if rules_of_origin == "strict" and leakage:
        raise InputError(
            f"rules_of_origin='strict' lets nothing leak, got leakage {leakage:g}",
            where="leakage",
            cure="Write rules_of_origin='loose', or leave leakage out.",
        )
    for name, number in (("leakage", leakage), ("relabelling_cost", relabelling_cost)):
        if not 0 <= number <= 1:
            raise InputError(f"{name} must be between 0 and 1, got {number}", where=name)
    return Mechanism(
        instrument,  # type: ignore[arg-type]
        inside,
        spared,
        reference,
        levy == "by_origin",
        rules_of_origin == "strict",
        float(leakage),
        float(relabelling_cost),
        tuple(int(r) for r in np.flatnonzero(_mask(network, through, "through"))),
    )


def _mask(network: Network, labels: Iterable[str], where: str) -> Booleans:
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    mask = np.zeros(len(network.regions), dtype=bool)
    for name in names:
        if name == REST_OF_WORLD and where == "members":
            raise InputError("the rest of the world cannot be a member", where=where, cure="Name countries.")
        if name not in network.regions:
            raise _not_a_region(network, name, where)
        mask[network.region(name)] = True
    return mask


def _not_a_region(network: Network, name: str, where: str) -> Exception:
    from evernormal.data import country  # noqa: PLC0415 - reads a table

    known = country(name, where=where)
    return LabelError(
        f"{known} is not a region of the network of {network.form}",
        where=where,
        cure=f"Load the network with keep=({known!r},).",
    )


def _reference(network: Network, inside: Booleans, price: Reference, relative: bool, base: Floats) -> Floats:
    """(R, G) USD per tonne contained, NaN where no price is held."""
    by_form: Mapping[str, float | Mapping[str, float]]
    by_form = price if isinstance(price, Mapping) else {network.form: price}
    reference = np.full(base.shape, np.nan)
    for name, asked in by_form.items():
        if name not in network.forms:
            raise LabelError(
                f"a reference price is asked for {name}, the network holds {', '.join(network.forms)}",
                where="reference_price",
                cure="Load the network with scope='chain', or leave the form out.",
            )
        g = network.form_index(name)
        each = (
            asked
            if isinstance(asked, Mapping)
            else dict.fromkeys((network.regions[r] for r in np.flatnonzero(inside)), asked)
        )
        for label, number in each.items():
            if label not in network.regions or not inside[network.region(label)]:
                raise UnknownNameError(
                    "member", label, [network.regions[r] for r in np.flatnonzero(inside)],
                    where="reference_price",
                )  # fmt: skip
            r = network.region(label)
            reference[r, g] = _price(number, name) * (base[r, g] if relative else 1.0)
    if not np.isfinite(reference).any():
        raise InputError("no reference price is given", where="reference_price")
    return reference


def _price(number: object, name: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float) or not np.isfinite(number):
        raise InputError(f"the reference price of {name} must be a number, got {number!r}",
                         where="reference_price")  # fmt: skip
    if number < 0:
        raise InputError(
            f"the reference price of {name} must be at least 0, got {number:g}", where="reference_price"
        )
    return float(number)


def made_in(network: Network) -> Floats:
    """(R, G) tonnes contained per year that a region makes: production and conversion output."""
    made = network.production.copy()
    for c, conversion in enumerate(network.conversions):
        made[:, network.form_index(conversion.target)] += network.activity[c] * conversion.recovery.value
    return made


@dataclass(frozen=True)
class YearActs:
    """What measures do on average over a year; A routes, R regions, G forms, U uses.

    Attributes:
        cap: (A,) largest shipment in tonnes contained, ``inf`` where free.
        tariff: (A,) measures' tariffs as a share of the exporter's base price.
        dumping: (A,) exporters' price cuts as a share of their base price.
        output: (R, G) largest output relative to the base, ``inf`` where free.
        growth: (U,) rise of use as a share of its base.
        added: (R,) tonnes of the network's form that states put on a market.
        quotas: pairs of a route mask (A,) and a cap in tonnes on their sum.
    """

    cap: Floats
    tariff: Floats
    dumping: Floats
    output: Floats
    growth: Floats
    added: Floats
    quotas: tuple[tuple[Booleans, float], ...]

    @classmethod
    def none(cls, network: Network, routes: Routes, uses: Sequence[Use]) -> YearActs:
        """Return a year in which nobody acts."""
        routes_count = len(routes.base)
        return cls(
            np.full(routes_count, np.inf),
            np.zeros(routes_count),
            np.zeros(routes_count),
            np.full(network.production.shape, np.inf),
            np.zeros(len(uses)),
            np.zeros(len(network.regions)),
            (),
        )


def year_acts(
    network: Network,
    routes: Routes,
    calendar: Calendar,
    uses: Sequence[Use],
    acts: Sequence[Act],
    year: int,
) -> tuple[YearActs, tuple[Finding, ...]]:
    """Average what measures do by month over year ``year`` (from 0) of the calendar.

    Raises:
        InputError: a kind of measure that is not simulated.
        LabelError: an actor that is not a region of the network.
    """
    if not acts:
        return YearActs.none(network, routes, uses), ()
    cut = tuple(act for act in acts if act.measure.kind == "dumping")
    others = tuple(act for act in acts if act.measure.kind != "dumping")
    monthly, findings = acts_of(network, routes, calendar, uses, others)
    dumped, more = acts_of(network, routes, calendar, uses, cut)
    span = slice(year * MONTHS, (year + 1) * MONTHS)
    return (
        YearActs(
            _caps(routes, monthly, span),
            monthly.route_wedge[:, span].mean(axis=1),
            -dumped.route_wedge[:, span].mean(axis=1),
            _output(monthly, span),
            monthly.demand_growth[:, span].mean(axis=1),
            monthly.added[:, span].mean(axis=1) * MONTHS,
            tuple(
                (mask, float(np.mean(cap[span])) * MONTHS)
                for mask, cap in monthly.quotas
                if np.isfinite(cap[span]).all()
            ),
        ),
        (*findings, *more),
    )


def _caps(routes: Routes, acts: Acts, span: slice) -> Floats:
    """Tonnes a year; a route that is free in some months may ship its base then, a new one its reference."""
    limited = np.isfinite(acts.route_cap[:, span])
    cap = np.where(limited, acts.route_cap[:, span], 0.0)
    usual = np.where(routes.base > 0, routes.base, routes.reference)
    monthly = np.where(limited, cap * routes.base[:, None], usual[:, None])
    bound = limited.any(axis=1)
    return np.asarray(np.where(bound, monthly.mean(axis=1) * MONTHS, np.inf))


def _output(acts: Acts, span: slice) -> Floats:
    cap = acts.production_cap[:, :, span]
    bound = np.isfinite(cap).any(axis=2)
    return np.asarray(np.where(bound, np.where(np.isfinite(cap), cap, 1.0).mean(axis=2), np.inf))
