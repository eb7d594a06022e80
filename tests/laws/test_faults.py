"""Every guard fails when the fault that it guards against is planted."""

from __future__ import annotations

import pytest

from evernormal.errors import BalanceError

from .faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_planted_fault_is_caught(fault: Fault) -> None:
    """The guard of a law fails under a planted fault, and the fault leaves nothing behind."""
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch)
        with pytest.raises((AssertionError, BalanceError, pytest.fail.Exception)):
            fault.guard()
