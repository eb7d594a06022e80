"""Cleaning rules: which cuts in the statistics are no cuts of goods.

Each rule is one function of the records, and its text in :data:`RULES` says what it does and why.  A rule
about *measurement* (quantities, breaks, codes) rejects whatever else is known.  A rule of *presumption*
(a spike, a value that does not fall) guesses from the numbers alone; a named policy with a source
(:mod:`evernormal.market.history.known`) refutes the guess.

Every threshold is an assumption: chosen on how statistics fail, before any model was fitted, and never on a
score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.candidates import Candidate
from evernormal.market.history.records import Records, TradeRecords

__all__ = ["RULES", "Rule", "broken_rules", "siblings"]

Floats = NDArray[np.float64]

ENTREPOTS = frozenset({"ARE", "BEL", "CHE", "CYP", "HKG", "LUX", "MAC", "MLT", "NLD", "PAN", "SGP"})
"""Places whose ores and metals are mostly other countries' (assumption)."""


NOT_BY_WEIGHT = frozenset({"271121"})
"""Codes whose goods are metered by volume or energy: customs tonnes come and go with the reporter."""


@dataclass(frozen=True)
class Case:
    """One cut as its rules see it: records, place of the exporter, column of the year."""

    trade: TradeRecords
    records: Records
    place: int
    t: int

    def unit_value(self, place: int, t: int) -> float:
        """USD a tonne of a country's exports; nan where nothing of known quantity was shipped."""
        return _ratio(self.records.export_value[place, t], self.records.exports[place, t])

    def rest(self, t: int) -> tuple[float, float]:
        """Tonnes and USD of everyone else."""
        r = self.records
        return (
            float(r.world[t] - r.exports[self.place, t]),
            float(r.world_value[t] - r.export_value[self.place, t]),
        )

    def rest_unit_value(self, t: int) -> float:
        """USD a tonne of everyone else."""
        tonnes, value = self.rest(t)
        return _ratio(value, tonnes)

    @property
    def rest_price_change(self) -> float:
        """Everyone else's unit value over that of the year before; nan where unknown."""
        return _ratio(self.rest_unit_value(self.t), self.rest_unit_value(self.t - 1))


@dataclass(frozen=True)
class Rule:
    """A cleaning rule.

    Attributes:
        name: stable kebab-case name.
        presumption: a sourced policy overrides it.
        text: what it rejects and why.
        rejects: whether a case breaks it.
    """

    name: str
    presumption: bool
    text: str
    rejects: Callable[[Case], bool]


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")


def _apart(ratio: float, times: float) -> bool:
    """Whether a ratio is known and further from 1 than ``times`` in either direction."""
    return bool(np.isfinite(ratio) and (ratio > times or ratio < 1 / times))


def _entrepot(case: Case) -> bool:
    return case.records.countries[case.place] in ENTREPOTS


def _not_by_weight(case: Case) -> bool:
    return case.records.code in NOT_BY_WEIGHT


def _re_export(case: Case) -> bool:
    before = slice(case.t - 2, case.t)
    r = case.records
    return bool(r.imports[case.place, before].sum() > 0.8 * r.exports[case.place, before].sum())


def _quantity_unknown(case: Case) -> bool:
    r, i = case.records, case.place
    for t in (case.t - 1, case.t):
        blank, known = float(r.export_blank[i, t]), float(r.export_value[i, t])
        if blank > 0.2 * (blank + known):
            return True
    return False


def _imputed_quantity(case: Case) -> bool:
    r = case.records
    for t in (case.t - 1, case.t):
        pairs = np.flatnonzero((r.exporter == case.place) & (r.quantity[:, t] > 0))
        if len(pairs) < 3:
            continue
        tonnes = r.quantity[pairs, t]
        digits = np.array([f"{v:.2e}" for v in r.value[pairs, t] / tonnes])
        for text in np.unique(digits):
            same = digits == text
            if same.sum() >= 3 and tonnes[same].sum() > 0.5 * tonnes.sum():
                return True
    return False


def _unit_value_break(case: Case) -> bool:
    r = case.records
    if r.exports[case.place, case.t] <= 0.05 * r.exports[case.place, case.t - 1]:
        return False
    own = _ratio(case.unit_value(case.place, case.t), case.unit_value(case.place, case.t - 1))
    rest = case.rest_price_change
    return _apart(own, 3.0) and (not np.isfinite(rest) or _apart(own / rest, 3.0))


def _unit_value_outlier(case: Case) -> bool:
    level = case.unit_value(case.place, case.t - 1)
    earlier = [case.unit_value(case.place, t) for t in range(max(0, case.t - 5), case.t - 1)]
    known = [value for value in earlier if np.isfinite(value) and value > 0]
    own = _ratio(level, float(np.median(known))) if known else float("inf")
    world = _ratio(level, case.rest_unit_value(case.t - 1))
    return (not np.isfinite(own) or _apart(own, 8.0)) and (not np.isfinite(world) or _apart(world, 8.0))


def _reporting_break(case: Case) -> bool:
    rows = case.trade.value_by_code.get(case.records.countries[case.place], ())
    others = [value for code, value in rows if code != case.records.code and value[case.t - 1] > 0]
    if len(others) < 3:
        return False
    gone = [value[case.t] <= 0.1 * value[case.t - 1] for value in others]
    return float(np.mean(gone)) > 0.6


def siblings(code: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes to which the same goods may be booked: grades of one subheading, the rest code.

    >>> siblings("250410", ("250410", "250490", "250510"))
    ('250490',)
    """
    return tuple(
        other
        for other in codes
        if other != code
        and other[:4] == code[:4]
        and (other[:5] == code[:5] or other.endswith("90") or code.endswith("90"))
    )


def _reclassified(case: Case) -> bool:
    r, t = case.records, case.t
    name = r.countries[case.place]
    tonnes = r.exports[case.place, t - 1] - r.exports[case.place, t]
    value = max(r.export_value[case.place, t - 1] - r.export_value[case.place, t], 0.0)
    for other in siblings(r.code, tuple(case.trade.codes)):
        records = case.trade.codes[other]
        if name not in records.countries:
            continue
        i = records.place(name)
        more = records.exports[i, t] - records.exports[i, t - 1]
        dearer = records.export_value[i, t] - records.export_value[i, t - 1]
        if more > 0.4 * tonnes and dearer > 0.25 * value:
            return True
    return False


def _single_importer(case: Case) -> bool:
    t = case.t - 1
    return bool(case.records.imports[:, t].max() > 0.95 * case.records.world[t])


def _thin_market(case: Case) -> bool:
    return bool(case.records.world_value[case.t - 2 : case.t].mean() < 5e6)


def _world_break(case: Case) -> bool:
    now, before, earlier = (case.rest(t)[0] for t in (case.t, case.t - 1, case.t - 2))
    return (
        not (before > 0 and now > 0 and earlier > 0)
        or _apart(now / before, 3.0)
        or _apart(before / earlier, 3.0)
    )


def _other_exporter_break(case: Case) -> bool:
    r, t = case.records, case.t
    share = np.maximum(r.exports[:, t - 1] / r.world[t - 1], r.exports[:, t] / max(r.world[t], 1e-300))
    price = case.rest_price_change
    price = price if np.isfinite(price) else 1.0
    for i in np.flatnonzero(share > 0.15):
        if i == case.place:
            continue
        tonnes = _ratio(r.exports[i, t], r.exports[i, t - 1])
        value = _ratio(r.export_value[i, t], r.export_value[i, t - 1])
        if not np.isfinite(tonnes) or tonnes > 10.0:
            return True
        if _apart(tonnes, 3.0) and (tonnes <= 0 or _apart(value / tonnes / price, 2.5)):
            return True
    return False


def _base_year_spike(case: Case) -> bool:
    own, t = case.records.exports[case.place], case.t
    if own[t - 1] > 2.5 * own[t - 2]:
        return True
    earlier = own[max(0, t - 4) : t - 1]
    typical = float(np.median(earlier[earlier > 0])) if (earlier > 0).any() else 0.0
    return bool(own[t - 1] > 1.5 * own[t - 2] and own[t] > 0.7 * typical)


def _already_gone(case: Case) -> bool:
    own = case.records.exports[case.place]
    return bool(own[case.t - 1] <= 0.6 * own[case.t - 2])


def _value_not_falling(case: Case) -> bool:
    r, i, t = case.records, case.place, case.t
    value = r.export_value[i] + r.export_blank[i]
    if value[t] <= 0.85 * value[t - 1]:
        return False
    own = _ratio(case.unit_value(i, t), case.unit_value(i, t - 1))
    rest = case.rest_price_change
    return not (np.isfinite(rest) and np.isfinite(own) and rest >= np.sqrt(max(own, 1.0)))


def _rest_code(case: Case) -> bool:
    code = case.records.code
    return code.endswith("90") and any(
        other[:5] != code[:5] for other in siblings(code, tuple(case.trade.codes))
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "entrepot",
        False,
        "The exporter is a listed entrepot: its exports are other countries' goods.",
        _entrepot,
    ),
    Rule(
        "re-export",
        False,
        "The exporter bought more than 80 % of what it shipped in the two years before: perhaps a detour.",
        _re_export,
    ),
    Rule(
        "not-by-weight",
        False,
        "Natural gas in pipes is metered by volume or energy and often withheld: tonnes come and go.",
        _not_by_weight,
    ),
    Rule(
        "quantity-unknown",
        False,
        "More than 20 % of the exporter's value has no quantity in the year or the year before.",
        _quantity_unknown,
    ),
    Rule(
        "imputed-quantity",
        False,
        "More than half of the tonnes go to three or more importers at the same unit value to three digits:"
        " the publisher or a customs office made the quantity from the value.",
        _imputed_quantity,
    ),
    Rule(
        "unit-value-break",
        False,
        "The exporter's unit value changes more than three times, alone and against everyone else's: another"
        " unit or another product.",
        _unit_value_break,
    ),
    Rule(
        "unit-value-outlier",
        False,
        "The base year's unit value is more than eight times from both the exporter's own level and everyone"
        " else's.  From one of the two alone would reject laterite nickel ore, which is that cheap.",
        _unit_value_outlier,
    ),
    Rule(
        "reporting-break",
        False,
        "More than 60 % of the exporter's other codes (three at least) lose over 90 % of their value in"
        " the same year: the country was split, merged or not reported.",
        _reporting_break,
    ),
    Rule(
        "reclassified",
        False,
        "A code for the same goods takes up over 40 % of the lost tonnes and over 25 % of the lost value.",
        _reclassified,
    ),
    Rule(
        "single-importer",
        False,
        "One importer takes over 95 % of the world's trade: nothing can be told about who loses.",
        _single_importer,
    ),
    Rule(
        "thin-market",
        False,
        "World trade is below 5 million USD a year in the two years before: single shipments decide.",
        _thin_market,
    ),
    Rule(
        "world-break",
        False,
        "Everyone else's tonnes together change more than three times in the year or the year before.",
        _world_break,
    ),
    Rule(
        "other-exporter-break",
        False,
        "Another exporter with over 15 % of the world grows more than ten times, or changes three times while"
        " its value does not follow: the year shows that exporter's statistics.",
        _other_exporter_break,
    ),
    Rule(
        "rest-code",
        True,
        "The code is what its heading leaves over of a product whose grades have codes of their own: a"
        " mixture that changes from year to year.",
        _rest_code,
    ),
    Rule(
        "base-year-spike",
        True,
        "The base year is over 2.5 times the year before, or over 1.5 times and the cut leads back to 70 % or"
        " more of the usual: the end of a spike.",
        _base_year_spike,
    ),
    Rule(
        "already-gone",
        True,
        "The exporter had lost 40 % or more the year before: this is the tail of an earlier cut.",
        _already_gone,
    ),
    Rule(
        "value-not-falling",
        True,
        "The exporter's value stays above 85 % while its quantity falls, and everyone else's unit value does"
        " not rise by half as much (in logarithms): a quantity that was wrong before or is now.",
        _value_not_falling,
    ),
)


def broken_rules(trade: TradeRecords, one: Candidate) -> tuple[str, ...]:
    """Return the names of the rules that a cut breaks, in the order of :data:`RULES`."""
    records = trade.records(one.code)
    case = Case(trade, records, records.place(one.exporter), records.column(one.year))
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(rule.name for rule in RULES if rule.rejects(case))
