"""The sentences of a brief: the answer first, then how sure it is and how it was made."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import polars as pl

from evernormal.report.basis import amount
from evernormal.report.reading import NOTABLE_SHARE, Reading

__all__ = [
    "gaps",
    "headline",
    "method",
    "not_known",
    "reproduce",
    "share_based",
    "stop",
]


@dataclass(frozen=True)
class Gaps:
    """What is not known, counted."""

    total: int
    observed: int
    estimated: int
    unknown: int
    warnings: int
    cautions: int


def headline(reading: Reading) -> list[str]:
    """Return the answer in four sentences: who loses what from when, how long stock lasts, at what cost."""
    found = (_loss_of_supply(reading), _hardest_hit(reading), stop(reading), _cost(reading))
    return [sentence[:1].upper() + sentence[1:] for sentence in found if sentence]


def _loss_of_supply(reading: Reading) -> str:
    words, short = reading.words, reading.value("shortage_t")
    names = {"focal": reading.focal_inline, "form": reading.form_inline}
    if short is None:
        return words.text("headline.unknown", **names)
    if reading.is_short:
        return words.text(
            "headline.short" if reading.day("stop_date_with_release") else "headline.less",
            **names,
            shortage=amount(reading, short),
            share=words.percent(reading.value("shortage_share")),
            month=words.month(reading.day("first_shortage_month")),
        )
    return _without_shortage(reading, names)


def _without_shortage(reading: Reading, names: dict[str, str]) -> str:
    """Return what the scenario does to imports where no use runs short."""
    words, lost, year = reading.words, reading.value("imports_lost_t"), reading.value("base_imports_year_t")
    if lost is None or year is None:
        return words.text("headline.unknown", **names)
    if not year and not reading.value("base_use_year_t"):
        return words.text("headline.no_trade", **names, year=reading.base_year)
    if abs(lost) <= NOTABLE_SHARE * year:
        return words.text("headline.calm", **names)
    if lost < 0:
        return words.text("headline.more", **names, gain=amount(reading, -lost))
    return words.text("headline.covered", **names, lost=amount(reading, lost))


def _hardest_hit(reading: Reading) -> str:
    table = reading.table("end_use")
    if not reading.is_short or "end_use" not in table.columns:
        return ""
    own = table.filter(~pl.col("end_use").str.contains(": ", literal=True))
    totals = own.group_by("end_use", maintain_order=True).agg(pl.col("shortage_t").sum())
    if totals.height < 2:
        return ""
    worst = totals.sort("shortage_t", "end_use", descending=[True, False]).row(0, named=True)
    return reading.words.text(
        "headline.short_where",
        end_use=reading.words.inline(reading.end_use(worst["end_use"])),
        amount=amount(reading, worst["shortage_t"]),
    )


def stop(reading: Reading) -> str:
    """Return the sentence on the date on which stock runs out, with and without the release."""
    words = reading.words
    with_release, without = reading.day("stop_date_with_release"), reading.day("stop_date_without_release")
    if "stop_date_with_release" not in reading.summary_names:
        return ""
    if with_release is None and without is None:
        return words.text("headline.stop_never", months=len(reading.months))
    if with_release is None:
        return words.text("headline.stop_only_without", without_release=words.date(without))
    if without is None or with_release == without:
        return words.text("headline.stop_same", with_release=words.date(with_release))
    return words.text(
        "headline.stop_both", with_release=words.date(with_release), without_release=words.date(without)
    )


def _cost(reading: Reading) -> str:
    words, loss, peak = reading.words, reading.value("loss_usd"), reading.value("peak_price_ratio")
    ratio = words.ratio(peak)
    if not reading.is_short or loss is None:
        dearer = peak is not None and peak > 1.005
        unknown = words.text("headline.cost_unknown") if reading.is_short else ""
        price = words.text("headline.price_only", ratio=ratio) if dearer else ""
        return " ".join(part for part in (unknown, price) if part)
    band = reading.band("loss_usd")
    cost = words.text("headline.cost", loss=words.money(loss))
    if band.known:
        cost = words.text(
            "headline.cost_range",
            loss=words.money(loss),
            low=words.money(band.p10),
            high=words.money(band.p90),
        )
    if peak is None:
        return words.text("headline.cost_end", cost=cost)
    capped = any(finding.code == "price-at-choke" for finding in reading.result.findings)
    return words.text("headline.cost_ceiling" if capped else "headline.cost_price", cost=cost, ratio=ratio)


def share_based(reading: Reading) -> str:
    """Return the warning that the picture of trade comes from published shares; empty where it does not."""
    found = next((f for f in reading.result.findings if f.code in {"share-based", "published-shares"}), None)
    if found is None:
        return ""
    period = reading.words.period(str(found.values.get("period") or reading.base_year))
    return reading.words.text("brief.share_based", form=reading.form_name, period=period)


def gaps(reading: Reading) -> Gaps:
    """Count what was observed, estimated and unknown, and the warnings and cautions on the numbers."""
    coverage = reading.result.coverage
    column = next((c for c in ("status", "coverage", "state") if c in coverage.columns), None)
    found = coverage[column].to_list() if column else []
    levels = [finding.level for finding in reading.result.findings]
    return Gaps(
        len(found),
        found.count("observed"),
        found.count("estimated"),
        found.count("unknown"),
        levels.count("warning"),
        levels.count("caution"),
    )


def not_known(reading: Reading) -> str:
    """Return one line for the top of the page: what is not known or assumed, the gravest first."""
    words, count = reading.words, gaps(reading)
    parts = []
    if count.total:
        parts.append(
            words.text(
                "brief.not_known_counts", unknown=count.unknown, total=count.total, estimated=count.estimated
            )
        )
    named = gravest(reading)
    if not named and not parts:
        return words.text("brief.not_known_nothing")
    joint = ", " if words.korean else "; "
    shown = joint.join(named) or words.text("brief.not_known_inputs")
    line = words.text("brief.not_known_line", what=shown)
    return f"{line} {joint.join(parts)}." if parts else line


def gravest(reading: Reading, shown: int = 6) -> list[str]:
    """Return in a few words each what warnings and cautions are about, warnings first."""
    names: dict[str, None] = {}
    for level in ("warning", "caution"):
        for finding in reading.result.findings:
            if finding.level == level:
                names[reading.words.gap(finding)] = None
    listed = list(names)
    if len(listed) > shown:
        return [*listed[:shown], reading.words.text("explain.more", count=len(listed) - shown)]
    return listed


def method(reading: Reading) -> list[str]:
    """Return the method in five sentences, each with the numbers of its equations."""
    cited = {
        "balance": ("supply.base_imports_t", "imports.base_imports_t", "base_rows.contained_t"),
        "equilibrium": ("imports.imports_t", "supply.price_ratio", "supply.use_t"),
        "measures": ("supply.release_t", "rerouting.change_t"),
        "stocks": ("supply.cover_days", "runway.stock_t"),
        "loss": ("supply.shortage_t", "supply.loss_usd", "end_use.loss_usd"),
    }
    return [
        reading.words.text(f"method.{key}", cite=reading.cite(*columns), year=reading.base_year)
        for key, columns in cited.items()
    ]


def reproduce(reading: Reading) -> str:
    """Return the command that makes the same numbers again."""
    parts = ["evernormal", "brief", reading.name, "--focal", reading.focal, "--lang", reading.words.code]
    if reading.draws is not None:
        parts += ["--draws", str(reading.draws)]
    if reading.result.lineage.seed is not None:
        parts += ["--seed", str(reading.result.lineage.seed)]
    for option in ("severity", "as_of"):
        if (value := reading.result.lineage.call.get(option)) is not None:
            parts += [f"--{option.replace('_', '-')}", str(value)]
    for finding in reading.result.findings:
        if finding.code in {"own-facts", "own-facts-elsewhere"}:
            parts += ["--facts", str(finding.values["dataset"])]
        if finding.code == "own-trade":
            parts += ["--trade", str(finding.values["dataset"])]
    return shlex.join(parts)
