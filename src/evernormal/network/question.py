"""The network that a scenario asks about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from evernormal.network.network import Network
from evernormal.network.scenario import Scenario
from evernormal.network.userdata import network_with

__all__ = ["actors", "network_of"]

REGIONS = 24
"""Regions of a scenario's network; members of a bloc come on top, so that those outside stay visible."""


def actors(scenario: Scenario) -> tuple[str, ...]:
    """Return every country that acts or is acted upon in a scenario, in alphabetical order."""
    named: set[str] = set()
    for measure in (*scenario.resolved_measures(), *scenario.resolved_policies()):
        named |= {measure.by, *measure.against, *measure.exempt}
        for group in ("regions", "members", "partners", "through"):
            named |= set(getattr(measure, group, ()))
    return tuple(sorted(name for name in named if re.fullmatch("[A-Z]{3}", name)))


def _members(scenario: Scenario) -> set[str]:
    """Members of the blocs of a scenario."""
    acts = (*scenario.resolved_measures(), *scenario.resolved_policies())
    return {member for act in acts for member in getattr(act, "members", ())}


def network_of(
    scenario: Scenario,
    *,
    facts: str | None = None,
    trade: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    keep: Iterable[str] = (),
) -> Network:
    """Load the base-year network of a scenario, with every country that it names shown by itself.

    It holds the form alone, or the whole chain when an act is about another form of it.

    Args:
        scenario: what is asked.
        facts: name of a stored data set of facts that joins the shipped ones.
        trade: name of a stored data set of trade that is used instead of the shipped one.
        folder: folder of the user's store; needed with ``facts`` or ``trade``.
        as_of: use only what was knowable on this day (law 11); None for everything.
        keep: further countries to show by themselves, such as those of drawn events.

    Raises:
        UnknownNameError: no such data set.
        NotCoveredError: no data for the form, year or focal country of the scenario, or none of that day.
        SnapshotError: a stored file was truncated or changed.
        BalanceError: the statistics cannot be reconciled plausibly.
    """
    return network_with(
        scenario.form,
        scenario.focal,
        scenario.base_year,
        facts=facts,
        trade=trade,
        folder=folder,
        as_of=as_of,
        base=scenario.base,
        scope="chain" if _names_other_forms(scenario) else "form",
        keep=tuple(sorted({*actors(scenario), *keep})),
        max_regions=REGIONS + len(_members(scenario)),
    )


def _names_other_forms(scenario: Scenario) -> bool:
    """Whether an act of the scenario is about another form of the chain than the scenario's own."""
    acts = (*scenario.measures, *scenario.policies)
    return any(set(act.forms) - {scenario.form} for act in acts)
