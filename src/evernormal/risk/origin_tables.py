"""The tables, findings and lineage of a traced origin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.network.forms import Form, conversions
from evernormal.network.forms import form as form_of
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result
from evernormal.risk.origin_accounts import OLDEST_SHARES, Stage
from evernormal.risk.origin_published import Basket
from evernormal.risk.origin_walk import NAMED, Chained, Step

__all__ = ["STAGE_NAMES", "Traced", "origin_result", "stage_name"]

Floats = npt.NDArray[np.float64]

STAGE_NAMES = ("direct", "made", "refined", "intermediate", "mined")
"""Stages of an origin, from the importer back to the mine."""

_SMALL, _LOUD = 1e-6, 0.05
_ROUNDING = 1e-12
"""Shares up to this are what sums leave; anything above has a row, so that shares add up to 1."""
_KEYS = {"focal": pl.String, "year": pl.Int64}
_ORIGIN = (
    _KEYS
    | dict.fromkeys(("stage", "form", "country"), pl.String)
    | dict.fromkeys(("share", "low", "high", "tonnes"), pl.Float64)
)
_HUB_NUMBERS = ("direct_share", "share_after_correction", "low", "high", "correction", "reexported")
_HUBS = _KEYS | {"hub": pl.String} | dict.fromkeys(_HUB_NUMBERS, pl.Float64)
_FLOWS = (
    _KEYS
    | dict.fromkeys(("source_stage", "source_form", "source"), pl.String)
    | dict.fromkeys(("target_stage", "target_form", "target"), pl.String)
    | dict.fromkeys(("tonnes", "loss_t"), pl.Float64)
)
_UNEXPLAINED = (
    _KEYS
    | {"stage": pl.String, "form": pl.String}
    | dict.fromkeys(("share", "tonnes"), pl.Float64)
    | {"reason": pl.String}
)
_STAGES = (
    {"year": pl.Int64}
    | dict.fromkeys(("form", "stage"), pl.String)
    | {"trade": pl.Boolean, "production": pl.String, "source": pl.String}
)


@dataclass(frozen=True)
class Traced:
    """One importer in one year, traced.

    Attributes:
        focal: importer.
        year: calendar year.
        chain: the chain under the central picture.
        basket: direct suppliers.
        whole: forms through which everything traced must pass.
        stages: form, central share, low, high by country that made it; the traced form first.
        steps: tonnes between stages; none where the tonnes imported are unknown.
    """

    focal: str
    year: int
    chain: Chained
    basket: Basket
    whole: tuple[str, ...]
    stages: tuple[tuple[str, Floats, Floats, Floats], ...]
    steps: tuple[Step, ...]


def stage_name(name: str, traced: str, kept: Sequence[str]) -> str:
    """Return which stage a form stands for in the chain of another.

    >>> kept = ("cobalt/ore", "cobalt/intermediates", "cobalt/oxides")
    >>> [stage_name(form, "cobalt/oxides", kept) for form in kept]
    ['mined', 'intermediate', 'refined']
    """
    one = form_of(name)
    if one.stage == "ore":
        return "mined"
    last = [f for f in kept if form_of(f).stage == "refined"]
    if last and name == last[-1]:
        return "refined"
    return "made" if name == traced else "intermediate"


def origin_result(
    found: Form,
    traced: Sequence[Traced],
    findings: Iterable[Finding],
    inputs: tuple[Input, ...],
    call: Mapping[str, object],
) -> Result:
    """Join everything that was traced into one result."""
    tables = {
        "origin": _table([row for one in traced for row in _origin_rows(one)], _ORIGIN),
        "hubs": _table([row for one in traced for row in _hub_rows(one)], _HUBS),
        "flows": _table([row for one in traced for row in _flow_rows(one)], _FLOWS),
        "unexplained": _table([row for one in traced for row in _unexplained_rows(one)], _UNEXPLAINED),
        "stages": _table(_stage_rows(traced), _STAGES).unique(maintain_order=True),
    }
    fraction, tonnes = "fraction", "t contained"
    units = {
        "origin": {"share": fraction, "low": fraction, "high": fraction, "tonnes": tonnes},
        "hubs": dict.fromkeys(_HUB_NUMBERS, fraction),
        "flows": {"tonnes": tonnes, "loss_t": tonnes},
        "unexplained": {"share": fraction, "tonnes": tonnes},
        "stages": {},
    }
    said = _unique([*findings, *_stage_findings(found, traced), *_gap_findings(traced)])
    return Result("origin", tables, units, _lineage(traced, inputs, call), said)


def _table(rows: list[tuple[object, ...]], schema: Mapping[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(schema), orient="row")  # type: ignore[arg-type]


def _origin_rows(one: Traced) -> list[tuple[object, ...]]:
    traced, labels = one.chain.kept[-1], one.chain.sources.labels
    shares = one.basket.shares
    rows: list[tuple[object, ...]] = [
        (one.focal, one.year, "direct", traced, labels[i], shares[i], shares[i], shares[i],
         _known(shares[i] * one.basket.tonnes))
        for i in _ranked(shares, shares)
    ]  # fmt: skip
    for name, middle, low, high in one.stages:
        stage = stage_name(name, traced, one.chain.kept)
        tonnes = _tonnes(one, name)
        rows += [
            (one.focal, one.year, stage, name, labels[i], middle[i], low[i], high[i], _known(tonnes[i]))
            for i in _ranked(middle, high)
        ]
    return rows


def _tonnes(one: Traced, name: str) -> Floats:
    """Tonnes of a form by the country that made it, losses on the way included."""
    if name == one.chain.kept[-1]:
        made: Floats = one.stages[0][1] * one.basket.tonnes
        return made
    leaving = [step.leaving.sum(axis=1) for step in one.steps if step.source == name]
    unknown = np.full(len(one.chain.sources.labels), np.nan)
    return np.sum(leaving, axis=0) if leaving else unknown


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ranked(middle: Floats, high: Floats) -> list[int]:
    """Places worth a row, largest share first; the order of places decides ties (law 7)."""
    seen = np.flatnonzero((middle > _ROUNDING) | (high > NAMED))
    return [int(i) for i in sorted(seen, key=lambda i: (-round(float(middle[i]), 12), -high[i], i))]


def _hub_rows(one: Traced) -> list[tuple[object, ...]]:
    """Suppliers whose share changes when re-exports are taken out, largest change first."""
    if one.basket.known_by != "trade":
        return []
    traced, labels, direct = one.chain.kept[-1], one.chain.sources.labels, one.basket.shares
    _, middle, low, high = one.stages[0]
    bought = one.chain.drawn(traced).bought
    change = middle - direct
    places = np.flatnonzero((direct > 0) & (np.abs(change) > _SMALL))
    return [
        (one.focal, one.year, labels[i], direct[i], middle[i], low[i], high[i], change[i], bought[i])
        for i in sorted(places, key=lambda i: (round(float(change[i]), 12), i))
    ]


def _flow_rows(one: Traced) -> list[tuple[object, ...]]:
    """Tonnes from the mine to the importer, upstream first."""
    if not np.isfinite(one.basket.tonnes):
        return []
    kept, labels = one.chain.kept, one.chain.sources.labels
    traced = kept[-1]
    rows: list[tuple[object, ...]] = []

    def add(source: tuple[str, str], target: tuple[str, str], leaving: Floats, arriving: Floats) -> None:
        for i, j in np.argwhere(leaving > _ROUNDING * one.basket.tonnes):
            rows.append(
                (one.focal, one.year, *source, labels[i], *target, labels[j],
                 float(leaving[i, j]), float(max(leaving[i, j] - arriving[i, j], 0.0)))
            )  # fmt: skip

    for step in reversed(one.steps):
        source = (stage_name(step.source, traced, kept), step.source)
        add(source, (stage_name(step.target, traced, kept), step.target), step.leaving, step.arriving)
    direct = one.basket.shares * one.basket.tonnes
    shipped = one.chain.drawn(traced).shipped.T * direct[None, :]
    add((stage_name(traced, traced, kept), traced), ("direct", traced), shipped, shipped)
    bought = np.zeros_like(shipped)
    bought[:, one.chain.sources.place()[one.focal]] = direct
    add(("direct", traced), ("import", traced), bought, bought)
    return rows


def _unexplained_rows(one: Traced) -> list[tuple[object, ...]]:
    """What no country can be named for, stage by stage, downstream first."""
    traced = one.chain.kept[-1]
    rows: list[tuple[object, ...]] = []
    before = 1.0 - float(one.basket.shares.sum())
    if before > _ROUNDING:
        text = "suppliers that no publication names"
        rows.append((one.focal, one.year, "direct", traced, before, None, text))
    for name, middle, _, _ in one.stages:
        if name not in one.whole:
            continue
        share = max(1.0 - float(middle.sum()), 0.0)
        if share > _ROUNDING:
            loss = "its maker has no recorded input of this form"
            hub = "shipped by countries that neither make it nor buy it"
            more = share > before + _SMALL
            reason = "as downstream" if not more else hub if name == traced else loss
            tonnes = _known(share * one.basket.tonnes)
            stage = stage_name(name, traced, one.chain.kept)
            rows.append((one.focal, one.year, stage, name, share, tonnes, reason))
        before = share
    return rows


def _stage_rows(traced: Sequence[Traced]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in traced:
        for name in one.chain.kept:
            stage = one.chain.stage(name)
            label = stage_name(name, one.chain.kept[-1], one.chain.kept)
            rows.append(
                (one.year, name, label, stage.flows is not None, stage.made_known, stage.source or None)
            )
    return rows


def _unique(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.code, finding.message), finding)
    return tuple(kept.values())


def _stage_findings(found: Form, traced: Sequence[Traced]) -> list[Finding]:
    """What is not known of each stage, and what stands in its place."""
    said: list[Finding] = []
    for one in traced:
        for name in one.chain.kept:
            stage = one.chain.stage(name)
            said += stage.findings
            said += _not_known(stage, one, found)
            said += _outshipped(stage, one)
        for link in one.chain.links:
            if link.between:
                between = ", ".join(link.between)
                text = (
                    f"{link.source} becomes {link.target} by way of {between}, whose trade is not recorded:"
                    " each country's own use comes first, the rest from what others have left over."
                )
                values = {"source": link.source, "target": link.target, "between": list(link.between)}
                said.append(Finding("trade-between-stages-unknown", "caution", text, values))
    if not any(form_of(name).stage == "ore" for one in traced for name in one.chain.kept):
        text = f"No mine stands behind {found.name} in the tables: its origin ends at who made it."
        said.append(Finding("origin-ends-before-mine", "caution", text, {"form": found.name}))
    return said


def _not_known(stage: Stage, one: Traced, found: Form) -> list[Finding]:
    name, said = stage.form.name, []
    if stage.flows is None and name != found.name:
        text = (
            f"No customs code shows the trade in {name}: each country's own use comes first, the rest from"
            " what others have left over; the interval is what the totals allow, up to the mix of the world."
        )
        said.append(Finding("trade-of-stage-unknown", "caution", text, {"form": name}))
    if stage.made_known == "unknown" and stage.flows is not None:
        text = (
            f"Who makes {name} is not published for {one.year}: a country makes what it ships beyond what it"
            " buys; the interval lets it make all that it ships, or as little as trade allows."
        )
        said.append(Finding("production-of-stage-unknown", "caution", text, {"form": name, "year": one.year}))
    return said


def _outshipped(stage: Stage, one: Traced) -> list[Finding]:
    """Say which producers ship more than statistics let them; they are taken to make what they ship."""
    if stage.flows is None:
        return []
    sold, bought = stage.flows.sum(axis=1), stage.flows.sum(axis=0)
    extra = sold - bought - stage.production
    seen = np.flatnonzero((stage.production > 0) & (extra > _LOUD * sold) & (sold > _LOUD * sold.sum()))
    if not seen.size:
        return []
    labels = one.chain.sources.labels
    named = "; ".join(
        f"{labels[i]} {stage.production[i]:,.0f} t made, {sold[i] - bought[i]:,.0f} t shipped net"
        for i in sorted(seen, key=lambda i: (-extra[i], i))[:3]
    )
    text = (
        f"{stage.form.name} in {one.year}: some ship more than statistics say they make (content, year or"
        f" stage differ); their production is taken as what they ship: {named}."
    )
    values = {"form": stage.form.name, "year": one.year, "countries": [labels[i] for i in seen]}
    return [Finding("production-below-shipments", "info", text, values)]


def _gap_findings(traced: Sequence[Traced]) -> list[Finding]:
    """Say where a visible share is of unknown origin."""
    said = []
    for one in traced:
        for name, middle, _, _ in one.stages:
            share = 1.0 - float(middle.sum())
            if name in one.whole and share > _LOUD:
                text = (
                    f"{share:.0%} of what {one.focal} imported of {one.chain.kept[-1]} in {one.year} has no"
                    f" known origin at {name}: it may come from anyone."
                )
                values = {"focal": one.focal, "year": one.year, "form": name, "share": share}
                said.append(Finding("origin-unexplained", "warning", text, values))
    return said


def _lineage(traced: Sequence[Traced], inputs: tuple[Input, ...], call: Mapping[str, object]) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    pairs = {(link.source, link.target) for one in traced for link in one.chain.links}
    used: list[Parameter] = [s.recovery for s in conversions() if (s.source, s.target) in pairs]
    if any(one.chain.stage(name).made_known == "shares" for one in traced for name in one.chain.kept):
        used.append(OLDEST_SHARES)
    texts = {
        ("origin", "share", "E114"): "Makers of the imports by stage: shipments solved through every hub.",
        ("origin", "low", "E116"): "Least of four pictures: proportional, own production first, purchases"
        " first, mix of the world.",
        ("origin", "high", "E116"): "Most of the same pictures, plus what is of unknown origin.",
        ("origin", "tonnes", "E115"): "Imports times share, over the recoveries on the way.",
        ("hubs", "share_after_correction", "E114"): "What the hub itself made of the imports.",
        ("flows", "tonnes", "E115"): "Tonnes leaving; the loss is what the conversion does not recover.",
    }
    derived = tuple(Derivation(t, c, e, (), text) for (t, c, e), text in texts.items())
    return Lineage(__version__, inputs, tuple(used), derived, call=dict(call))
