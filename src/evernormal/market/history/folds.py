"""Folds of codes: a code is always tried by coefficients that never saw it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

__all__ = ["FOLDS", "folds_of"]

FOLDS = 10


def folds_of(codes: Iterable[str], folds: int = FOLDS) -> dict[str, int]:
    """Return a fold for every code: in the order of the hash of the code, dealt out in turn.

    >>> sorted(folds_of(["260400", "260600", "284690"], 3).values())
    [0, 1, 2]
    """
    order = sorted(set(codes), key=lambda code: hashlib.sha256(code.encode()).hexdigest())
    return {code: number % folds for number, code in enumerate(order)}
