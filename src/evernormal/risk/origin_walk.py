"""Walk a chain from what a country buys back to the mine, under every assumption that the data leave open.

The central answer mixes in proportion at every pool.  The interval is the envelope of four pictures: that
one; every country ships its own production first (and, where its production is unknown, makes all that it
ships and what its recorded conversion needs beyond its imports); every country ships on what it bought first;
and, where trade between two stages is not recorded, the world's mix for everyone.  Inside each picture an
unrecorded trade spans what the totals allow (equation E116).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evernormal.risk.origin_accounts import Link, Sources, Stage
from evernormal.risk.origin_algebra import Bounded, Places, Pooled, Rule, drawn, open_link, tightened

__all__ = ["NAMED", "Assumed", "Chained", "Reached", "Step", "pictures", "reached", "steps"]

Floats = npt.NDArray[np.float64]

NAMED = 1e-3
"""A country whose share can reach this is named; what is unexplained is not spread over all others."""


@dataclass(frozen=True)
class Assumed:
    """One set of assumptions.

    Attributes:
        name: short name.
        rule: what shipments are drawn from.
        world: whether an unrecorded trade mixes the whole world.
    """

    name: str
    rule: Rule
    world: bool = False


def pictures() -> tuple[Assumed, ...]:
    """Return the pictures whose envelope is the interval; the first is the central one."""
    return (
        Assumed("proportional", "mixed"),
        Assumed("own production first", "own-first"),
        Assumed("purchases first", "bought-first"),
        Assumed("world mix", "mixed", world=True),
    )


@dataclass
class Chained:
    """The forms of one chain in one year under one picture, each solved once.

    Attributes:
        sources: the tables.
        year: calendar year.
        kept: forms, upstream first; the last is the one traced.
        links: links between them.
        picture: the assumptions.
    """

    sources: Sources
    year: int
    kept: tuple[str, ...]
    links: tuple[Link, ...]
    picture: Assumed

    def stage(self, name: str) -> Stage:
        """Return what statistics say of one form."""
        return self.sources.stage(name, self.year)

    def drawn(self, name: str) -> Pooled:
        """Return who made what every country ships and uses of one form."""
        own = self.picture.rule == "own-first"  # unknown production then depends on the chain
        key: tuple[str, int, Rule] = (
            f"{name} for {self.kept[-1]}" if own else name,
            self.year,
            self.picture.rule,
        )
        if key not in self.sources.solved:
            stage = self.stage(name)
            flows = stage.flows
            if flows is None:  # nothing is known to cross a border: what a country holds, it made
                size = len(self.sources.labels)
                whole, nothing = np.eye(size), np.zeros((size, size))
                self.sources.solved[key] = Pooled(whole, np.ones(size), np.zeros(size), nothing)
            else:
                self.sources.solved[key] = drawn(flows, self.production(name), self.picture.rule)
        return self.sources.solved[key]

    def production(self, name: str) -> Floats:
        """Production of a form under this picture, tonnes contained."""
        stage = self.stage(name)
        if self.picture.rule != "own-first" or stage.flows is None:
            return stage.least
        bought, sold = stage.flows.sum(axis=0), stage.flows.sum(axis=1)
        full = sold + np.maximum(self.need(name) - bought, 0.0)
        return np.where(stage.unknown, full, stage.production)

    def need(self, name: str) -> Floats:
        """Tonnes of a form that each country converts into the forms of the chain."""
        total = np.zeros(len(self.sources.labels))
        for link in self.links:
            if link.source == name:
                parts = sum(1 for other in self.links if other.target == link.target)
                total += self.production(link.target) / link.recovery / parts
        return total

    def supply(self, name: str) -> Floats:
        """Tonnes of a form that each country has to convert: production and imports less exports."""
        stage, made = self.stage(name), self.production(name)
        if stage.flows is None:
            return made
        left: Floats = np.maximum(made + stage.flows.sum(axis=0) - stage.flows.sum(axis=1), 0.0)
        return left

    def has(self, link: Link) -> npt.NDArray[np.bool_]:
        """Countries that can convert a form at all: they make it, buy it, or may buy it unrecorded."""
        if link.open:
            return np.full(len(self.sources.labels), bool(self.supply(link.source).sum() > 0))
        stage = self.stage(link.source)
        assert stage.flows is not None
        able: npt.NDArray[np.bool_] = (stage.least > 0) | (stage.flows.sum(axis=0) > 0)
        return able

    def feed(self, link: Link, rows: Places) -> Bounded:
        """Return the makers of the form that some countries convert: row converts, column made."""
        made = self.drawn(link.source)
        if not link.open:
            return Bounded.exact(made.used(rows))
        need = np.zeros(len(self.sources.labels))
        for other in self.links:
            if other.source == link.source and other.open:
                parts = sum(1 for one in self.links if one.target == other.target)
                need += self.production(other.target) / other.recovery / parts
        bought = open_link(self.supply(link.source), need, world=self.picture.world).rows(rows)
        if self.stage(link.source).flows is None:
            return bought  # what a country holds, it made
        places = np.flatnonzero(bought.high.any(axis=0))
        return bought.columns(places).then(Bounded.exact(made.used(places)))

    def makers(self, name: str, sink: str, rows: Places) -> Bounded:
        """Return, for what some countries make of ``name``, who made the ``sink`` form that is in it."""
        size = len(self.sources.labels)
        if name == sink:
            return Bounded.exact(np.eye(size)[rows])
        parts = []
        for link in self.links:
            if link.target == name:
                fed = self.feed(link, rows)
                places = np.flatnonzero(fed.high.any(axis=0))
                before = self.makers(link.source, sink, places)
                parts.append((self.has(link)[rows], fed.columns(places).then(before)))
        return _either(parts, (len(rows), size))


def _either(parts: Sequence[tuple[npt.NDArray[np.bool_], Bounded]], shape: tuple[int, int]) -> Bounded:
    """Join the inputs that a maker can use: equal parts, and anything from none to all of each."""
    if not parts:
        return Bounded.exact(np.zeros(shape))
    if len(parts) == 1 and parts[0][1].is_exact:
        return Bounded.exact(np.where(parts[0][0][:, None], parts[0][1].middle, 0.0))
    able = np.stack([mask for mask, _ in parts])[:, :, None]
    count = np.maximum(able.sum(axis=0), 1)
    middle = np.where(able, np.stack([b.middle for _, b in parts]), 0.0).sum(axis=0) / count
    low = np.where(able, np.stack([b.low for _, b in parts]), np.inf).min(axis=0)
    high = np.where(able, np.stack([b.high for _, b in parts]), 0.0).max(axis=0)
    low = np.where(np.isfinite(low), low, 0.0)
    return Bounded(middle, np.minimum(low, middle), np.maximum(high, middle))


@dataclass(frozen=True)
class Reached:
    """Who made one form of the chain, as a share of what was traced; row traced, column made.

    Attributes:
        form: the form.
        middle: central shares; what a row lacks of 1 is of unknown origin or went another way.
        low: low ends.
        high: high ends.
    """

    form: str
    middle: Floats
    low: Floats
    high: Floats


def reached(
    build: Callable[[Assumed], Chained], basket: Callable[[Chained], Floats], whole: Sequence[str]
) -> tuple[Reached, ...]:
    """Return who made every form of a chain, with the envelope of all pictures.

    Args:
        build: makes the chain under a picture.
        basket: share of what is traced by the country that made the traced form; row traced, column made.
        whole: forms through which all that is traced must pass: what is missing there may be anyone's.
    """
    central, *others = pictures()
    chain = build(central)
    found = []
    rows = {p.name: basket(build(p)) for p in (central, *others)}
    for sink in reversed(chain.kept):
        each = []
        for picture in (central, *others):
            start = rows[picture.name]
            places = np.flatnonzero(start.any(axis=0))
            made = build(picture).makers(chain.kept[-1], sink, places)
            each.append(Bounded.exact(start[:, places]).then(made))
        middle = each[0].middle
        low, high = np.min([b.low for b in each], axis=0), np.max([b.high for b in each], axis=0)
        loose = np.clip(1.0 - middle.sum(axis=-1), 0.0, 1.0) if sink in whole else np.zeros(len(middle))
        if sink in whole:
            named = (middle > 0) | (high > NAMED)
            low, top = tightened(middle, low, high, np.where(loose > 1e-12, loose, 0.0))
            high = np.where(named, top, high)
        found.append(Reached(sink, middle, low, high))
    return tuple(found)


@dataclass(frozen=True)
class Step:
    """Tonnes that move between two stages, from the countries of one to those of the other.

    Attributes:
        source: form that leaves.
        target: form that it becomes, the same where it only travels.
        leaving: tonnes of the source form, contained; row source country, column target country.
        arriving: tonnes of the target form after losses.
    """

    source: str
    target: str
    leaving: Floats
    arriving: Floats


def steps(chain: Chained, made: Floats) -> tuple[Step, ...]:
    """Follow the tonnes that one country bought back to the mine, central picture (equation E115).

    Args:
        chain: the chain under the central picture.
        made: tonnes of the traced form by the country that made them.

    Returns:
        One step per link, downstream first.  Tonnes with no recorded input end where they are.
    """
    wanted: dict[str, Floats] = {chain.kept[-1]: made}
    found = []
    for name in reversed(chain.kept):
        here = wanted.get(name)
        inputs = [link for link in chain.links if link.target == name]
        if here is None or not inputs:
            continue
        able = np.stack([chain.has(link) for link in inputs])
        parts = np.where(able, 1.0 / np.maximum(able.sum(axis=0), 1), 0.0)
        for link, part in zip(inputs, parts, strict=True):
            every = np.arange(len(here))
            arriving = (here * part)[:, None] * chain.feed(link, every).middle
            found.append(Step(link.source, name, arriving.T / link.recovery, arriving.T))
            before = wanted.get(link.source, np.zeros_like(made))
            wanted[link.source] = before + arriving.sum(axis=0) / link.recovery
    return tuple(found)
