"""Folds of minerals: a code is always tried by coefficients that saw neither it nor a code of its mineral."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from evernormal.market.history.families import family_of

__all__ = ["FOLDS", "folds_of", "itself"]

FOLDS = 10


def itself(code: str) -> str:
    """Return the code: folds of codes and not of minerals.

    >>> itself("260400")
    '260400'
    """
    return code


def folds_of(
    codes: Iterable[str], folds: int = FOLDS, group_of: Callable[[str], str] = family_of
) -> dict[str, int]:
    """Return a fold for every code: minerals in the order of the hash of their name, dealt out in turn.

    Args:
        codes: codes.
        folds: how many.
        group_of: what leaves together; the mineral, or :func:`itself`.

    >>> found = folds_of(["260400", "750210", "260600", "284690"], 3)
    >>> found["260400"] == found["750210"], sorted(set(found.values()))
    (True, [0, 1, 2])
    """
    listed = sorted(set(codes))
    order = sorted({group_of(code) for code in listed}, key=_digest)
    number = {group: place % folds for place, group in enumerate(order)}
    return {code: number[group_of(code)] for code in listed}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
