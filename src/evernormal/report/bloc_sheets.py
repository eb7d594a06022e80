"""The tables of a bloc study as people read them: in words, in columns that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.report.digits import significant
from evernormal.report.language import Language, language
from evernormal.result import Result

__all__ = ["Sheet", "bloc_sheets"]

MOST = 8
"""Members shown of each stage; the command has an option for all."""
ABROAD = 3
"""Non-members shown of those who gain or lose most."""
STATE = ("levy", "tariff", "contract", "purchase", "state_sales")
Row = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A table in words.

    Attributes:
        title: one line, with the unit of its numbers.
        columns: headings; those of ``numbers`` stand to the right.
        numbers: from which column on.
        rows: cells, in words.
        note: what is left out.
    """

    title: str
    columns: tuple[str, ...]
    numbers: int
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def bloc_sheets(result: Result, lang: str = "en", *, every_member: bool = False) -> list[Sheet]:
    """Return the tables of a bloc study, the ladder of every stage first.

    Args:
        result: a Result of kind ``bloc_study``.
        lang: ``en`` or ``ko``.
        every_member: show all members, not only the largest buyers from outside.
    """
    maker = _Maker(result, language(lang), every_member)
    sheets = [*maker.ladders(), maker.ways(), maker.parties(), maker.end_uses(), maker.attacks()]
    sheets += [maker.projects(), maker.path(), *maker.ranges()]
    return [sheet for sheet in sheets if sheet.rows]


class _Maker:
    def __init__(self, result: Result, words: Language, every_member: bool) -> None:
        self.result, self.words, self.every_member = result, words, every_member
        self.focal = str(result.lineage.call["focal"])

    def _sheet(
        self, name: str, columns: str, numbers: int, rows: Iterator[tuple[str, ...]], **more: Any
    ) -> Sheet:
        note = str(more.pop("note", ""))
        headings = tuple(self.words.text(f"bloc.column.{column}") for column in columns.split())
        return Sheet(self.words.text(f"bloc.sheet.{name}", **more), headings, numbers, tuple(rows), note)

    def _price(self, value: float | None) -> str:
        """USD per tonne to four figures; a dash where there is none."""
        if value is None:
            return "–"
        shown = significant(value, 4)
        return f"{shown:,.0f}" if abs(shown) >= 100 or shown == 0 else f"{shown:,.2f}"

    def _million(self, usd: float | None) -> str:
        """Million USD to three figures, with its sign."""
        if usd is None:
            return "–"
        value = significant(usd / 1e6, 3)
        if abs(usd) < 5e4:
            return "0"
        digits = 0 if abs(value) >= 100 else 1
        return f"{value:+,.{digits}f}".replace("-", "\N{MINUS SIGN}")

    def _tonnes(self, value: float) -> str:
        return f"{significant(value, 3):,.0f}" if value >= 1 else "0" if value == 0 else "<1"

    def _word(self, group: str, key: str) -> str:
        return self.words.text(f"bloc.{group}.{key.replace(' ', '_')}")

    def ladders(self) -> Iterator[Sheet]:
        held = self.result["ladder"].drop_nulls("reference_usd_t")
        for form in held["form"].unique(maintain_order=True).to_list():
            rows = held.filter(form=form).sort("outside_t", "member", descending=[True, False])
            first = (pl.col("member") == self.focal).cast(pl.Int8)
            rows = rows.sort(first, descending=True, maintain_order=True)
            shown = rows if self.every_member else rows.head(MOST)
            left = rows.height - shown.height
            yield self._sheet(
                "ladder", "member without reference home border levy rate outside status", 1,
                (self._rung(row) for row in shown.iter_rows(named=True)), form=self.words.form(form),
                note=self.words.text("bloc.more_members", count=left) if left else "",
            )  # fmt: skip

    def _rung(self, row: Row) -> tuple[str, ...]:
        prices = ("before_usd_t", "reference_usd_t", "user_usd_t", "border_usd_t", "levy_usd_t")
        rate = row["levy_rate"]
        return (
            self.words.country(row["member"]),
            *(self._price(row[name]) for name in prices),
            "–" if rate is None else f"{rate:.0%}",
            self._tonnes(row["outside_t"]),
            self._word("status", row["status"]),
        )

    def ways(self) -> Sheet:
        rows = (
            (
                self._word("way", row["instrument"]),
                self._price(row["user_usd_t"]),
                self._price(row["maker_usd_t"]),
                self._tonnes(row["made_t"]),
                self._tonnes(row["from_others_t"]),
                *(
                    self._million(row[f"{who}_usd"])
                    for who in ("users", "makers", "traders", "budget", "members")
                ),
            )
            for row in self.result["alternatives"].iter_rows(named=True)
        )
        form = self.words.form(str(self.result.lineage.call["form"]))
        return self._sheet(
            "ways", "way pay get made outside users makers traders states together", 1, rows, form=form
        )

    def parties(self) -> Sheet:
        table = self.result["positions"].with_columns(
            makers=pl.sum_horizontal("producers_usd", "processors_usd", "projects_usd"),
            rest=pl.sum_horizontal(
                "traders_usd", "other_supply_usd", "absorption_usd", "price_cut_usd", "quota_rent_usd"
            ),
        )
        by_size = table.sort(pl.col("total_usd").abs(), "region", descending=[True, False])
        inside = by_size.filter(pl.col("member"))
        first = (pl.col("region") == self.focal).cast(pl.Int8)
        inside = inside.sort(first, descending=True, maintain_order=True)
        outside = by_size.filter(~pl.col("member")).sort(first, descending=True, maintain_order=True)
        shown = inside if self.every_member else inside.head(MOST)
        rows = [
            *(self._party(self.words.country(row["region"]), row) for row in shown.iter_rows(named=True)),
            self._party(self.words.text("bloc.members_sum"), _sums(inside)),
            *(
                self._party(self.words.country(row["region"]), row)
                for row in outside.head(ABROAD).iter_rows(named=True)
            ),
            self._party(self.words.text("bloc.others_sum"), _sums(outside)),
        ]
        return self._sheet("parties", "party users makers others states together", 1, iter(rows))

    def _party(self, name: str, row: Row) -> tuple[str, ...]:
        return (
            name,
            *(
                self._million(row[key])
                for key in ("users_usd", "makers", "rest", "government_usd", "total_usd")
            ),
        )

    def end_uses(self) -> Sheet:
        """What users of the focal country lose, by stage and end use, and those of all members."""
        users = self.result["incidence"].filter(account="users")
        names = {
            (row["form"], row["end_use"]): row[f"name_{self.words.code}"]
            for row in self.result["end_use_names"].iter_rows(named=True)
        }
        mine = users.filter(pl.col("region") == self.focal)
        members = users.filter(pl.col("member") & (pl.col("region") != self.focal))
        country = self.words.country(self.focal)
        rows = [
            (self.words.form(form), country, names.get((form, use), use), self._million(usd))
            for form, use, usd in mine.select("form", "end_use", "change_usd").iter_rows()
        ]
        for form in members["form"].unique(maintain_order=True).sort().to_list():
            usd = float(members.filter(form=form)["change_usd"].sum())
            every = (self.words.text("bloc.other_members"), self.words.text("bloc.all_uses"))
            rows.append((self.words.form(form), *every, self._million(usd)))
        return self._sheet("end_uses", "stage party use users", 3, iter(rows))

    def attacks(self) -> Sheet:
        form = self.words.form(str(self.result.lineage.call["form"]))
        rows = (
            (
                self.words.text(
                    f"bloc.attack.{row['attack']}",
                    by=self.words.country(row["by"]),
                    size=self.words.percent(row["size_ratio"]),
                ),
                self._price(row["without_mechanism_usd_t"]),
                self._price(row["user_usd_t"]),
                self._tonnes(row["from_others_t"]),
                *(self._million(row[name]) for name in ("levy_revenue_usd", "users_usd", "members_usd")),
            )
            for row in self.result["attacks"].iter_rows(named=True)
        )
        return self._sheet("attacks", "attack without pay outside revenue users together", 1, rows, form=form)

    def ranges(self) -> Iterator[Sheet]:
        if "ranges" not in self.result.tables:
            return
        rows = (
            (
                self._word(
                    "range",
                    row["assumption"] if row["end"] == "central" else f"{row['assumption']}_{row['end']}",
                ),
                self._price(row["user_usd_t"]),
                self._tonnes(row["from_others_t"]),
                *(
                    self._million(row[f"{who}_usd"])
                    for who in ("users", "makers", "budget", "members", "focal")
                ),
            )
            for row in self.result["ranges"].iter_rows(named=True)
        )
        form = self.words.form(str(self.result.lineage.call["form"]))
        yield self._sheet(
            "ranges", "assumption pay outside users makers states together focal", 1, rows, form=form,
            focal=self.words.country(self.focal),
        )  # fmt: skip

    def projects(self) -> Sheet:
        pays = {True: "yes", False: "no", None: "unknown"}
        rows = (
            (
                row["name"],
                self.words.country(row["country"]),
                self.words.form(row["form"]),
                *(self._price(row[f"{name}_usd_t"]) for name in ("break_even", "price_without", "price")),
                self._word("pays", pays[row["pays_without"]]),
                self._word("pays", pays[row["pays_with"]]),
                self._price(None if row["pays_without"] else row["least_reference_usd_t"]),
            )
            for row in self.result["projects"].sort("form", "break_even_usd_t", "name").iter_rows(named=True)
        )
        return self._sheet(
            "projects", "project country stage needs without home pays_without pays_with from", 3, rows
        )

    def path(self) -> Sheet:
        form = self.words.form(str(self.result.lineage.call["form"]))
        rows = (
            (
                str(row["year"]),
                self._word("pays", "yes" if row["in_force"] else "no"),
                *(self._price(row[f"{name}_usd_t"]) for name in ("without", "user", "maker")),
                self._tonnes(row["plants_t"]),
                *(self._million(row[f"{name}_usd"]) for name in ("budget", "users", "members")),
                self._million(-row["unpaid_capital_usd"]),
            )
            for row in self.result["path"].iter_rows(named=True)
        )
        return self._sheet(
            "path", "year force without pay get plants states users together unpaid", 2, rows, form=form
        )


def _sums(table: pl.DataFrame) -> Row:
    names = ("users_usd", "makers", "rest", "government_usd", "total_usd")
    return {name: float(table[name].sum()) for name in names}
