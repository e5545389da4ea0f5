"""All links by institution: who is there, who may be asked, and what each is doing.

What routing reads is kept ready: it is made anew after a link changed, never for a message.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred, DeferredList

from .contract import FinLink, IsoLink, LinkMeter


@attrs.frozen
class LinkView:
    """One link as people see it. Clock times are the reactor's, in seconds; 0.0 is never."""

    name: str
    institution: str
    protocol: str
    """`iso8583` or `fin`."""
    direction: str
    """`listens` when the peer dialled, `dials` when we do."""
    state: str
    """A `signon.State` in words."""
    since: datetime.datetime
    """When it came to this state (UTC)."""
    in_flight: int = 0
    """Requests of ours that wait for the peer."""
    in_hand: int = 0
    """Requests of the peer that wait for us."""
    peer: str = ""
    tls_version: str = ""
    tls_cipher: str = ""
    last_in_s: float = 0.0
    last_out_s: float = 0.0


class Tally:
    """How an institution stands; sessions count their requests in flight here as they come and go."""

    __slots__ = ("in_flight", "signed_on", "up")

    def __init__(self) -> None:
        self.up = 0
        self.signed_on = 0
        self.in_flight = 0


class Member(Protocol):
    """What the directory needs of a session."""

    @property
    def name(self) -> str: ...
    @property
    def institution(self) -> str: ...
    @property
    def iso(self) -> IsoLink | None: ...
    @property
    def fin(self) -> FinLink | None: ...
    @property
    def is_live(self) -> bool: ...
    def view(self) -> LinkView: ...
    def refuse_requests(self) -> None: ...
    def leave(self) -> Deferred[None]: ...


class Expected(Protocol):
    """What the directory needs of a dialler, to show it while it has no connection."""

    @property
    def name(self) -> str: ...
    def view(self) -> LinkView: ...


class Directory:
    """The links of a switch. Names are unique; diallers come in the order in which they were expected."""

    def __init__(self, meter: LinkMeter, links_per_institution_max: int) -> None:
        self._meter = meter
        self._most = links_per_institution_max
        self._members: dict[str, Member] = {}
        self._expected: dict[str, Expected] = {}
        self._tallies: dict[str, Tally] = {}
        self._live: dict[str, dict[str, Member]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._names_view: Mapping[str, tuple[str, ...]] = MappingProxyType(self._names)
        self._stale: set[str] = set()
        self._is_refusing = False

    # ------------------------------------------------------------ links come, change and go

    def expect(self, dialler: Expected) -> None:
        """Know a dialler by its name, before and between its connections."""
        assert dialler.name not in self._expected, "names of links are unique"
        self._expected[dialler.name] = dialler

    def tally(self, institution: str) -> Tally:
        """Give the count of an institution's links and requests, to be kept by its sessions."""
        return self._tallies.setdefault(institution, Tally())

    def admit(self, member: Member) -> bool:
        """Take a link in; False when its institution has as many as it may."""
        assert member.name not in self._members, "names of links are unique"
        tally = self.tally(member.institution)
        if tally.up >= self._most:
            return False
        self._members[member.name] = member
        tally.up += 1
        if self._is_refusing:
            member.refuse_requests()
        self.changed(member)
        return True

    def changed(self, member: Member) -> None:
        """Read the state of a link again: whether it may be asked."""
        if self._members.get(member.name) is not member:
            return
        self._mark(member, member.is_live)

    def dismiss(self, member: Member) -> None:
        """Forget a link whose connection is gone."""
        if self._members.get(member.name) is not member:
            return
        del self._members[member.name]
        self.tally(member.institution).up -= 1
        self._mark(member, False)

    def _mark(self, member: Member, is_live: bool) -> None:
        live = self._live.setdefault(member.institution, {})
        if is_live != (member.name in live):
            if is_live:
                live[member.name] = member
            else:
                del live[member.name]
            self._stale.add(member.institution)
        tally = self.tally(member.institution)
        tally.signed_on = len(live)
        self._meter.link_state(member.institution, tally.up, tally.signed_on, tally.in_flight)

    # ------------------------------------------------------------ who may be asked

    def live_names(self) -> Mapping[str, tuple[str, ...]]:
        """Give the names of the ISO 8583 links that may be asked, by institution: diallers first, as configured."""
        if self._stale:
            self._refresh()
        return self._names_view

    def _refresh(self) -> None:
        order = {name: index for index, name in enumerate(self._expected)}
        for institution in self._stale:
            names = [name for name, member in self._live[institution].items() if member.iso is not None]
            names.sort(key=lambda name: order.get(name, len(order)))
            self._names[institution] = tuple(names)
        self._stale.clear()

    def find_link(self, name: str) -> IsoLink | None:
        """Find an ISO 8583 link by its name, whatever its state."""
        member = self._members.get(name)
        return None if member is None else member.iso

    def live(self, institution: str) -> tuple[IsoLink, ...]:
        """Give the ISO 8583 links that may be asked, the one with the least in flight first."""
        members = self._live.get(institution, {}).values()
        links = [link for member in members if (link := member.iso) is not None]
        return tuple(sorted(links, key=lambda link: link.in_flight))

    def live_fin(self, institution: str) -> tuple[FinLink, ...]:
        """Give the FIN links that may be asked."""
        members = self._live.get(institution, {}).values()
        return tuple(link for member in members if (link := member.fin) is not None)

    # ------------------------------------------------------------ what people see, and the end

    def snapshot(self) -> tuple[LinkView, ...]:
        """Show every link and every dialler without one: diallers as configured, then the others as they came."""
        shown = [self._members.get(name, dialler).view() for name, dialler in self._expected.items()]
        shown += [member.view() for name, member in self._members.items() if name not in self._expected]
        return tuple(shown)

    def measure(self) -> None:
        """Tell the meter how each institution stands now: requests in flight are counted without telling it."""
        for institution, tally in self._tallies.items():
            self._meter.link_state(institution, tally.up, tally.signed_on, tally.in_flight)

    def refuse_requests(self) -> None:
        """Begin to drain: from now on no link passes a new request on; ours and those in hand run their course.

        ISO 8583 requests are answered as if the peer had not signed on; FIN messages are left unacknowledged, so
        they come again.
        """
        self._is_refusing = True
        for member in tuple(self._members.values()):
            member.refuse_requests()

    def leave_all(self) -> Deferred[None]:
        """Sign off every link that we signed on, and close them all; fires when the last connection is gone.

        It takes twice `close_s` at the most. Listeners and diallers are stopped before.
        """
        leaving = DeferredList([member.leave() for member in tuple(self._members.values())])
        return leaving.addCallback(lambda _: None)
