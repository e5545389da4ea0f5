"""The life of an ISO 8583 link as a table: who has signed on, and what may flow.

`step` reads the table; a link acts on what it gives. Network management is ISO 8583:1987 class 08, DE70 001
(sign-on), 002 (sign-off) and 301 (echo).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from ...config.settings import SignOn


class State(Enum):
    """Where a link is between its first byte and its last; the value is what people read."""

    DOWN = "down"
    CONNECTING = "connecting"
    """Dialling, or in the TLS handshake."""
    PROVING = "proving"
    """We dialled, and nobody signs on: an echo shows that the peer took our certificate (see below)."""
    SIGNING_ON = "signing on"
    """Our sign-on waits for its response."""
    AWAITING_SIGN_ON = "awaiting sign-on"
    """Theirs has not come."""
    SIGNING_ON_BOTH = "signing on both ways"
    """Both are missing."""
    UP = "up"
    SIGNED_OFF = "signed off"
    """They signed off, and may sign on again."""
    SIGNING_OFF = "signing off"
    """We are leaving."""


class Event(Enum):
    """What moves a link from state to state."""

    WIRE_READY = "connected"
    PROVEN = "echo answered"
    WE_SIGNED_ON = "our sign-on accepted"
    THEY_SIGNED_ON = "their sign-on"
    THEY_SIGNED_OFF = "their sign-off"
    WE_LEAVE = "our sign-off"
    WIRE_LOST = "connection lost"


FIRST: Final[Mapping[tuple[SignOn, bool], State]] = MappingProxyType(
    {
        (SignOn.NONE, False): State.UP,
        (SignOn.NONE, True): State.PROVING,
        (SignOn.WE, False): State.SIGNING_ON,
        (SignOn.WE, True): State.SIGNING_ON,
        (SignOn.THEY, False): State.AWAITING_SIGN_ON,
        (SignOn.THEY, True): State.AWAITING_SIGN_ON,
        (SignOn.BOTH, False): State.SIGNING_ON_BOTH,
        (SignOn.BOTH, True): State.SIGNING_ON_BOTH,
    }
)
"""Where a link goes when its connection is ready: by the policy, and whether the connection must be proven.

Under TLS 1.3 the side that dials has finished its handshake before the other side has judged its certificate, so a
dialled link without sign-on is proven by an echo before requests may go out on it.
"""

TABLE: Final[Mapping[State, Mapping[Event, State]]] = MappingProxyType(
    {
        State.PROVING: {
            Event.PROVEN: State.UP,
            Event.WE_SIGNED_ON: State.PROVING,
            Event.THEY_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_OFF: State.SIGNED_OFF,
        },
        State.SIGNING_ON: {
            Event.PROVEN: State.SIGNING_ON,
            Event.WE_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_ON: State.SIGNING_ON,
            Event.THEY_SIGNED_OFF: State.SIGNED_OFF,
        },
        State.AWAITING_SIGN_ON: {
            Event.PROVEN: State.AWAITING_SIGN_ON,
            Event.WE_SIGNED_ON: State.AWAITING_SIGN_ON,
            Event.THEY_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_OFF: State.AWAITING_SIGN_ON,
        },
        State.SIGNING_ON_BOTH: {
            Event.PROVEN: State.SIGNING_ON_BOTH,
            Event.WE_SIGNED_ON: State.AWAITING_SIGN_ON,
            Event.THEY_SIGNED_ON: State.SIGNING_ON,
            Event.THEY_SIGNED_OFF: State.SIGNING_ON_BOTH,
        },
        State.UP: {
            Event.PROVEN: State.UP,
            Event.WE_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_OFF: State.SIGNED_OFF,
        },
        State.SIGNED_OFF: {
            Event.PROVEN: State.SIGNED_OFF,
            Event.WE_SIGNED_ON: State.SIGNED_OFF,
            Event.THEY_SIGNED_ON: State.UP,
            Event.THEY_SIGNED_OFF: State.SIGNED_OFF,
        },
        State.SIGNING_OFF: {
            Event.PROVEN: State.SIGNING_OFF,
            Event.WE_SIGNED_ON: State.SIGNING_OFF,
            Event.THEY_SIGNED_ON: State.SIGNING_OFF,
            Event.THEY_SIGNED_OFF: State.SIGNING_OFF,
        },
    }
)
"""State and event to the next state; leaving and losing the connection are the same everywhere (`step`)."""

HEARING: Final = frozenset({State.PROVING, State.SIGNING_ON, State.UP})
"""States in which the peer's requests are served; in any other they are answered that it is not signed on."""

SETTLED: Final = frozenset({State.UP, State.SIGNED_OFF, State.SIGNING_OFF})
"""States that may last: what comes before them must be over within the handshake time."""


def step(state: State, event: Event) -> State:
    """Give the state that follows; an event that a state does not know is a bug, and asserted."""
    if event is Event.WIRE_LOST:
        return State.DOWN
    if event is Event.WE_LEAVE:
        return State.DOWN if state is State.DOWN else State.SIGNING_OFF
    following = TABLE.get(state, {}).get(event)
    assert following is not None, f"{event.value} cannot happen while {state.value}"
    return following


def draw() -> str:
    """Draw the table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {state.name}: {state.value}" for state in State]
    lines += ["    [*] --> CONNECTING"]
    for (policy, proving), state in FIRST.items():
        if proving == (state is State.PROVING):
            words = f"{Event.WIRE_READY.value}, sign-on {policy.value}{', to be proven' if proving else ''}"
            lines.append(f"    CONNECTING --> {state.name}: {words}")
    for state, events in TABLE.items():
        lines += [
            f"    {state.name} --> {following.name}: {event.value}"
            for event, following in events.items()
            if following is not state
        ]
        if state is not State.SIGNING_OFF:
            lines.append(f"    {state.name} --> SIGNING_OFF: {Event.WE_LEAVE.value}")
    lines.append("    SIGNING_OFF --> DOWN: connection lost (from any state)")
    return "\n".join(lines) + "\n"
