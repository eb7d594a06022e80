"""How the numbers of a bloc are made: what :mod:`evernormal.report` walks back from any of them."""

from __future__ import annotations

from evernormal.result import Derivation

__all__ = ["DERIVATIONS", "STUDY"]

_SUM = "Sum of the members' changes of this account."
_GROUP = "Sum of the changes of every account of the group."
_OWN = "Changes of surplus, revenue and cost against the year without the mechanism, summed."

DERIVATIONS = (
    Derivation("ladder", "levy_usd_t", "E80", ("ladder.user_usd_t", "ladder.border_usd_t"),
               "Least levy on goods from outside that holds the reference price."),
    Derivation("ladder", "levy_rate", "E80", ("ladder.levy_usd_t", "ladder.border_usd_t"),
               "Levy over the price at the border."),
    Derivation("ladder", "user_usd_t", "E80", ("ladder.reference_usd_t", "ladder.border_usd_t"),
               "Larger of the reference and of what is offered at the border; without a levy the price that"
               " closes the balance."),
    Derivation("ladder", "border_usd_t", "E82", (), "Price at which every balance of the year closes."),
    Derivation("ladder", "before_usd_t", "E82", (), "Price at which every balance of the year closes."),
    Derivation("ladder", "maker_usd_t", "E82", (), "Price at which every balance of the year closes."),
    Derivation("ladder", "reference_usd_t", "", ("ladder.base_price_usd_t",),
               "Asked: a price, or a multiple of the member's base price."),
    Derivation("ladder", "base_price_usd_t", "", (), "Price of the base year, from the network."),
    Derivation("regions", "price_usd_t", "E82", (), "Price at which every balance of the year closes."),
    Derivation("margins", "margin_usd_t", "E88", (), "What converting a tonne leaves over its input."),
    Derivation("incidence", "change_usd", "E85", (),
               "Change of surplus, revenue or cost against the year without the mechanism."),
    Derivation("positions", "total_usd", "E86", (), _OWN),
    Derivation("leakage", "passed_off_t", "E84", (), "Goods from outside that enter free as if made inside."),
    Derivation("diversion", "diverted_share", "",
               ("diversion.to_members_before_t", "diversion.to_members_t", "diversion.to_others_before_t",
                "diversion.to_others_t"),
               "Rise of exports to non-members over the fall of exports to members."),
    *(Derivation("summary", f"members_{name}_usd", "E85", ("incidence.change_usd",), _SUM)
      for name in ("users", "producers", "processors", "traders", "levy", "tariff", "contract", "purchase",
                   "budget")),
    *(Derivation("summary", f"{who}_welfare_usd", "E86", ("incidence.change_usd",), _GROUP)
      for who in ("members", "others", "world")),
    Derivation("summary", "market_residual", "E82", (), "Largest imbalance, relative to throughput."),
    Derivation("summary", "complementarity_residual", "E80", ("ladder.levy_usd_t", "ladder.user_usd_t"),
               "Largest overlap of a levy and a price off its reference, over the base price."),
    Derivation("summary", "accounts_residual", "E86", ("incidence.change_usd",),
               "Sum of all accounts less the change of benefits and real costs, over the value of all that is"
               " used."),
)  # fmt: skip

STUDY = (
    *DERIVATIONS,
    *(Derivation(table, "members_usd", "E86", (), _OWN)
      for table in ("alternatives", "attacks", "path", "ranges")),
    Derivation("ranges", "focal_usd", "E86", (), _OWN),
    Derivation("membership", "total_usd", "E86", (), _OWN),
    Derivation("projects", "break_even_usd_t", "E87", ("projects.operating_usd_t",),
               "Price at which a project pays its operating cost and its capital."),
    Derivation("projects", "least_reference_usd_t", "E87", ("projects.break_even_usd_t",),
               "Least of the tried references at which the price covers the break-even price."),
    Derivation("projects", "price_usd_t", "E82", (), "Price at which every balance of the year closes."),
    Derivation("plants", "unpaid_usd", "E89", ("plants.capital_usd", "plants.earned_usd"),
               "What the price leaves unpaid of the yearly capital charge."),
    Derivation("path", "unpaid_capital_usd", "E89", ("plants.unpaid_usd",),
               "What the price leaves unpaid of the yearly capital charge."),
)  # fmt: skip
