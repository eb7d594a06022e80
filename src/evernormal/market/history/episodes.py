"""The registry of episodes: which cuts are tried, which side of the split each is on, and what was rejected.

The registry and the split are frozen: they were made from the shipped trade by the rules of
:mod:`evernormal.market.history.cleaning` and written to ``tables/episodes.csv`` and
``tables/rejected_episodes.csv`` before any model was fitted.  A test makes them again and compares.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from evernormal.errors import InputError
from evernormal.market.history.candidates import CORE, TIERS, WIDER, Candidate, Tier, candidates
from evernormal.market.history.cleaning import RULES, broken_rules
from evernormal.market.history.known import PolicyEpisode, policy_episodes
from evernormal.market.history.records import TradeRecords

__all__ = [
    "HELD_OUT",
    "TRAIN",
    "Episode",
    "Rejected",
    "build_registry",
    "check_split",
    "registry",
    "rejected",
    "split_of",
]

TRAIN, HELD_OUT = "train", "held-out"
TRAIN_SHARE = 0.56


@dataclass(frozen=True)
class Episode:
    """One code and year in which one or more exporters cut.

    Attributes:
        code: six digits.
        year: of the cut.
        exporters: those that cut, sorted.
        tier: ``core`` or ``wider``; a core episode is in both.
        split: ``train`` or ``held-out``; empty for a user's own.
        policy: the act behind it; empty where none is on record.
        lost: tonnes that they ship less, as a fraction of the world's trade of the year before.
    """

    code: str
    year: int
    exporters: tuple[str, ...]
    tier: str = "core"
    split: str = ""
    policy: str = ""
    lost: float = float("nan")

    @property
    def name(self) -> str:
        """Code, exporters and year in one word."""
        return f"{self.code}-{'+'.join(self.exporters)}-{self.year}"


@dataclass(frozen=True)
class Rejected:
    """A candidate that is no episode, with the rules that it breaks."""

    candidate: Candidate
    rules: tuple[str, ...]
    policy: str


def build_registry(
    trade: TradeRecords,
    tiers: Sequence[Tier] = (CORE, WIDER),
    policies: Mapping[tuple[str, str, int], PolicyEpisode] | None = None,
) -> tuple[tuple[Episode, ...], tuple[Rejected, ...]]:
    """Return the episodes of the tiers, and the rejected candidates of the first tier.

    A named policy overrides the rules of presumption, never those of measurement.  Cuts of one code in one
    year are one episode.  The side of the split is that of the hash of code and exporter, the same in every
    tier; exporters that ever cut a code together stand on one side.

    Args:
        trade: records of every code; breaks show across codes.
        tiers: how large a cut must be.
        policies: named acts; the shipped ones when omitted.
    """
    known = policy_episodes() if policies is None else policies
    kept: dict[str, list[Candidate]] = {}
    out: list[Rejected] = []
    for tier in tiers:
        kept[tier.name] = []
        for one in candidates(trade, tier):
            policy = known.get(one.key)
            broken = broken_rules(trade, one)
            refuted = policy is not None and _PRESUMPTIONS.issuperset(broken)
            if not broken or refuted:
                kept[tier.name].append(one)
            elif tier == tiers[0]:
                out.append(Rejected(one, broken, policy.name if policy else ""))
    sides = _sides([group for cuts in kept.values() for group in _together(cuts).values()])
    episodes = [e for name, cuts in kept.items() for e in _merged(cuts, name, sides, known)]
    return tuple(episodes), tuple(out)


_PRESUMPTIONS = frozenset(rule.name for rule in RULES if rule.presumption)


def _together(cuts: Iterable[Candidate]) -> dict[tuple[str, int], list[Candidate]]:
    """Return the cuts of each code and year, by exporter."""
    found: dict[tuple[str, int], list[Candidate]] = defaultdict(list)
    for one in sorted(cuts, key=lambda one: (one.code, one.year, one.exporter)):
        found[one.code, one.year].append(one)
    return found


def _merged(
    cuts: Iterable[Candidate],
    tier: str,
    sides: Mapping[tuple[str, str], str],
    policies: Mapping[tuple[str, str, int], PolicyEpisode],
) -> list[Episode]:
    episodes = []
    for (code, year), group in _together(cuts).items():
        acts = [policies[one.key].name for one in group if one.key in policies]
        episodes.append(
            Episode(
                code,
                year,
                tuple(one.exporter for one in group),
                tier,
                sides[code, group[0].exporter],
                "; ".join(dict.fromkeys(acts)),
                sum(one.lost for one in group),
            )
        )
    return episodes


def split_of(code: str, exporter: str) -> str:
    """Return the side of the split that the hash of code and exporter says.

    >>> split_of("260400", "IDN") == split_of("260400", "IDN")
    True
    """
    digest = hashlib.sha256(f"{code}:{exporter}".encode()).digest()
    return TRAIN if int.from_bytes(digest[:8], "big") / 2**64 < TRAIN_SHARE else HELD_OUT


def _sides(groups: Iterable[Sequence[Candidate]]) -> dict[tuple[str, str], str]:
    """Return the side of every code and exporter; those that ever cut together stand on one side."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(key: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for group in groups:
        for one in group:
            low, high = sorted((root((one.code, group[0].exporter)), root((one.code, one.exporter))))
            parent[high] = low
    return {key: split_of(*root(key)) for key in list(parent)}


def check_split(episodes: Iterable[Episode]) -> None:
    """Refuse an empty registry and a split that leaks.

    Raises:
        InputError: there is no episode, an episode twice, or a code and exporter on both sides.
    """
    listed = list(episodes)
    if not listed:
        raise InputError("the registry has no episode", cure="Give at least one (code, exporter, year).")
    sides: dict[tuple[str, str], str] = {}
    seen: set[tuple[str, int]] = set()
    for episode in listed:
        if (episode.code, episode.year) in seen:
            raise InputError(
                f"code {episode.code} has two episodes in {episode.year}",
                where="registry",
                cure="Give all exporters that cut in that year as one episode.",
            )
        seen.add((episode.code, episode.year))
        for exporter in episode.exporters:
            side = sides.setdefault((episode.code, exporter), episode.split)
            if side != episode.split:
                raise InputError(
                    f"the split leaks: {exporter} and code {episode.code} are in both {side!r} and"
                    f" {episode.split!r}",
                    where=f"episode {episode.name}",
                    cure="Put all years of one exporter and code on one side.",
                )


@lru_cache(maxsize=2)
def registry(tier: str = "core") -> tuple[Episode, ...]:
    """Return the frozen registry of a tier.

    Args:
        tier: ``core`` (share 15 %, cut 40 %) or ``wider`` (10 %, 25 %).

    Raises:
        InputError: no such tier.

    >>> any(e.name == "260400-IDN-2014" for e in registry())
    True
    """
    if tier not in TIERS:
        raise InputError(f"tier must be one of {', '.join(TIERS)}, got {tier!r}")
    episodes = tuple(
        Episode(
            row["code"],
            int(row["year"]),
            tuple(row["exporters"].split("+")),
            tier,
            row["split"],
            row["policy"],
            float(row["lost"]),
        )
        for row in _table("episodes.csv")
        if row["tier"] == tier
    )
    check_split(episodes)
    return episodes


def rejected() -> tuple[dict[str, str], ...]:
    """Return the rejected candidates of the core tier: code, year, exporter, share, cut, rules, policy."""
    return tuple(_table("rejected_episodes.csv"))


def _table(name: str) -> list[dict[str, str]]:
    text = files("evernormal.market").joinpath(f"tables/{name}").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
