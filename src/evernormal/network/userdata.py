"""Networks on the user's own data: stored facts beside the shipped ones, stored trade in place of it.

A row of facts about the same thing replaces the shipped row; any other row is added.  A trade data set
replaces the shipped trade table as a whole, with the codes of its own revision: the two are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from evernormal.errors import InputError, NotCoveredError, nearest
from evernormal.network.forms import form, form_names
from evernormal.network.load import Scope, codes_in, load_network
from evernormal.network.network import Network
from evernormal.network.observations import Base, base_years
from evernormal.network.share_production import SHARE_TOLERANCE
from evernormal.result import Finding, Input

if TYPE_CHECKING:
    from evernormal.data.publishers.adapters import Kind
    from evernormal.data.store import Vintage

__all__ = ["OWN_MARK", "Joined", "facts_with", "join_facts", "network_with"]

OWN_MARK = "[your data set "
"""How the source of every figure that rests on a fact of the user's says so."""

SAME = ("topic", "form", "region", "partner", "period", "unit", "_kind")
"""What two facts have in common when one may stand for the other."""


@dataclass(frozen=True)
class Joined:
    """Shipped facts with the user's, ready for :func:`~evernormal.network.load.load_network`.

    Attributes:
        facts: every row; column ``own`` marks the user's, which are read first among equally near periods.
        replaced: shipped rows of each form that a row of the user's replaced.
        added: rows of the user's about something that no shipped row says.
    """

    facts: pl.DataFrame
    replaced: dict[str, int]
    added: dict[str, int]


def network_with(
    form_name: str,
    focal: str = "KOR",
    year: int = 2023,
    *,
    facts: str | None = None,
    trade: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    base: Base = "year",
    scope: Scope = "form",
    max_regions: int = 24,
    keep: Iterable[str] = (),
) -> Network:
    """Load the network of a form on data sets that ``evernormal data add`` stored.

    Args:
        form_name: as in :func:`~evernormal.network.load.load_network`.
        focal: as there.
        year: as there.
        facts: name of a stored data set of facts, joined with the shipped facts.
        trade: name of a stored data set of trade, used instead of the shipped trade.
        folder: folder of the user's store; needed with ``facts`` or ``trade``.
        as_of: use only what was knowable on this day (law 11): the latest vintage of each data set and the
            facts of that day; None for everything.
        base: as in :func:`~evernormal.network.load.load_network`.
        scope: as there.
        max_regions: as there.
        keep: as there.

    Returns:
        The network; ``inputs`` names each vintage with its SHA-256, ``findings`` say how many facts were
        replaced and added.

    Raises:
        InputError: the user's shares of one importer sum to more than 1, or there is no folder.
        UnknownNameError: no such data set, form or country.
        NotCoveredError: no data, or none that was knowable on ``as_of``.
        SnapshotError: a stored file was truncated or changed.

    >>> network = network_with("gallium/metal", "KOR", 2023, as_of="2026-06-30")
    >>> "facts" in {used.name for used in network.inputs}
    True
    """
    from evernormal.data import facts as read_facts  # noqa: PLC0415  reads a table
    from evernormal.data.schema import day  # noqa: PLC0415

    form(form_name)
    known_on = day(as_of)
    tables: dict[str, pl.DataFrame] = {}
    found: dict[str, Vintage] = {}
    joined: Joined | None = None
    if trade is not None:
        found["trade"] = _vintage(trade, folder, "trade", known_on)
        tables["trade"] = _trade(trade, found["trade"], folder, known_on, year, base)
    if facts is not None:
        found["facts"] = _vintage(facts, folder, "facts", known_on)
        own = read_facts(dataset=facts, folder=folder, as_of=known_on)
        joined = join_facts(read_facts(as_of=known_on), own, f"{facts}/{found['facts'].vintage}")
        tables["facts"] = joined.facts
    elif known_on is not None:
        tables["facts"] = read_facts(as_of=known_on)
    network = load_network(
        form_name,
        focal,
        year,
        base=base,
        scope=scope,
        max_regions=max_regions,
        keep=keep,
        trade=tables.get("trade"),
        production=_no_statistics(form_name, scope, known_on),
        facts=tables.get("facts"),
    )
    _require_knowable(network, known_on)
    notes = _findings(network, found, joined)
    return replace(network, inputs=_named(network.inputs, found), findings=(*notes, *network.findings))


def facts_with(
    name: str, folder: str | Path | None, as_of: date | str | None = None
) -> tuple[pl.DataFrame, Input]:
    """Return the shipped facts joined with a stored data set, and the vintage that was read.

    Raises:
        InputError, UnknownNameError, SnapshotError: as in :func:`network_with`.
    """
    from evernormal.data import facts  # noqa: PLC0415  reads a table
    from evernormal.data.schema import day  # noqa: PLC0415

    found = _vintage(name, folder, "facts", day(as_of))
    own = facts(dataset=name, folder=folder, as_of=as_of)
    return join_facts(facts(as_of=as_of), own, f"{name}/{found.vintage}").facts, found.as_input()


def join_facts(shipped: pl.DataFrame, own: pl.DataFrame, label: str) -> Joined:
    """Join the user's facts with the shipped ones.

    A row of the user's replaces every shipped row with the same topic, form, region, partner, period and
    unit; days of stock also with the same holder (firms or state), shares with the same measure (value or
    quantity).  Where it replaces one supplier's share, the user's other shares of that importer and period
    join the suppliers that are left.

    Args:
        shipped: the shipped facts.
        own: the user's facts.
        label: what the source of the user's rows is marked with, such as ``ours/0123456789ab``.

    Raises:
        InputError: shares of one importer sum to more than 1 with the user's.
    """
    mine = own.with_columns(_kind=_kind(), own=pl.lit(value=True), set_source=pl.lit(None, pl.String))
    theirs = shipped.with_columns(_kind=_kind(), own=pl.lit(value=False), set_source=pl.lit(None, pl.String))
    mine = mine.with_columns(pl.col("source") + pl.lit(f" {OWN_MARK}{label}]").alias("source"))
    gone = theirs.join(mine.select(SAME).unique(), on=SAME, how="semi", nulls_equal=True)
    left = theirs.join(mine.select(SAME).unique(), on=SAME, how="anti", nulls_equal=True)
    fresh = mine.join(theirs.select(SAME).unique(), on=SAME, how="anti", nulls_equal=True)
    mine = _placed(mine, gone)
    table = pl.concat([mine, left.select(mine.columns)])
    _require_shares(table)
    return Joined(table.drop("_kind"), _by_form(gone), _by_form(fresh))


def _kind() -> pl.Expr:
    """Tell apart stocks of firms and of the state, shares of value and of quantity."""
    basis, topic = pl.col("basis").fill_null(""), pl.col("topic")
    share = pl.when(basis == "quantity").then(pl.lit("quantity")).otherwise(pl.lit("value"))
    return (
        pl.when(topic == "stock_days")
        .then(basis)
        .when(topic == "import_share")
        .then(share)
        .otherwise(pl.lit(""))
    )


def _placed(mine: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """Put the user's shares into the set of shares from which they replaced one."""
    by = ["form", "region", "period", "_kind"]
    sets = (
        gone.filter(pl.col("topic") == "import_share")
        .group_by(by)
        .agg(pl.col("source").sort_by(pl.len().over("source"), "source", descending=[True, False]).first())
        .rename({"source": "set_of"})
    )
    placed = mine.join(sets, on=by, how="left", nulls_equal=True, maintain_order="left")
    is_share = pl.col("topic") == "import_share"
    return placed.with_columns(set_source=pl.when(is_share).then("set_of")).select(mine.columns)


def _require_shares(table: pl.DataFrame) -> None:
    """Refuse shares that sum to more than the whole where the user's are among them."""
    rows = table.filter(
        (pl.col("topic") == "import_share") & (pl.col("unit") == "1") & pl.col("partner").is_not_null()
    ).with_columns(set=pl.coalesce("set_source", "source"))
    sums = (
        rows.group_by("form", "region", "period", "_kind", "set")
        .agg(
            total=pl.col("value").sum(),
            own=pl.col("own").any(),
            partners=pl.col("partner").sort_by("value", "partner", descending=[True, False]),
        )
        .filter(pl.col("own") & (pl.col("total") > SHARE_TOLERANCE))
        .sort("form", "region", "period")
    )
    for row in sums.head(1).iter_rows(named=True):
        raise InputError(
            f"import shares of {row['region']} in {row['form']} ({row['period']}) sum to {row['total']:.3g}"
            f" with yours: {', '.join(row['partners'][:6])}",
            where="facts, import_share",
            cure="Shares of one importer and period may sum to 1 at most: give a row for every partner that"
            " changes.",
        )


def _by_form(rows: pl.DataFrame) -> dict[str, int]:
    counts = rows.with_columns(pl.col("form").fill_null("")).group_by("form").len().sort("form")
    return dict(counts.iter_rows())


def _vintage(name: str, folder: str | Path | None, kind: Kind, known_on: date | None) -> Vintage:
    from evernormal.data.store import vintage  # noqa: PLC0415  reads the journal

    if folder is None:
        raise InputError(f"data set {name!r} needs the folder of the store", cure="Give folder=...")
    return vintage(name, folder, kind=kind, as_of=known_on)


def _trade(
    name: str, found: Vintage, folder: str | Path | None, known_on: date | None, year: int, base: Base
) -> pl.DataFrame:
    """Rows of every form's codes in the years of the base picture."""
    from evernormal.data import covered_codes, trade  # noqa: PLC0415  reads a table

    known = covered_codes(dataset=name, folder=folder, as_of=known_on)
    wanted = {code for label in form_names() for code in codes_in(form(label), found.revision)}
    codes = sorted(wanted.intersection(known))
    if not codes:
        raise NotCoveredError(
            f"data set {name!r} holds no code of any form ({found.revision})",
            where=str(folder),
            cure="Add the publisher's file without --code, or with codes that `evernormal form list` names.",
        )
    years = base_years(year, base)
    return trade(codes, years=years, dataset=name, folder=folder, as_of=known_on)


def _no_statistics(form_name: str, scope: Scope, known_on: date | None) -> pl.DataFrame | None:
    """Return an empty table of production where facts can do without statistics that came later (law 11)."""
    from evernormal.data import production  # noqa: PLC0415  reads a table
    from evernormal.data.snapshot import source_day  # noqa: PLC0415

    if known_on is None or scope != "form" or form(form_name).coverage != "share":
        return None
    return None if source_day("production") <= known_on else production([], years=[]).clear()


def _require_knowable(network: Network, known_on: date | None) -> None:
    """Refuse a shipped table that is later than the day (law 11)."""
    from evernormal.data.snapshot import SNAPSHOT_TABLES, source_day  # noqa: PLC0415

    if known_on is None:
        return
    for used in network.inputs:
        if used.name in SNAPSHOT_TABLES and known_on < source_day(used.name):
            raise NotCoveredError(
                f"the shipped table {used.name!r} was not knowable on {known_on}; it dates from"
                f" {source_day(used.name)}",
                where="as_of",
                cure="Choose a later day, or for trade add an older release (evernormal data add baci FILE)"
                " and name it with --trade.",
            )


def _named(inputs: Sequence[Input], found: dict[str, Vintage]) -> tuple[Input, ...]:
    """Name the shipped facts and each vintage in place of the tables that were handed over."""
    from evernormal.data import inputs as shipped  # noqa: PLC0415  reads a table

    given = {"trade given", "facts given"}
    facts_used = shipped("facts") if any(used.name == "facts given" for used in inputs) else ()
    return (
        *facts_used,
        *(one.as_input() for one in found.values()),
        *(i for i in inputs if i.name not in given),
    )


def _findings(network: Network, found: dict[str, Vintage], joined: Joined | None) -> list[Finding]:
    notes = []
    if "trade" in found:
        notes.append(_trade_note(found["trade"]))
    if joined is not None:
        notes += _fact_notes(network.forms, found["facts"], joined)
    return notes


def _trade_note(used: Vintage) -> Finding:
    values = {
        "dataset": used.dataset,
        "vintage": used.vintage,
        "revision": used.revision,
        "as_of": used.as_of,
    }
    return Finding(
        "own-trade",
        "info",
        f"Trade is that of your data set {used.dataset} (vintage {used.vintage}, codes of {used.revision},"
        f" {used.as_of}), in place of the shipped table.",
        values,
    )


def _fact_notes(names: Iterable[str], used: Vintage, joined: Joined) -> list[Finding]:
    names = tuple(names)
    replaced = sum(joined.replaced.get(name, 0) for name in names)
    added = sum(joined.added.get(name, 0) for name in names)
    mine = joined.facts.filter("own")
    about = mine.filter(pl.col("form").is_in(list(names))).height
    listed = ", ".join(names)
    values = {
        "dataset": used.dataset,
        "vintage": used.vintage,
        "forms": list(names),
        "rows": about,
        "replaced": replaced,
        "added": added,
        "other": mine.height - about,
    }
    notes = [
        Finding(
            "own-facts" if about else "own-facts-elsewhere",
            "info" if about else "caution",
            f"{about} rows of your data set {used.dataset} (vintage {used.vintage}) are about {listed}:"
            f" {replaced} shipped rows replaced, {added} rows added; {mine.height - about} rows are about"
            " other forms."
            if about
            else f"No row of your data set {used.dataset} (vintage {used.vintage}) is about {listed}: it"
            " changes nothing here.",
            values,
        )
    ]
    strange = sorted(set(mine["form"].drop_nulls().to_list()) - set(form_names()))
    for label in strange:
        close = nearest(label, form_names(), 1)
        advice = f" Did you mean {close[0]!r}?" if close else ""
        notes.append(
            Finding(
                "own-facts-unknown-form",
                "caution",
                f"Your data set {used.dataset} has rows about {label!r}, which is no form: they are not used."
                f"{advice}",
                {"dataset": used.dataset, "label": label},
            )
        )
    return notes
