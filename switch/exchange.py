"""The exchange: who hears what the links hear. Requests go to the desk, FIN messages to the mailroom."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from ..codecs.iso8583 import Message
from .desk import Desk
from .links.contract import FinIncoming, FinLink, Incoming, IsoLink
from .mailroom import Mailroom

log = Logger()


class Exchange:
    """Implements `links.contract.Hearer`."""

    def __init__(self, desk: Desk, mailroom: Mailroom, wake: Callable[[str], None]) -> None:
        self._desk = desk
        self._mailroom = mailroom
        self._wake = wake

    def hear_request(self, incoming: Incoming) -> None:
        """Take a request to the desk."""
        self._desk.hear_request(incoming)

    def hear_fin(self, incoming: FinIncoming) -> None:
        """Take a FIN message to the mailroom."""
        self._mailroom.hear_fin(incoming)

    def hear_late(self, link: IsoLink, message: Message) -> None:
        """Say that a response came which nobody waits for; its transaction has its end already."""
        log.info(
            "{link} sent a late or unmatched {mti} with DE39 {code}",
            link=link.name,
            mti=message.mti,
            stan=message.get(11),
            code=message.get(39),
        )

    def link_changed(self, link: IsoLink | FinLink) -> None:
        """Let the courier of an institution look again: its link may be up."""
        self._wake(link.institution)
