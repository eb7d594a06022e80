"""Chains: which forms stand upstream and downstream of one, joined by conversions.

A chain may pass through forms that no data reaches.  :func:`chain` can close such gaps: it joins the forms
that are kept by the product of the recoveries in between (equation E32), so that ore still leads to powder
when the trade in paratungstate is unknown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from evernormal.network.forms import conversions, form, form_names
from evernormal.network.network import Conversion
from evernormal.result import Parameter

__all__ = ["Chain", "chain", "downstream", "upstream"]


@dataclass(frozen=True)
class Chain:
    """One chain of forms.

    Attributes:
        forms: names, upstream first.
        conversions: steps between them.
        skipped: forms on the way that were not kept.
    """

    forms: tuple[str, ...]
    conversions: tuple[Conversion, ...]
    skipped: tuple[str, ...]


def _reach(name: str, forward: bool) -> tuple[str, ...]:
    form(name)
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        here = waiting.pop()
        for step in conversions():
            near, far = (step.source, step.target) if forward else (step.target, step.source)
            if near == here and far not in seen:
                seen.add(far)
                waiting.append(far)
    return _ordered(seen)


def _ordered(names: Collection[str]) -> tuple[str, ...]:
    """Upstream first; the order of the table decides where the chain does not."""
    left = [name for name in form_names() if name in names]
    done: list[str] = []
    while left:
        fed = {step.target for step in conversions() if step.source in left}
        free = next(name for name in left if name not in fed)
        done.append(free)
        left.remove(free)
    return tuple(done)


def upstream(name: str) -> tuple[str, ...]:
    """Return every form that a form is made from, however far back, upstream first.

    >>> upstream("cobalt/oxides")
    ('cobalt/ore', 'cobalt/intermediates')
    """
    return _reach(name, forward=False)


def downstream(name: str) -> tuple[str, ...]:
    """Return every form that is made from a form, however far on, upstream first.

    >>> downstream("rare-earths/compounds")
    ('rare-earths/metals', 'neodymium/magnet')
    """
    return _reach(name, forward=True)


def chain(name: str, coverage: Collection[str] = ("full", "share", "none")) -> Chain:
    """Return the chain through a form: all that it is made from and all that is made from it.

    Args:
        name: form in question; always kept.
        coverage: coverages kept; forms of any other are skipped and the gap is closed (equation E32).

    Raises:
        UnknownNameError: no such form.

    >>> chain("tungsten/ore", coverage=("full",)).forms
    ('tungsten/ore', 'tungsten/powder')
    """
    every = _ordered({name, *upstream(name), *downstream(name)})
    kept = tuple(f for f in every if f == name or form(f).coverage in coverage)
    steps = [s for s in conversions() if s.source in every and s.target in every]
    for gap in (f for f in every if f not in kept):
        steps = _without(gap, steps)
    return Chain(kept, tuple(steps), tuple(f for f in every if f not in kept))


def _without(gap: str, steps: list[Conversion]) -> list[Conversion]:
    """Join what feeds ``gap`` to what it feeds; a step that is there already stays as it is."""
    rest = [s for s in steps if gap not in (s.source, s.target)]
    there = {(s.source, s.target): s for s in rest}
    for first in (s for s in steps if s.target == gap):
        for second in (s for s in steps if s.source == gap):
            there.setdefault((first.source, second.target), _joined(first, second))
    return list(there.values())


def _joined(first: Conversion, second: Conversion) -> Conversion:
    a, b = first.recovery, second.recovery
    product = Parameter(
        f"recovery {first.source} -> {second.target}",
        *(a.value * b.value, a.low * b.low, a.high * b.high),
        unit="t/t",
        grade=max(a.grade, b.grade),
        source=f"product of {first.name} ({a.source}) and {second.name} ({b.source})",
    )
    return Conversion(first.source, second.target, product)
