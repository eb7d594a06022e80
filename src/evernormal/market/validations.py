"""Published numbers of the room beside ours: what ``evernormal verify`` runs."""

from __future__ import annotations

from evernormal.result import Result

__all__ = ["validations"]


def validations() -> Result:
    """Compare what the room computes with published numbers: :func:`evernormal.market.oracles.run_oracles`.

    >>> validations().kind
    'oracles'
    """
    from evernormal.market.oracles import run_oracles  # noqa: PLC0415 - loads the engine

    return run_oracles()
