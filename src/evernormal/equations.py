"""Every equation of evernormal, numbered once; code cites the number, the docs print this table.

Add an equation here before you code it.  ``latex`` is shown in the docs, ``text`` in the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EQUATIONS", "Equation"]


@dataclass(frozen=True)
class Equation:
    """One numbered equation: symbol-level form, plain words, source, and where it is computed."""

    key: str
    name: str
    latex: str
    text: str
    source: str
    where: str


_ALL = (
    Equation(
        "E1",
        "Balance of a region and form",
        r"p_{rg} + \sum_i f_{irg} + \sum_{c\to g}\eta_c a_{cr} = \sum_{c\leftarrow g} a_{cr} + u_{rg}"
        r" + \sum_j f_{rjg} + \Delta s_{rg}",
        "production + imports + conversion output = conversion input + final use + exports + stock change",
        "Law 1; material flow accounting, Brunner and Rechberger 2016",
        "evernormal.network.network.Network.residual",
    ),
)

EQUATIONS: dict[str, Equation] = {equation.key: equation for equation in _ALL}
