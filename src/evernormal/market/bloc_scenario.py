"""A scenario with a price floor, asked from every side: instruments, membership, attacks, projects, years."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from evernormal.market.bloc import bloc_result
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_compare import alternatives, attacks, membership
from evernormal.market.bloc_path import path_of
from evernormal.market.bloc_projects import DISCOUNT_RATE, check_projects, plants_of, read_projects
from evernormal.market.bloc_question import lay_out, pair_of
from evernormal.market.bloc_ranges import ranges
from evernormal.market.bloc_viability import project_tables
from evernormal.network.network import Network
from evernormal.result import Input, Result

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["bloc_study"]


def bloc_study(
    network: Network,
    scenario: Scenario,
    *,
    projects: pl.DataFrame | None = None,
    discount_rate: float = DISCOUNT_RATE,
    parameters: Mapping[str, float] | None = None,
    with_ranges: bool = True,
) -> Result:
    """Return what the price floors of a scenario do, and what else could have been done.

    Args:
        network: the scenario's network.
        scenario: has one measure ``price_floor`` per form held, with the same members and rules; other
            measures act beside it.  Years are counted from the scenario's start.
        projects: mines and plants to be judged, see :func:`~evernormal.market.bloc_projects.read_projects`;
            the shipped ones when omitted.
        discount_rate: rate at which their capital must earn.
        parameters: values instead of the shipped behavioural ones.
        with_ranges: also ask what comes out at the ends of the behavioural intervals; takes as long again.

    Returns:
        Result ``bloc_study``: the tables of :func:`~evernormal.market.bloc.bloc_equilibrium` for the last
        year in which the floor holds, and ``alternatives`` (instruments on the same market),
        ``membership`` (the focal country inside, outside and without a bloc), ``attacks`` (a price cut and a
        withheld supply by the largest outside supplier), ``projects``, ``project_ladder``, ``path`` (year by
        year), ``plants`` (what was built on the floor, year by year), ``ranges`` (behaviour at the ends of
        its intervals) and ``end_use_names``.

    Raises:
        InputError: no price floor, or floors that do not fit together.
        LabelError: network and scenario speak of different things.
        SolverError: no proven answer; nothing partial is returned.
    """
    question = lay_out(network, scenario, parameters)
    table = read_projects() if projects is None else check_projects(projects.cast(pl.String))
    plants, left_out = plants_of(network, table, discount_rate)
    before, after = pair_of(question, question.mechanism)
    changes, _ = compare_accounts(before, after)
    judged, rungs, built = project_tables(question, plants, before, after)
    path, yearly = path_of(question, plants, built)
    more = {
        "alternatives": alternatives(question, changes, before, after),
        "membership": membership(question, before, after),
        "attacks": attacks(question, before, after),
        "projects": judged,
        "project_ladder": rungs,
        "path": path,
        "plants": yearly,
        "end_use_names": _end_use_names(network),
        **(
            {"ranges": ranges(network, scenario, parameters or {}, question, (before, after))}
            if with_ranges
            else {}
        ),
    }
    mechanism = question.mechanism
    call: dict[str, Any] = {
        "scenario": scenario.name,
        "title_en": scenario.title["en"],
        "title_ko": scenario.title["ko"],
        "members": [network.regions[r] for r in np.flatnonzero(mechanism.members)],
        "rules_of_origin": "strict" if mechanism.strict else "loose",
        "levy": "by_origin" if mechanism.by_origin else "common",
        "year": question.shown + 1,
        "discount_rate": discount_rate,
        "sources": [{"title": s.title, "reference": s.reference} for s in scenario.sources],
    }
    found = (*question.findings, *left_out)
    inputs = (Input(f"scenario {scenario.name}", scenario.sha256(), "scenario file"), _projects_input(table))
    return bloc_result(
        before, after, found, parameters or {}, call, more, "bloc_study", inputs, scenario.measured()
    )


def _projects_input(table: pl.DataFrame) -> Input:
    """The projects that were judged, pinned by their cells."""
    digest = hashlib.sha256(table.write_csv().encode()).hexdigest()
    return Input("bloc projects", digest, "sources named by row")


def _end_use_names(network: Network) -> pl.DataFrame:
    """Names of the focal country's end uses, by form."""
    rows = [(use.form, use.name, use.name_en, use.name_ko) for use in network.end_uses]
    names = ("form", "end_use", "name_en", "name_ko")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
