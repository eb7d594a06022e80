"""Hazards of every exporter and form: how often, how hard, how soon, how long, and what strikes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data import scan_trade
from evernormal.data.geography import check_iso3
from evernormal.data.schema import day
from evernormal.data.snapshot import source_day
from evernormal.data.trade_table import trade_table
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.market.history.candidates import TIERS
from evernormal.market.history.episodes import build_registry, registry
from evernormal.market.history.records import TradeRecords, arrange
from evernormal.network.forms import form_names, materials
from evernormal.result import Derivation, Finding, Input, Lineage, Result
from evernormal.risk.hazard_cells import Cell, Models, cells_of_forms, cells_of_materials, hazard_rows
from evernormal.risk.hazard_events import (
    RESTRICTIONS_FROM,
    Spans,
    cut_panel,
    cut_spans,
    governance_by_year,
    restriction_events,
    restriction_panel,
)
from evernormal.risk.hazard_judgement import Judgement, read_judgements
from evernormal.risk.hazard_rates import fit_rates
from evernormal.risk.hazard_restrictions import restriction_lost, restriction_onsets, restriction_spans
from evernormal.risk.hazard_spans import fit_durations, fit_onsets, fit_severities
from evernormal.risk.hazard_told import hazard_findings, hazard_tables, hazard_units

__all__ = ["hazards"]

Floats = NDArray[np.float64]
Kind = Literal["cut", "restriction"]
Fitted = TypeVar("Fitted")

KINDS = ("cut", "restriction")
SCORED_FROM = {"cut": 2009, "restriction": 2018}
"""First year that is forecast from the years before it."""


@dataclass(frozen=True)
class _Evidence:
    """What a kind of hazard rests on."""

    panel: pl.DataFrame
    cells: list[Cell]
    events: pl.DataFrame
    spans: Spans
    lost: tuple[tuple[str, ...], Floats]
    onsets: tuple[tuple[str, ...], Floats] | None
    floor: float
    inputs: tuple[Input, ...]
    findings: list[Finding]


def hazards(
    forms: str | Iterable[str] | None = None,
    exporters: str | Iterable[str] | None = None,
    *,
    kind: Kind = "cut",
    tier: str = "core",
    through: int | None = None,
    judgements: str | Path | Sequence[Judgement] | None = None,
    score: bool = True,
    seed: int = 0,
    dataset: str | None = None,
    policies: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the hazards of exporters and forms (equations E145 to E149).

    Args:
        forms: forms such as ``graphite/natural``, or materials for all their forms, such as ``graphite``;
            every form when left out.
        exporters: ISO 3166 alpha-3; every large one when left out.
        kind: ``cut``: an exporter of at least 15 % of a code's world exports loses at least 40 % of its own
            in a year, whatever the cause; ``restriction``: it bans, licenses, limits or taxes what it
            ships, by the list typed from reports and the policy records that you added.
        tier: of cuts: ``core`` (15 %, 40 %) or ``wider`` (10 %, 25 %).
        through: last year of data to fit on; all when left out.
        judgements: your own figures, in place of the model's or weighed against them: a CSV or YAML file, see
            :func:`evernormal.risk.hazard_judgement.read_judgements`.
        score: whether past years are forecast from the years before them and scored.
        seed: of the bootstrap behind the interval of the scores.
        dataset: trade that you added, with its own registry of cuts; the shipped trade when left out.
        policies: data sets of policy records; all that you added when left out.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day (law 11).

    Returns:
        A Result ``hazards`` with tables ``hazards`` (per exporter and item: rate a year, severity as share of
        shipments, onset in days, duration in months, each with 80 % interval, the model's own value and the
        weight of a judgement), ``distributions`` (what draws use), ``correlation``, ``coefficients``,
        ``factors``, ``skill`` (against one common rate), ``events``.

    Raises:
        UnknownNameError: a form or material, exporter, kind, tier or data set that does not exist.
        NotCoveredError: nothing asked for is exposed, or nothing was knowable on the day.
        SourceFormatError: a file of judgements with faults, named by row and column.

    >>> found = hazards("nickel/ore", score=False)["hazards"]
    >>> found.filter(pl.col("exporter") == "PHL")["events"].item() >= 0
    True
    """
    wanted = _wanted(forms)
    who = None if exporters is None else check_iso3(exporters, where="exporters")
    for name, given, known in (("kind", kind, KINDS), ("tier", tier, tuple(TIERS))):
        if given not in known:
            raise UnknownNameError(name, given, known)
    judged = read_judgements(judgements) if isinstance(judgements, str | Path) else list(judgements or ())
    if kind == "cut":
        evidence = _cuts(wanted, tier, through, dataset, folder, as_of)
    else:
        evidence = _restrictions(wanted, through, dataset, policies, folder, as_of)
    findings = list(evidence.findings)
    rates = fit_rates(evidence.panel)
    models = Models(
        rates,
        _tried(lambda: fit_severities(*evidence.lost, evidence.floor), "severity", findings),
        None if evidence.onsets is None else _tried(lambda: fit_onsets(*evidence.onsets), "onset", findings),  # type: ignore[misc]
        _tried(lambda: fit_durations(evidence.spans), "duration", findings),
    )
    cells = [c for c in evidence.cells if who is None or c.exporter in who]
    mine = [j for j in judged if (who is None or j.exporter in ("", *who)) and _about(j.form, wanted)]
    rows, laws = hazard_rows(cells, models, evidence.panel, mine, wanted)
    if not rows:
        listed = "" if who is None else f" of {', '.join(who)}"
        raise NotCoveredError(
            f"no exporter{listed} is exposed in what was asked",
            cure="Ask for kind='restriction', tier='wider' or other forms, or judge a rate yourself.",
        )
    first = SCORED_FROM[kind] if score else None
    tables = hazard_tables(rows, laws, evidence.panel, evidence.events, rates, first, seed)
    findings += hazard_findings(tables, wanted, mine)
    call = {
        "forms": None if forms is None else sorted(wanted), "exporters": who, "kind": kind, "tier": tier,
        "through": through, "as_of": None if as_of is None else str(as_of), "judgements": len(judged),
    }  # fmt: skip
    from evernormal import __version__  # noqa: PLC0415

    lineage = Lineage(__version__, evidence.inputs, (), _DERIVATIONS, seed, call)
    return Result("hazards", tables, hazard_units(tables), lineage, tuple(findings))


def _wanted(forms: str | Iterable[str] | None) -> set[str]:
    every = form_names()
    if forms is None:
        return set(every)
    of_material: dict[str, set[str]] = {name: set() for name in materials()["material"].to_list()}
    for name in every:
        of_material.setdefault(name.partition("/")[0], set()).add(name)
    found: set[str] = set()
    for name in [forms] if isinstance(forms, str) else forms:
        if name not in every and not of_material.get(name):
            raise UnknownNameError("form or material", name, (*every, *of_material))
        found |= of_material.get(name, {name})
    return found


def _about(name: str, wanted: set[str]) -> bool:
    """Whether a judgement of a form or material, or of all, is about what is wanted."""
    return not name or any(name in (form, form.partition("/")[0]) for form in wanted)


def _tried(fit: Callable[[], Fitted], what: str, findings: list[Finding]) -> Fitted | None:
    """Return what was fitted, None with a finding when there is too little."""
    try:
        return fit()
    except InputError as error:
        text = f"No {what} can be told: {error.what}."
        findings.append(Finding("hazard-part-unknown", "warning", text, {"part": what, "why": error.what}))
        return None


def _trade(
    dataset: str | None, folder: str | Path | None, as_of: date | str | None, through: int | None
) -> tuple[TradeRecords, str, Input]:
    table = trade_table(dataset, folder, as_of)
    rows = scan_trade(dataset=dataset, folder=folder, as_of=as_of)
    if through is not None:
        rows = rows.filter(pl.col("year") <= through)
    found = rows.select("year", "exporter", "importer", "code", "value_usd", "quantity_t").collect()
    return arrange(found, revision=table.revision), table.revision, table.input


def _ruled(as_of: date | str | None, through: int | None) -> Mapping[str, Mapping[int, float]]:
    known_on = day(as_of)
    if known_on is not None and known_on < source_day("governance"):
        return {}
    table = governance_by_year()
    if through is None:
        return table
    return {who: {y: v for y, v in years.items() if y <= through} for who, years in table.items()}


def _cuts(
    forms: set[str],
    tier: str,
    through: int | None,
    dataset: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> _Evidence:
    trade, revision, pinned = _trade(dataset, folder, as_of, through)
    if dataset is None:
        episodes = tuple(e for e in registry(tier) if through is None or e.year <= through)
    else:
        episodes = tuple(e for e in build_registry(trade)[0] if e.tier == tier)
    ruled = _ruled(as_of, through)
    panel = cut_panel(trade, episodes, tier, ruled)
    cells = cells_of_forms(trade, revision, tier, ruled, forms)
    spans, lost = cut_spans(trade, panel)
    acts = {(e.code, e.year): e.policy for e in episodes}
    events = panel.filter("event").with_columns(
        lost=pl.Series(lost),
        source=pl.Series(
            [acts.get((c, y), "") for c, y in panel.filter("event").select("item", "year").iter_rows()]
        ),
    )
    who = tuple(events["exporter"].to_list())
    return _Evidence(panel, cells, events, spans, (who, lost), None, TIERS[tier].cut, (pinned,), [])


def _restrictions(
    forms: set[str],
    through: int | None,
    dataset: str | None,
    policies: str | Sequence[str] | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> _Evidence:
    trade, revision, pinned = _trade(dataset, folder, as_of, through)
    known_on = day(as_of)
    if through is not None:
        last_day = date(through, 12, 31)
        known_on = last_day if known_on is None else min(known_on, last_day)
    acts, inputs, findings = restriction_events(folder, known_on, policies)
    if acts.is_empty():
        raise NotCoveredError(f"no restriction was on record on {known_on}")
    last = max(
        d.year for d in acts.select(pl.coalesce("effective", "announced")).to_series() if d is not None
    )
    ruled = _ruled(as_of, through)
    panel = restriction_panel(trade, revision, acts, last, ruled)
    cells = cells_of_materials(panel, ruled, forms)
    text = (
        f"Restrictions are those of a list typed from reports since {RESTRICTIONS_FROM} and of the policy"
        " records that were added: acts that nobody reported are missing, so a frequency is a lower end;"
        " which acts were typed was chosen after the fact, so the skill is an upper end."
    )
    findings.append(Finding("restriction-list-incomplete", "warning", text, {"first": RESTRICTIONS_FROM}))
    return _Evidence(
        panel, cells, acts, restriction_spans(acts), restriction_lost(acts, trade, revision),
        restriction_onsets(acts), 0.0, (pinned, *inputs), findings,
    )  # fmt: skip


_DERIVATIONS = (
    Derivation("hazards", "rate", "E146", ("coefficients.value", "factors.factor"), "Regression x factors."),
    Derivation("hazards", "chance", "E146", ("hazards.rate",), "1 - exp(-rate)."),
    Derivation("hazards", "severity", "E147", ("events",), "Median of the beta distribution."),
    Derivation("hazards", "onset_days", "E147", ("events",), "Median of log(1 + days)."),
    Derivation("hazards", "duration_months", "E148", ("events",), "Median of the Weibull distribution."),
    Derivation("coefficients", "value", "E145", ("events",), "Firth's logistic regression, slopes shrunk."),
    Derivation("factors", "factor", "E146", ("events",), "Gamma factors of exporters and items."),
    Derivation("correlation", "correlation", "E148", ("events",), "Pairs of events seen, against chance."),
    Derivation("skill", "gain", "E149", ("events",), "Years forecast from those before."),
)
