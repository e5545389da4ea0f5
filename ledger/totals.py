"""Totals of a business day: how many messages of each class an institution sent or was sent, and their sums.

Counted is what was approved, when it is approved, at the amount that was approved. A reversal counts when it takes
back what was posted; one that finds nothing, or only a hold, does not. Classes by the first two digits of DE3, as ISO
8583:1987 divides them: 00 to 19 and 50 to 59 are debits, 20 to 29 credits, 30 to 39 inquiries, 40 to 49 transfers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .operations import LEDGER, Facts
from .page import Page
from .settlement_items import Role, Total, TotalClass, Totals

# Plain numbers: what follows is done for every message.
_BY_TENS: Final[Mapping[str, int]] = {
    "0": int(TotalClass.DEBITS),
    "1": int(TotalClass.DEBITS),
    "2": int(TotalClass.CREDITS),
    "3": int(TotalClass.INQUIRIES),
    "4": int(TotalClass.TRANSFERS),
    "5": int(TotalClass.DEBITS),
}
_REVERSED: Final[Mapping[str, int]] = {
    "0": int(TotalClass.DEBIT_REVERSALS),
    "1": int(TotalClass.DEBIT_REVERSALS),
    "2": int(TotalClass.CREDIT_REVERSALS),
    "4": int(TotalClass.TRANSFER_REVERSALS),
    "5": int(TotalClass.DEBIT_REVERSALS),
}
_INQUIRIES: Final = int(TotalClass.INQUIRIES)
_AUTHORISATIONS: Final = int(TotalClass.AUTHORISATIONS)
_ACQUIRER: Final = int(Role.ACQUIRER)
_ISSUER: Final = int(Role.ISSUER)

COUNT_ELEMENTS: Final[Mapping[int, TotalClass]] = {
    74: TotalClass.CREDITS,
    75: TotalClass.CREDIT_REVERSALS,
    76: TotalClass.DEBITS,
    77: TotalClass.DEBIT_REVERSALS,
    78: TotalClass.TRANSFERS,
    79: TotalClass.TRANSFER_REVERSALS,
    80: TotalClass.INQUIRIES,
    81: TotalClass.AUTHORISATIONS,
}
AMOUNT_ELEMENTS: Final[Mapping[int, TotalClass]] = {
    86: TotalClass.CREDITS,
    87: TotalClass.CREDIT_REVERSALS,
    88: TotalClass.DEBITS,
    89: TotalClass.DEBIT_REVERSALS,
}
NET: Final = 97
"""Amount, net settlement: positive in favour of the institution."""


def count(page: Page, facts: Facts, amount_minor: int) -> None:
    """Count a message that was approved."""
    class_ = _BY_TENS.get(facts.processing_code[:1])
    if class_ is None:
        return
    if facts.type[1:2] == "1" and class_ != _INQUIRIES:
        class_ = _AUTHORISATIONS
    page.count((page.bdate, facts.source, _ACQUIRER, facts.currency, class_), amount_minor)
    destination = facts.destination
    if destination != LEDGER and destination:
        page.count((page.bdate, destination, _ISSUER, facts.currency, class_), amount_minor)


def count_reversal(page: Page, facts: Facts, destination: str, currency: int, amount_minor: int) -> None:
    """Count a reversal that took back what was posted; destination and currency are the original's."""
    class_ = _REVERSED.get(facts.processing_code[:1])
    if class_ is None:
        return
    page.count((page.bdate, facts.source, _ACQUIRER, currency, class_), amount_minor)
    if destination != LEDGER and destination:
        page.count((page.bdate, destination, _ISSUER, currency, class_), amount_minor)


def figures_of(totals: Totals, role: Role) -> tuple[tuple[int, int], ...]:
    """Give the figures of totals by element: DE74 to DE81, DE86 to DE89, DE97."""
    nothing = Total()
    counts = [(element, totals.get(class_, nothing).count) for element, class_ in COUNT_ELEMENTS.items()]
    amounts = {element: totals.get(class_, nothing).amount_minor for element, class_ in AMOUNT_ELEMENTS.items()}
    net = amounts[88] - amounts[89] - amounts[86] + amounts[87]
    return (*counts, *amounts.items(), (NET, net if role is Role.ACQUIRER else -net))
