"""Watches how much of its net debit cap each institution has used, and tells it once when that is much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from twisted.logger import Logger

from ..config.settings import Settings

log = Logger()


class Position(Protocol):
    """A position as the books tell it; cap None: no limit."""

    @property
    def institution(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def position_minor(self) -> int: ...
    @property
    def cap_minor(self) -> int | None: ...


class CapWatch:
    """Remembers which accounts were told, until they have recovered."""

    def __init__(self, settings: Settings) -> None:
        self._percents: Mapping[str, int] = {
            each.id: each.net_debit_cap_warning_percent for each in settings.institutions
        }
        self._told: set[str] = set()

    def look(self, positions: Iterable[Position]) -> None:
        """Warn of each account that has come over its institution's threshold since it was looked at last."""
        for each in positions:
            percent = self._percents.get(each.institution)
            if percent is None or not each.cap_minor:
                continue
            is_over = -each.position_minor * 100 >= each.cap_minor * percent
            if is_over and each.account not in self._told:
                log.warn(
                    "{institution} has used {percent} % of its net debit cap in {currency}",
                    institution=each.institution,
                    percent=-each.position_minor * 100 // each.cap_minor,
                    currency=each.currency,
                    position_minor=each.position_minor,
                    cap_minor=each.cap_minor,
                )
            (self._told.add if is_over else self._told.discard)(each.account)
