"""Load the base-year network of a form or of its chain for one focal region.

Observations (:mod:`~evernormal.network.observations`, :mod:`~evernormal.network.shares`) are summed to
regions, balanced (:mod:`~evernormal.network.reconcile`) and completed with prices, stocks, end uses and
transit times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.assemble import assemble
from evernormal.network.form_tables import SHIPPED_REVISION
from evernormal.network.forms import Form, conversions, form, form_names, forms
from evernormal.network.network import Conversion, Network
from evernormal.network.observations import (
    PRODUCTION_COLUMNS,
    TRADE_COLUMNS,
    Base,
    Observed,
    base_years,
    observe_trade,
)
from evernormal.network.reconcile import reconcile
from evernormal.network.regions import choose_regions
from evernormal.network.shares import observe_shares
from evernormal.result import Finding, require_columns

__all__ = ["Scope", "codes_in", "load_network"]

Scope = Literal["form", "chain"]

FEWEST_REGIONS = 3


def load_network(
    form_name: str,
    focal: str = "KOR",
    year: int = 2023,
    *,
    base: Base = "year",
    scope: Scope = "form",
    max_regions: int = 24,
    min_arc_share: float = 1e-4,
    keep: Iterable[str] = (),
    trade: pl.DataFrame | None = None,
    production: pl.DataFrame | None = None,
    facts: pl.DataFrame | None = None,
) -> Network:
    """Load the balanced base-year network of a form.

    Args:
        form_name: form, such as ``lithium/hydroxide`` (``evernormal.network.forms.forms()`` lists all).
        focal: focal country, ISO 3166 alpha-3.
        year: base year.
        base: ``year``, or ``averaged``: 85 % of the year, 15 % of the mean of the two before (equation E23).
        scope: ``form`` alone, or the ``chain`` of every covered form that conversions connect with it.
        max_regions: number of regions shown, the rest of the world included.
        min_arc_share: arcs of other regions below this share of world trade are left out and listed in
            ``tables["adjustments"]``; arcs of the focal region are kept down
            to 1e-7 of it.
        keep: countries that must be shown by themselves, such as those that act in a scenario.
        trade: trade rows to use instead of the shipped ones (columns of :func:`evernormal.data.trade`), of
            one revision of the codes; a form that has codes of its own there is read from them.
        production: production rows to use instead of the shipped ones.
        facts: published facts to use instead of the shipped ones.

    Returns:
        A balanced :class:`~evernormal.network.network.Network` (equation E1), with every adjustment, what is
        not known as findings and coverage, and the source rows of the focal region's imports.

    Raises:
        UnknownNameError: no such form or country.
        NotCoveredError: no data for the form, the year, or the focal region's imports; says what would help.
        BalanceError: the statistics cannot be reconciled plausibly; names the offenders.

    >>> network = load_network("lithium/hydroxide", focal="KOR", year=2023)
    >>> network.require_balance(1e-9)
    >>> imports = network.flow_table().filter(pl.col("importer") == "KOR").sort("flow_t", descending=True)
    >>> imports["exporter"].to_list()[:2]
    ['CHN', 'CHL']
    """
    target = form(form_name)
    focal = _country(focal, "focal")
    kept = tuple(_country(label, "keep") for label in keep)
    _check(year, base, scope, max_regions, min_arc_share)
    revision = _revision(trade)
    if target.coverage == "none" and not _readable(target, trade, revision):
        raise _not_covered(target)
    steps, members, findings = _chain(target, scope, trade, revision)
    observed: list[Observed] = []
    for member in members:
        try:
            observed.append(_observe(member, focal, year, base, (trade, revision), production, facts))
        except NotCoveredError as error:
            if member.name == target.name:
                raise
            findings.append(_left_out(member, error.what))
    names = {one.form.name for one in observed}
    steps = [step for step in steps if step.source in names and step.target in names]
    main = next(one for one in observed if one.form.name == target.name)
    _require_imports(main, focal, year)
    regions = choose_regions(observed, focal, kept, max_regions)
    picture = reconcile(observed, steps, regions, focal, min_arc_share, f"network of {target.name}, {year}")
    given = {"trade": trade, "production": production, "facts": facts}
    return assemble(target, focal, year, base, observed, steps, regions, picture, findings, given)


def codes_in(member: Form, revision: str) -> tuple[str, ...]:
    """Return the customs codes by which a form is read in one revision of the Harmonized System.

    A form that the shipped trade table covers is read by every code, any other by codes of its own only.

    >>> codes_in(form("nickel/metal"), "HS2017"), codes_in(form("gallium/metal"), "HS2017")
    (('750210',), ())
    """
    found = member.codes_for(revision)
    return tuple(code.code for code in found if member.coverage == "full" or not code.basket)


def _revision(trade: pl.DataFrame | None) -> str:
    """Return the one revision of the codes of a trade table."""
    if trade is None:
        return SHIPPED_REVISION
    require_columns(trade, TRADE_COLUMNS, "trade")
    found = sorted(set(trade["revision"].drop_nulls().to_list()))
    if len(found) > 1:
        raise InputError(
            f"trade has codes of {', '.join(found)}",
            where="column revision",
            cure="Give rows of one revision: the same digits mean other goods in another.",
        )
    return found[0] if found else SHIPPED_REVISION


def _readable(member: Form, trade: pl.DataFrame | None, revision: str) -> bool:
    """Whether trade shows a form by codes of its own."""
    if trade is None:
        return bool(member.trade_codes)
    return bool(set(codes_in(member, revision)).intersection(trade["code"].unique().to_list()))


def _country(label: str, argument: str) -> str:
    from evernormal.data import country  # noqa: PLC0415  reads a table

    return str(country(label, where=argument))


def _check(year: int, base: str, scope: str, max_regions: int, min_arc_share: float) -> None:
    if isinstance(year, bool) or not isinstance(year, int):
        raise InputError(f"year must be a whole number, got {year!r}")
    base_years(year, base)  # type: ignore[arg-type]
    if scope not in ("form", "chain"):
        raise InputError(f"scope must be 'form' or 'chain', got {scope!r}")
    if max_regions < FEWEST_REGIONS:
        raise InputError(f"max_regions must be at least {FEWEST_REGIONS}, got {max_regions}")
    if not 0.0 <= min_arc_share < 1.0:
        raise InputError(f"min_arc_share must be at least 0 and below 1, got {min_arc_share}")


def _not_covered(target: Form) -> NotCoveredError:
    table = forms().filter((pl.col("material") == target.material) & (pl.col("coverage") != "none"))
    near = ", ".join(table["form"].to_list())
    cure = (
        f"Covered forms of {target.material}: {near}."
        if near
        else f"No form of {target.material} is covered."
    )
    return NotCoveredError(f"no data covers {target.name}", cure=cure)


def _left_out(member: Form, why: str) -> Finding:
    return Finding(
        "form-left-out",
        "caution",
        f"{member.name} belongs to the chain but is left out: {why}.",
        {"form": member.name},
    )


def _chain(
    target: Form, scope: Scope, trade: pl.DataFrame | None, revision: str
) -> tuple[list[Conversion], list[Form], list[Finding]]:
    """Conversions, covered forms (upstream first) and what is left out."""
    if scope == "form":
        return [], [target], []
    steps = conversions()
    covered = {name: form(name) for name in form_names() if _readable(form(name), trade, revision)}
    covered[target.name] = target
    names, missing = {target.name}, set()
    grown = True
    while grown:
        grown = False
        for step in steps:
            for here, there in ((step.source, step.target), (step.target, step.source)):
                if here in names and there not in names:
                    if there in covered:
                        names.add(there)
                        grown = True
                    else:
                        missing.add(there)
    inside = [step for step in steps if step.source in names and step.target in names]
    reasons = {"share": "only published shares cover it", "none": "no data covers it"}
    reasons["full"] = f"the trade given has no code of it ({revision})"
    findings = [_left_out(form(name), reasons[form(name).coverage]) for name in sorted(missing)]
    return inside, [covered[name] for name in _upstream_first(names, inside)], findings


def _upstream_first(names: Iterable[str], steps: Sequence[Conversion]) -> list[str]:
    placed: list[str] = []
    left = sorted(names)
    while left:
        ready = [n for n in left if all(s.source in placed for s in steps if s.target == n)] or left[:1]
        placed += ready
        left = [n for n in left if n not in ready]
    return placed


def _observe(
    member: Form,
    focal: str,
    year: int,
    base: Base,
    trade: tuple[pl.DataFrame | None, str],
    production: pl.DataFrame | None,
    facts: pl.DataFrame | None,
) -> Observed:
    given, revision = trade
    if member.coverage == "share" and not _readable(member, given, revision):
        statistics = _production(member, year, production)
        return observe_shares(member, focal, year, _facts(member.name, facts), statistics)
    years = sorted(base_years(year, base))
    rows = _trade(member, years, given, revision)
    found = observe_trade(member, focal, year, base, rows, _production(member, year, production))
    missing = [] if given is None else sorted(set(codes_in(member, revision)) - set(given["code"].unique()))
    if missing:
        found = replace(found, findings=(*found.findings, _code_missing(member, missing, revision)))
    return found


def _code_missing(member: Form, codes: list[str], revision: str) -> Finding:
    listed = ", ".join(codes)
    return Finding(
        "code-not-covered",
        "caution",
        f"{listed} of {revision}, which {member.name} is traded under too, is not in the trade given: its"
        " trade is unknown, not zero.",
        {"codes": codes},
    )


def _trade(member: Form, years: list[int], given: pl.DataFrame | None, revision: str) -> pl.DataFrame:
    if given is None:
        from evernormal.data import trade  # noqa: PLC0415  reads a table

        return trade(member.trade_codes, years=years)
    codes = codes_in(member, revision)
    if not codes:
        raise NotCoveredError(
            f"{member.name} has no customs code of its own in {revision}",
            where="trade",
            cure="Give trade with codes of another revision, or leave it out.",
        )
    return given.filter(pl.col("code").is_in(list(codes)) & pl.col("year").is_in(years))


def _production(member: Form, year: int, given: pl.DataFrame | None) -> pl.DataFrame:
    if not member.production_source:
        return pl.DataFrame()
    label = member.production_source.partition(":")[2]
    if given is None:
        from evernormal.data import production  # noqa: PLC0415  reads a table

        return production([label], years=[year])
    require_columns(given, PRODUCTION_COLUMNS, "production")
    return given.filter((pl.col("material") == label) & (pl.col("year") == year))


def _facts(name: str, given: pl.DataFrame | None) -> pl.DataFrame:
    if given is None:
        from evernormal.data import facts  # noqa: PLC0415  reads a table

        return facts(form=name)
    return given.filter(pl.col("form") == name)


def _require_imports(main: Observed, focal: str, year: int) -> None:
    if main.imports_of(focal) > 0:
        return
    buyers = (
        main.flows.group_by("importer")
        .agg(pl.col("contained_t").sum())
        .sort("contained_t", "importer", descending=[True, False])["importer"]
        .head(5)
    )
    raise NotCoveredError(
        f"{focal} has no recorded imports of {main.form.name} in {year}",
        where="focal",
        cure=f"Largest importers that year: {', '.join(buyers.to_list())}.",
    )
