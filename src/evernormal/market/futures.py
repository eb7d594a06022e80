"""Events drawn outside an ensemble, such as those of hazards: what strikes in which of its draws.

Draw ``n`` of an ensemble gets the events of future ``n`` beside the measures of its scenario.  Which chain an
event hits is read from its forms; what starts after the horizon, and what the focal country does itself, hits
none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import EvernormalError, InputError, LabelError
from evernormal.market.acts import Act
from evernormal.network.measures import Ban
from evernormal.network.uncertain import Uncertain
from evernormal.result import Finding, Input, Result

if TYPE_CHECKING:
    from evernormal.network.network import Network
    from evernormal.network.scenario import Scenario

__all__ = ["COLUMNS", "Futures", "ban_of", "read_futures"]

Floats = NDArray[np.float64]
Event = tuple[str, str, str, date, date, date, float]
"""exporter, item, forms joined by semicolons, announced, effective, ends, severity"""

COLUMNS = ("draw", "exporter", "item", "forms", "announced", "effective", "ends", "severity")
"""What a table of drawn events holds, one row per event; a draw without a row has none."""


@dataclass(frozen=True)
class Futures:
    """Events by chain and draw, ready to be drawn.

    Attributes:
        events: per chain, draw to its events in the order of effect, exporter and item.
        columns: (chain, exporter) of every number in :meth:`reach`.
        horizon: first day and first day after.
        sha256: of all that was given; part of the question of an ensemble.
        inputs: what the events rest on.
        findings: what a reader must know about them.
    """

    events: tuple[Mapping[int, tuple[Event, ...]], ...]
    columns: tuple[tuple[int, str], ...]
    horizon: tuple[date, date]
    sha256: str
    inputs: tuple[Input, ...]
    findings: tuple[Finding, ...]

    def acts(self, chain: int, draw: int) -> tuple[Act, ...]:
        """Return what strikes a chain in a draw."""
        mine = self.events[chain].get(draw, ())
        return tuple(Act(ban_of(event), {"severity": event[6]}) for event in mine)

    def reach(self, first: int, count: int) -> Floats:
        """(count, columns) share of the horizon's shipments that an exporter withholds from a chain."""
        start, end = self.horizon
        days = (end - start).days
        found = np.zeros((count, len(self.columns)))
        place = {column: n for n, column in enumerate(self.columns)}
        for chain, by_draw in enumerate(self.events):
            for n in range(count):
                for who, _, _, _, effective, ends, severity in by_draw.get(first + n, ()):
                    held = (min(ends, end) - max(effective, start)).days / days
                    found[n, place[chain, who]] += severity * held
        return found


def ban_of(event: Event, source: str = "") -> Ban:
    """Return an event as a measure; a licence or quota stands as a ban of part of the shipments.

    >>> what = ("CHN", "gallium", "gallium/metal", date(2026, 1, 5), date(2026, 2, 1), date(2027, 2, 1), 0.4)
    >>> ban_of(what).id
    'hazard-CHN-gallium-2026-02-01'
    """
    who, item, forms, announced, effective, ends, severity = event
    return Ban(
        id=re.sub(r"[^A-Za-z0-9._-]+", "-", f"hazard-{who}-{item}-{effective}")[:80],
        by=who,
        forms=tuple(forms.split(";")),
        severity=Uncertain(severity, severity),
        announced=announced,
        effective=effective,
        ends=ends,
        source=source,
    )


def read_futures(
    given: Result | pl.DataFrame, networks: Sequence[Network], scenarios: Sequence[Scenario], draws: int
) -> Futures:
    """Check drawn events and share them out over chains and draws.

    Args:
        given: result of :func:`evernormal.risk.draw_hazards`, or a table with :data:`COLUMNS`.
        networks: one per chain.
        scenarios: one per chain, of one horizon.
        draws: number of draws that are asked for.

    Raises:
        InputError: columns are missing, an event makes no sense, or the futures are too few, too short or
            begin on another day than the scenario.
        LabelError: an exporter that a network does not show by itself (law 3).
    """
    horizon = scenarios[0].start_date, scenarios[0].end_date
    if isinstance(given, Result):
        _require_fit(given, horizon, scenarios[0].months, draws)
    table = _checked(given["draws"] if isinstance(given, Result) else given)
    within = table.filter(
        pl.col("draw") < draws, pl.col("effective") < horizon[1], pl.col("ends") > horizon[0]
    )
    events = []
    for network in networks:
        mine: dict[int, list[Event]] = {}
        for draw, *rest in within.filter(pl.col("exporter") != network.focal).iter_rows():
            kept = ";".join(name for name in rest[2].split(";") if name in network.forms)
            if kept:
                mine.setdefault(draw, []).append((rest[0], rest[1], kept, *rest[3:]))
        _require_shown(network, {event[0] for found in mine.values() for event in found})
        events.append({draw: tuple(found) for draw, found in mine.items()})
    columns = sorted({(k, e[0]) for k, part in enumerate(events) for found in part.values() for e in found})
    digest = hashlib.sha256(table.write_csv().encode()).hexdigest()
    inputs: tuple[Input, ...] = (Input("drawn events", digest, "given as a table"),)
    findings: tuple[Finding, ...] = ()
    if isinstance(given, Result):
        inputs, findings = given.lineage.inputs, given.findings
    told = (*findings, _told(events, draws), *_policies(scenarios))
    return Futures(tuple(events), tuple(columns), horizon, digest, inputs, told)


def _require_fit(given: Result, horizon: tuple[date, date], months: int, draws: int) -> None:
    if given.kind != "hazard-draws":
        raise InputError(
            f"a result of kind {given.kind!r} holds no drawn events",
            where="events",
            cure="Give the result of risk.draw_hazards.",
        )
    call = given.lineage.call
    first, count = int(call["first"]), int(call["draws"])
    if first or count < draws:
        raise InputError(
            f"futures {first} to {first + count - 1} were drawn, 0 to {draws - 1} are asked for",
            where="events",
            cure=f"Draw {draws} of them from the first on.",
        )
    if date.fromisoformat(str(call["start"])) != horizon[0] or 12 * int(call["years"]) < months:
        raise InputError(
            f"the events are drawn for {call['years']} years from {call['start']}, the scenario asks about "
            f"{months} months from {horizon[0]}",
            where="events",
            cure=f"Draw them with start='{horizon[0]}' and years={-(-months // 12)}.",
        )


def _checked(given: pl.DataFrame) -> pl.DataFrame:
    """Return the events in an order of their own (law 7), each of which makes sense."""
    missing = [name for name in COLUMNS if name not in given.columns]
    if missing:
        raise InputError(f"the table of events lacks {', '.join(missing)}", where="events")
    types: dict[str, Any] = {"draw": pl.Int64, "severity": pl.Float64}
    types |= dict.fromkeys(("announced", "effective", "ends"), pl.Date)
    try:
        table = given.select(pl.col(name).cast(types.get(name, pl.String)) for name in COLUMNS)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"the table of events cannot be read: {error}", where="events") from error
    for number, (draw, *event) in enumerate(table.iter_rows(), start=1):
        if draw is None or draw < 0 or any(part is None for part in event):
            raise InputError("draw must be at least 0 and no cell empty", where=f"events, row {number}")
        try:
            ban_of((event[0], event[1], event[2], event[3], event[4], event[5], event[6]))
        except (EvernormalError, ValueError) as error:
            raise InputError(_first(error), where=f"events, row {number}") from error
    return table.sort("draw", "effective", "exporter", "item", "forms", "ends", "severity")


def _first(error: Exception) -> str:
    """Return the first thing that is wrong, without the library's address."""
    problems: Any = getattr(error, "errors", None)
    if callable(problems):
        first = problems(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)


def _require_shown(network: Network, exporters: set[str]) -> None:
    hidden = sorted(exporters - set(network.regions))
    if hidden:
        raise LabelError(
            f"events by {', '.join(hidden)}, which the network of {network.form} does not show by itself",
            where="events",
            cure=f"Load the network with keep={hidden!r}.",
        )


def _told(events: Sequence[Mapping[int, tuple[Event, ...]]], draws: int) -> Finding:
    count = sum(len(found) for part in events for found in part.values())
    hit = len({draw for part in events for draw in part})
    text = (
        f"{count} drawn events strike in {hit} of {draws} draws; in the others nothing of that kind happens."
    )
    return Finding("drawn-events", "info", text, {"events": count, "hit": hit, "draws": draws})


def _policies(scenarios: Sequence[Scenario]) -> tuple[Finding, ...]:
    named = sorted({policy.id for scenario in scenarios for policy in scenario.policies})
    if not named:
        return ()
    text = (
        f"The policies {', '.join(named)} come on the days that the scenario says, whenever an event strikes."
    )
    return (Finding("policies-at-fixed-dates", "caution", text, {"policies": ", ".join(named)}),)
