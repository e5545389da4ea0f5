"""Where a payment goes: the ordered route table, and the choice of a live link."""

from __future__ import annotations

from .choice import Choice, choose
from .rows import Question, Road, RouteFault, RouteFaults, Row
from .table import LEDGER, Explanation, RouteTable, build_table

__all__ = [
    "LEDGER",
    "Choice",
    "Explanation",
    "Question",
    "Road",
    "RouteFault",
    "RouteFaults",
    "RouteTable",
    "Row",
    "build_table",
    "choose",
]
