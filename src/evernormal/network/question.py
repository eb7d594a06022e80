"""The network that a scenario asks about."""

from __future__ import annotations

import re

from evernormal.network.load import load_network
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario

__all__ = ["actors", "network_of"]


def actors(scenario: Scenario) -> tuple[str, ...]:
    """Return every country that acts or is acted upon in a scenario, in alphabetical order."""
    named: set[str] = set()
    for measure in (*scenario.resolved_measures(), *scenario.resolved_policies()):
        named |= {measure.by, *measure.against, *measure.exempt, *getattr(measure, "regions", ())}
    return tuple(sorted(name for name in named if re.fullmatch("[A-Z]{3}", name)))


def network_of(scenario: Scenario) -> Network:
    """Load the base-year network of a scenario, with every country that it names shown by itself.

    Raises:
        NotCoveredError: no data for the form, year or focal country of the scenario.
        BalanceError: the statistics cannot be reconciled plausibly.
    """
    return load_network(
        scenario.form, scenario.focal, scenario.base_year, base=scenario.base, keep=actors(scenario)
    )
