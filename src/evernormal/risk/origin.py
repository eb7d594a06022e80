"""Origin traced upstream: from what a country buys, through hubs and refiners, back to the mine.

Whose cobalt is Chinese cobalt?  Customs name the last port; this names who made the form, who made what it
was made of, and who mined it, as shares with an interval and in tonnes contained.  What the data leave open
widens the interval; what they do not explain stays unexplained (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.forms import Form
from evernormal.network.forms import form as form_of
from evernormal.result import Finding, Result
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS
from evernormal.risk.origin_accounts import Link, Sources, latest_year, stages_of
from evernormal.risk.origin_published import Basket, published_basket
from evernormal.risk.origin_tables import Traced, origin_result
from evernormal.risk.origin_walk import Assumed, Chained, pictures, reached, steps

__all__ = ["trace", "trace_origin"]

Floats = npt.NDArray[np.float64]


def trace_origin(
    form: str,
    focal: str = "KOR",
    years: Iterable[int] | None = None,
    *,
    countries: Iterable[str] | None = None,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return who refined and who mined what a country imports of a form (equations E113 to E116).

    At every stage a country's production and imports are one pool, from which its exports and its use are
    drawn in proportion; hubs and loops of re-export are solved exactly.  Conversions carry the origin from
    one stage to the next, with their losses.  The interval is the envelope of the assumptions that the
    data leave open: own production shipped first or last, production that nobody publishes from none to all,
    ore whose trade no code shows from own use first to the mix of the world.

    Args:
        form: form that is imported, such as ``cobalt/oxides``.
        focal: importing country, ISO 3166 alpha-3, or ``EU`` (its 27 members as one country).
        years: calendar years; None for the latest that the trade table holds.
        countries: several importing countries, instead of ``focal``.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``origin`` with tables

        - ``origin``: focal, year, stage (``direct`` supplier as customs say; ``made``; ``refined``;
          ``intermediate``; ``mined``), form, country, share with low and high (fractions of the imports),
          tonnes (t contained of that stage's form, losses included; null where the imports' tonnes are
          unknown);
        - ``hubs``: focal, year, hub, direct_share, share_after_correction with low and high, correction,
          reexported (share of what the hub ships that it bought);
        - ``flows``: focal, year, source_stage, source_form, source, target_stage, target_form, target, tonnes
          (leaving), loss_t: a Sankey from mine to import;
        - ``unexplained``: focal, year, stage, form, share, tonnes, reason;
        - ``stages``: year, form, stage, trade (known), production (statistics, shares or unknown), source.

        Who is neither known to make nor to buy what it ships is unexplained, not a producer.

    Raises:
        UnknownNameError: no such form, country or data set; the nearest is named.
        NotCoveredError: nothing shows who supplies the form in these years, or no import was recorded.

    >>> import polars as pl
    >>> result = trace_origin("cobalt/oxides", "KOR", [2023])
    >>> mined = result["origin"].filter(pl.col("stage") == "mined")
    >>> mined["country"][0], mined["low"][0] < mined["share"][0] < mined["high"][0]
    ('COD', True)
    """
    found = form_of(form)
    names = _importers([focal] if countries is None else countries)
    period = _years(years)
    if not period:
        period = [latest_year(found, names, dataset=dataset, folder=folder, as_of=as_of)]
    sources = Sources.open([form], period, as_of=as_of, dataset=dataset, folder=folder)
    traced: list[Traced] = []
    findings: list[Finding] = []
    for year in period:
        for table, asked in _tables(sources, names):
            one, said = trace(table, found, asked, year)
            traced += one
            findings += said
    if not traced:
        raise _nothing(found, names, period, findings)
    call = {"form": form, "countries": names, "years": period, "dataset": dataset}
    call["as_of"] = None if as_of is None else str(as_of)
    return origin_result(found, traced, findings, sources.inputs, call)


def _importers(given: Iterable[str]) -> list[str]:
    from evernormal.data.geography import country  # noqa: PLC0415 - reads tables

    listed = [given] if isinstance(given, str) else list(given)
    names = [c if c == EUROPEAN_UNION else country(c, where="focal") for c in listed]
    if not names:
        raise InputError("nothing to trace", cure="Give at least one importing country.")
    return list(dict.fromkeys(names))


def _years(given: Iterable[int] | None) -> list[int]:
    """Years asked; none for the latest."""
    if given is None:
        return []
    years = list(dict.fromkeys([given] if isinstance(given, int) else given))
    for year in years:
        if isinstance(year, bool) or not isinstance(year, int):
            raise InputError(f"years must be whole numbers, got {year!r}", where="years")
    if not years:
        raise InputError("nothing to trace", where="years", cure="Give at least one year.")
    return years


def _tables(sources: Sources, names: Sequence[str]) -> list[tuple[Sources, list[str]]]:
    """The tables as they stand for single countries, and with the members joined for the Union."""
    single = [name for name in names if name != EUROPEAN_UNION]
    found = [(sources, single)] if single else []
    if EUROPEAN_UNION in names:
        found.append((sources.grouped(EUROPEAN_UNION, MEMBERS), [EUROPEAN_UNION]))
    return found


def _nothing(
    found: Form, names: Sequence[str], years: Sequence[int], findings: Sequence[Finding]
) -> NotCoveredError:
    asked = f"{', '.join(names)} in {', '.join(map(str, years))}"
    why = findings[0].message if findings else "No trade and no published share shows it."
    return NotCoveredError(
        f"nothing shows who supplies {found.name} to {asked}: {why[:1].lower()}{why[1:].rstrip('.')}",
        where=f"form {found.name!r}, coverage {found.coverage!r}",
        cure="Ask another year, or add trade that has its code (evernormal data add baci FILE).",
    )


def trace(
    sources: Sources, found: Form, names: Sequence[str], year: int
) -> tuple[list[Traced], list[Finding]]:
    """Trace one form in one year for several importers; importers without a recorded import are told.

    Args:
        sources: tables opened for the form and the year.
        found: the form.
        names: importers, each a label of the tables.
        year: calendar year.
    """
    kept, links = stages_of(sources, found.name, year)
    made: dict[str, Chained] = {}

    def build(picture: Assumed) -> Chained:
        if picture.name not in made:
            made[picture.name] = Chained(sources, year, kept, links, picture)
        return made[picture.name]

    central = build(pictures()[0])
    baskets, findings = _baskets(central, found, names, year)
    if not baskets:
        return [], findings
    rows = np.array([sources.place()[one.focal] for one in baskets])
    traded = central.stage(found.name).flows is not None
    makes = ~(central.stage(found.name).production <= 0)  # unknown production may be anything
    direct = np.stack([one.shares for one in baskets]) * makes

    def start(chain: Chained) -> Floats:
        return chain.drawn(found.name).imported(rows) if traded else direct

    whole = _whole(kept, links)
    stages = reached(build, start, whole)
    return [
        Traced(
            focal=one.focal,
            year=year,
            chain=central,
            basket=one,
            whole=whole,
            stages=tuple((r.form, r.middle[i], r.low[i], r.high[i]) for r in stages),
            steps=steps(central, start(central)[i] * one.tonnes) if np.isfinite(one.tonnes) else (),
        )
        for i, one in enumerate(baskets)
    ], findings


def _whole(kept: Sequence[str], links: Sequence[Link]) -> tuple[str, ...]:
    """Forms that everything traced must have passed through: the form itself, and any without a way round."""
    found = [kept[-1]]
    for name in kept[:-1]:
        left, grown = {kept[-1]}, True
        while grown:
            more = {one.source for one in links if one.target in left and one.source != name} - left
            left |= more
            grown = bool(more)
        if all(any(one.target == here for one in links) for here in left):
            found.append(name)
    return tuple(found)


def _baskets(
    chain: Chained, found: Form, names: Sequence[str], year: int
) -> tuple[list[Basket], list[Finding]]:
    """What each importer buys, by direct supplier, from trade or else from published shares."""
    baskets: list[Basket] = []
    findings: list[Finding] = []
    flows, places = chain.stage(found.name).flows, chain.sources.place()
    for name in names:
        if flows is None:
            one = published_basket(chain.sources, found, name, year)
        elif name in places and (total := float(flows[:, places[name]].sum())) > 0:
            one = Basket(name, flows[:, places[name]] / total, total, "trade", ())
        else:
            one = None
        if one is None:
            text = f"No import of {found.name} by {name} is known for {year}: unknown, not zero."
            values = {"form": found.name, "country": name, "year": year}
            findings.append(Finding("import-unknown", "caution", text, values))
        else:
            baskets.append(one)
            findings += one.findings
    return baskets, findings
