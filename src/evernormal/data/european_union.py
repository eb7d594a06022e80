"""The European Union as one country: its name and its members."""

from __future__ import annotations

__all__ = ["EUROPEAN_UNION", "MEMBERS", "traders"]

EUROPEAN_UNION = "EU"
MEMBERS = (
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL",
    "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
)  # fmt: skip
"""The 27 members since February 2020, taken for every year."""


def traders(country: str) -> tuple[str, ...]:
    """Return the countries whose trade is a country's: its own, or that of the Union's 27 members.

    Trade among them is trade at home.

    >>> traders("KOR"), len(traders("EU"))
    (('KOR',), 27)
    """
    return MEMBERS if country == EUROPEAN_UNION else (country,)
