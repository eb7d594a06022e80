"""What statistics say about every stage of a chain in one year: flows, production, and how stages are linked.

Tonnes contained.  Production comes from statistics, else from published shares of world output, else it is
unknown; trade comes from customs codes of the stage's own, else it is unknown (law 2).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.schema import day
from evernormal.errors import NotCoveredError
from evernormal.network.chains import upstream
from evernormal.network.form_tables import SHIPPED_REVISION
from evernormal.network.forms import Form, conversions, form
from evernormal.network.load import codes_in
from evernormal.network.network import Conversion
from evernormal.network.observations import TONNES, contained_rows
from evernormal.network.stocks import nearest_period
from evernormal.result import Finding, Input, Parameter
from evernormal.risk.cells import EUROPEAN_UNION
from evernormal.risk.origin_algebra import Pooled, Rule

__all__ = ["OLDEST_SHARES", "Link", "Sources", "Stage", "covered", "latest_year", "stage_of", "stages_of"]

Floats = npt.NDArray[np.float64]

OLDEST_SHARES = Parameter(
    "oldest_shares",
    5.0,
    1.0,
    10.0,
    "years",
    "C",
    "assumption: who refines moves by a few points a year, so that a published share stands for the years"
    " around it only",
)
"""How far from the year asked a published share may lie."""


@dataclass(frozen=True)
class Stage:
    """One form in one year.

    Attributes:
        form: the form.
        flows: tonnes contained from row to column; None where no trade shows the form.
        production: tonnes contained per country; NaN where unknown.
        made_known: ``statistics``, ``shares`` (published shares times a total) or ``unknown``.
        source: where production comes from, with its period.
        findings: what a reader must know.
    """

    form: Form
    flows: Floats | None
    production: Floats
    made_known: str
    source: str
    findings: tuple[Finding, ...] = ()

    @property
    def unknown(self) -> npt.NDArray[np.bool_]:
        """Countries whose production is unknown."""
        return np.isnan(self.production)

    @property
    def least(self) -> Floats:
        """Production, or the least that trade allows where it is unknown: what is shipped beyond imports."""
        if self.flows is None:
            return np.nan_to_num(self.production)
        net = np.maximum(self.flows.sum(axis=1) - self.flows.sum(axis=0), 0.0)
        return np.where(self.unknown, net, self.production)


@dataclass(frozen=True)
class Link:
    """One conversion of the chain as it can be traced.

    Attributes:
        source: form consumed.
        target: form made.
        recovery: tonnes of target per tonne of source, contained.
        open: the trade in between is not recorded: that of the source itself, or of a form on the way.
        between: forms on the way that no data reaches.
    """

    source: str
    target: str
    recovery: float
    open: bool
    between: tuple[str, ...] = ()


@dataclass
class Sources:
    """The tables that a trace reads, opened once.

    Attributes:
        labels: countries, sorted; a group that is asked for stands under its own name.
        group: country to the group that it is counted in.
        revision: revision of the trade codes.
        codes: codes that the trade table holds.
        trade: trade rows of the years asked, all countries.
        facts: published facts that were knowable.
        production: production statistics, or None where they were not knowable.
        inputs: the tables, by hash.
        stages: forms already read.
        solved: forms already solved.
    """

    labels: tuple[str, ...]
    group: Mapping[str, str]
    revision: str
    codes: frozenset[str]
    trade: pl.DataFrame
    facts: pl.DataFrame
    production: pl.DataFrame | None
    inputs: tuple[Input, ...]
    stages: dict[tuple[str, int], Stage] = field(default_factory=dict)
    solved: dict[tuple[str, int, Rule], Pooled] = field(default_factory=dict)

    @functools.cached_property
    def import_shares(self) -> pl.DataFrame:
        """Published shares of imports by partner, as fractions."""
        about = (pl.col("topic") == "import_share") & (pl.col("unit") == "1")
        return self.facts.filter(about & pl.col("partner").is_not_null() & pl.col("value").is_not_null())

    @classmethod
    def open(
        cls,
        forms: Iterable[str],
        years: Sequence[int],
        *,
        as_of: date | str | None = None,
        dataset: str | None = None,
        folder: str | Path | None = None,
    ) -> Sources:
        """Read trade, production and facts of these forms, everything upstream of them included.

        Raises:
            InputError, UnknownNameError, NotCoveredError, SnapshotError: as :func:`evernormal.data.trade`.
        """
        from evernormal import data  # noqa: PLC0415 - opens the snapshot

        known_on = day(as_of)
        held = frozenset(data.covered_codes(dataset=dataset, folder=folder, as_of=as_of))
        revision, pinned = _edition(dataset, folder, known_on)
        wanted = {n for name in forms for n in (name, *upstream(name))}
        codes = sorted({c for name in wanted for c in _codes(form(name), revision)} & held)
        rows = (
            data.trade(codes, years=years, dataset=dataset, folder=folder, as_of=as_of) if codes else _empty()
        )
        made = _production(years, known_on)
        countries = {*rows["exporter"].to_list(), *rows["importer"].to_list()}
        if made is not None:
            countries |= set(made["country"].to_list())
        facts = data.facts(as_of=as_of)
        countries |= set(facts.filter(pl.col("topic").is_in(_MADE))["region"].to_list())
        labels = tuple(sorted(countries - {"WLD", "ROW"}))
        return cls(labels, {}, revision, held, rows, facts, made, pinned)

    def grouped(self, name: str, members: Iterable[str]) -> Sources:
        """Return the same tables with the members counted as one country: what they trade is inside it."""
        inside = dict.fromkeys(members, name)
        labels = tuple(sorted({inside.get(label, label) for label in self.labels} | {name}))
        return Sources(
            labels, inside, self.revision, self.codes, self.trade, self.facts, self.production, self.inputs
        )

    def place(self) -> dict[str, int]:
        """Country to its row; members of a group to the row of the group."""
        places = {label: number for number, label in enumerate(self.labels)}
        return places | {m: places[g] for m, g in self.group.items()}

    def stage(self, name: str, year: int) -> Stage:
        """Return one form in one year, read once."""
        key = (name, year)
        if key not in self.stages:
            self.stages[key] = stage_of(self, form(name), year)
        return self.stages[key]


_MADE = ("world_production", "refining_share", "mine_share")


def _edition(
    dataset: str | None, folder: str | Path | None, known_on: date | None
) -> tuple[str, tuple[Input, ...]]:
    """Return the revision of the codes and the inputs; the data set has been found already."""
    from evernormal.data import inputs, vintages  # noqa: PLC0415 - opens the snapshot

    others = inputs("production", "facts")
    if dataset is None or folder is None:
        return SHIPPED_REVISION, (*inputs("trade"), *others)
    knowable = [
        one
        for one in vintages(folder)
        if one.dataset == dataset and (known_on is None or date.fromisoformat(one.as_of) <= known_on)
    ]
    found = max(knowable, key=lambda one: (one.as_of, one.sequence))
    return found.revision, (found.as_input(), *others)


def _codes(one: Form, revision: str) -> tuple[str, ...]:
    return one.trade_codes if revision == SHIPPED_REVISION else codes_in(one, revision)


def _empty() -> pl.DataFrame:
    text = ("exporter", "importer", "revision", "code", "grade")
    return pl.DataFrame(
        schema={"year": pl.Int64, **dict.fromkeys(text, pl.String), "value_usd": pl.Float64}
        | {"quantity_t": pl.Float64}
    )


def _production(years: Sequence[int], known_on: date | None) -> pl.DataFrame | None:
    """Production statistics of the years; None when the table was not knowable yet (law 11)."""
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.snapshot import source_day  # noqa: PLC0415 - opens the snapshot

    if known_on is not None and source_day("production") > known_on:
        return None
    return production(years=list(years))


def covered(sources: Sources, name: str, year: int) -> bool:
    """Whether anything shows a form in a year: its trade, or who makes it."""
    one = sources.stage(name, year)
    return one.flows is not None or one.made_known != "unknown"


def stages_of(sources: Sources, name: str, year: int) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """Return the forms that a form can be traced through, itself last, and the links between them."""
    every = (*upstream(name), name)
    kept = tuple(f for f in every if f == name or covered(sources, f, year))
    steps = [s for s in conversions() if s.source in every and s.target in every]
    links: dict[tuple[str, str], Link] = {}
    for target in kept:
        for source, recovery, between in _paths(target, kept, steps):
            old = links.get((source, target))
            seen = tuple(dict.fromkeys((*(old.between if old else ()), *between)))
            # a direct step and one by way of a form that nothing shows are one link with a gap in it
            rate = old.recovery if old else recovery
            untraded = sources.stage(source, year).flows is None
            links[source, target] = Link(source, target, rate, untraded or bool(seen), seen)
    return kept, tuple(links.values())


def _paths(
    target: str, kept: Sequence[str], steps: Sequence[Conversion]
) -> list[tuple[str, float, tuple[str, ...]]]:
    """Kept forms that feed ``target``, direct steps first, with recovery and what lies between."""
    found: list[tuple[str, float, tuple[str, ...]]] = []
    waiting: list[tuple[str, float, tuple[str, ...]]] = [(target, 1.0, ())]
    while waiting:
        here, recovery, between = waiting.pop(0)
        for step in steps:
            if step.target != here:
                continue
            rate = recovery * step.recovery.value
            if step.source in kept:
                found.append((step.source, rate, between))
            else:
                waiting.append((step.source, rate, (*between, step.source)))
    return found


def stage_of(sources: Sources, one: Form, year: int) -> Stage:
    """Read one form in one year."""
    flows, notes = _flows(sources, one, year)
    made, how, source, said = _made(sources, one, year)
    return Stage(one, flows, made, how, source, (*notes, *said))


def _flows(sources: Sources, one: Form, year: int) -> tuple[Floats | None, list[Finding]]:
    codes = [c for c in _codes(one, sources.revision) if c in sources.codes]
    rows = sources.trade.filter(pl.col("code").is_in(codes) & (pl.col("year") == year))
    if rows.is_empty():
        return None, []
    rows = contained_rows(rows, one)
    notes = []
    blank = rows.filter(pl.col("contained_t").is_null())
    if blank.height:
        text = f"{blank.height} flows of {one.name} in {year} have no quantity: left out of the trace."
        notes.append(
            Finding(
                "flows-without-quantity",
                "caution",
                text,
                {"form": one.name, "year": year, "rows": blank.height},
            )
        )
    places, count = sources.place(), len(sources.labels)
    rows = rows.filter(pl.col("contained_t") > 0)
    table = np.zeros((count, count))
    at = [np.array([places[c] for c in rows[side].to_list()], dtype=int) for side in ("exporter", "importer")]
    np.add.at(table, (at[0], at[1]), rows["contained_t"].to_numpy())
    np.fill_diagonal(table, 0.0)
    return table, notes


def _made(sources: Sources, one: Form, year: int) -> tuple[Floats, str, str, list[Finding]]:
    """Production per country, how it is known, from where, and what to say about it."""
    count = len(sources.labels)
    if one.production_source and one.production_factor is not None and sources.production is not None:
        label = one.production_source.partition(":")[2]
        rows = sources.production.filter((pl.col("material") == label) & (pl.col("year") == year))
        if rows.filter(pl.col("value") > 0).height:
            made = np.zeros(count)
            places = sources.place()
            for country, value, unit in rows.select("country", "value", "unit").sort("country").iter_rows():
                amount = np.nan if value is None else value * TONNES[unit] * one.production_factor
                made[places[country]] += amount
            return made, "statistics", f"{rows['source'][0]}, {year}", []
    return _published(sources, one, year)


def _published(sources: Sources, one: Form, year: int) -> tuple[Floats, str, str, list[Finding]]:
    """Production from published shares of world output times the best known total."""
    nobody = np.full(len(sources.labels), np.nan)
    topic = "mine_share" if one.stage == "ore" else "refining_share"
    about = (pl.col("topic") == topic) & (pl.col("form") == one.name) & (pl.col("unit") == "1")
    rows = nearest_period(sources.facts.filter(about & ~pl.col("region").is_in(["WLD", "ROW"])), year)
    rows = rows.filter(pl.col("_away") <= OLDEST_SHARES.value)
    if rows.is_empty():
        return nobody, "unknown", "", []
    first = rows.row(0, named=True)
    rows = rows.filter((pl.col("period") == first["period"]) & (pl.col("source") == first["source"]))
    total, of_total = _world(sources, one, year)
    if np.isnan(total):
        return nobody, "unknown", "", []
    places, made = sources.place(), nobody.copy()
    for region, value in rows.select("region", "value").unique("region").sort("region").iter_rows():
        if region in places:
            spot = places[region]
            made[spot] = np.nan_to_num(made[spot]) + value * total
    source = f"{first['source']}, {first['period']}, times {of_total}"
    text = (
        f"Who makes {one.name} is known by published shares of {first['period']} only"
        f" ({first['definition']}), times {of_total}."
    )
    level: Literal["info", "caution"] = "info" if first["_away"] == 0 else "caution"
    values = {"form": one.name, "period": first["period"], "year": year, "source": first["source"]}
    return made, "shares", source, [Finding("production-from-shares", level, text, values)]


def _world(sources: Sources, one: Form, year: int) -> tuple[float, str]:
    """World output of a form in tonnes contained, and what it rests on."""
    tonnes = sources.facts.filter(
        (pl.col("topic") == "world_production") & (pl.col("region") == "WLD") & (pl.col("unit") == "t")
    )
    own = nearest_period(
        tonnes.filter((pl.col("form") == one.name) & (pl.col("basis").fill_null("") == "contained")), year
    )
    own = own.filter(pl.col("_away") <= OLDEST_SHARES.value)
    if own.height and own["_away"][0] == 0:
        return float(own["value"][0]), f"its world output of {own['period'][0]}"
    for ore in upstream(one.name):
        mined = sources.stage(ore, year)
        if mined.made_known == "statistics":
            rate = _recovery(ore, one.name)
            return float(np.nansum(mined.production)) * rate, f"what the mines of {year} could give"
    group = nearest_period(
        tonnes.filter((pl.col("material") == one.material) & pl.col("form").is_null()), year
    )
    group = group.filter(pl.col("_away") <= OLDEST_SHARES.value)
    for rows, what in ((own, "its world output"), (group, "the world output of all its forms together")):
        if rows.height:
            return float(rows["value"][0]), f"{what} of {rows['period'][0]}"
    return np.nan, ""


def _recovery(source: str, target: str) -> float:
    """Recovery of the best way from one form to another (equation E32)."""
    if source == target:
        return 1.0
    ways = [s.recovery.value * _recovery(source, s.source) for s in conversions() if s.target == target]
    return max(ways, default=0.0)


def latest_year(
    found: Form,
    countries: Sequence[str],
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> int:
    """Return the last year in which trade or a published share shows an import of a form.

    Raises:
        NotCoveredError: none does.

    >>> latest_year(form("lithium/hydroxide"), ["KOR"])
    2024
    """
    from evernormal import data  # noqa: PLC0415 - opens the snapshot

    held = data.covered_codes(dataset=dataset, folder=folder, as_of=as_of)
    codes = sorted(set(_codes(found, _edition(dataset, folder, day(as_of))[0])).intersection(held))
    if codes:
        whom = None if EUROPEAN_UNION in countries else countries
        year = data.trade(codes, whom, dataset=dataset, folder=folder, as_of=as_of)["year"].max()
    else:
        shares = data.facts("import_share", found.name, as_of=as_of)
        ends = shares.filter(pl.col("region").is_in(list(countries)))["period"].str.extract_all(r"\d{4}")
        year = ends.list.last().cast(pl.Int64).max()
    if year is None:
        raise NotCoveredError(
            f"neither trade nor a published share shows an import of {found.name} by {', '.join(countries)}",
            where=f"form {found.name!r}, coverage {found.coverage!r}",
            cure="Add trade that has its code (evernormal data add baci FILE) and give dataset.",
        )
    return int(str(year))
