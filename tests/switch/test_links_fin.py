"""What a FIN session does with messages and acknowledgements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.swift import FinMessage, ack, nak, parse_fin
from junctor.config.settings import LinkLimits, Protocol
from junctor.switch.links.contract import Acknowledged, FinIncoming, FinReply, Refused, Silent, Unsent
from junctor.switch.links.signon import State
from link_fakes import NOW, Stage


def payment(sequence: int = 1, reference: str = "REF1") -> bytes:
    """Write an MT103 of NORTDEFF to us."""
    return (
        f"{{1:F01NORTDEFFAXXX0001{sequence:06d}}}{{2:I103JUNCDEFFXXXXN}}{{4:\r\n:20:{reference}\r\n:23B:CRED\r\n"
        ":32A:261120EUR10,00\r\n:50K:/1\r\nPAYER\r\n:59:/2\r\nPAYEE\r\n:71A:SHA\r\n-}"
    ).encode()


def acknowledgement(sequence: int = 1) -> bytes:
    return f"{{1:F21NORTDEFFAXXX0001{sequence:06d}}}{{4:{{177:2611201230}}{{451:0}}}}".encode()


def refusal(sequence: int = 1) -> bytes:
    return f"{{1:F21NORTDEFFAXXX0001{sequence:06d}}}{{4:{{177:2611201230}}{{451:1}}{{405:T27005}}}}".encode()


def fin_stage(framing: str = "length4", limits: LinkLimits = LinkLimits()) -> Stage:  # noqa: B008  (frozen)
    return Stage(framing=framing, protocol=Protocol.FIN, limits=limits)


def ask(stage: Stage, message: bytes, timeout_s: float = 20.0) -> list[FinReply]:
    replies: list[FinReply] = []
    stage.fin.ask(parse_fin(message), timeout_s).addCallback(replies.append)
    return replies


def acknowledge(incoming: FinIncoming) -> None:
    incoming.answer(ack(incoming.message, NOW))


# ------------------------------------------------------------ hearing


def test_a_fin_link_is_up_as_soon_as_it_is_known_whose_it_is() -> None:
    stage = fin_stage()
    assert stage.fin.is_up
    assert stage.directory.live_fin("acme") == (stage.fin,)
    assert stage.directory.live("acme") == ()
    assert stage.directory.live_names() == {"acme": ()}
    assert stage.ears.changes == [("link", True)]


@pytest.mark.parametrize("framing", ["length4", "fin"])
def test_a_message_that_comes_byte_by_byte_is_heard_once_and_acknowledged(framing: str) -> None:
    stage = fin_stage(framing)
    for byte in stage.framer.wrap(payment()):
        stage.wire.dataReceived(bytes([byte]))
    (incoming,) = stage.ears.fin
    assert incoming.message.raw == payment()
    assert incoming.link.institution == "acme"
    acknowledge(incoming)
    assert stage.said_raw() == [b"{1:F21NORTDEFFAXXX0001000001}{4:{177:2611201230}{451:0}}"]


def test_a_message_framed_by_braces_alone_is_heard_when_nothing_follows_it() -> None:
    stage = fin_stage("fin")
    stage.wire.dataReceived(payment())
    assert stage.ears.fin == []
    stage.clock.advance(0.05)
    assert [incoming.message.raw for incoming in stage.ears.fin] == [payment()]
    assert len(stage.clock.getDelayedCalls()) == 1


def test_the_gap_begins_again_with_each_byte() -> None:
    stage = fin_stage("fin")
    stage.wire.dataReceived(payment())
    stage.clock.advance(0.04)
    stage.wire.dataReceived(b"{5:")
    stage.clock.advance(0.04)
    assert stage.ears.fin == []
    stage.wire.dataReceived(b"{CHK:123456789ABC}}")
    assert [incoming.message.find_trailer("CHK") for incoming in stage.ears.fin] == ["123456789ABC"]


def test_a_message_framed_by_braces_must_end_within_the_time_of_a_frame() -> None:
    stage = fin_stage("fin", LinkLimits(frame_s=10.0))
    stage.wire.dataReceived(payment()[:80])
    stage.clock.advance(10.0)
    stage.clock.advance(0)
    assert stage.meter.of("disconnected") == [("acme", "frame time")]


def test_with_as_much_in_hand_as_may_be_a_fin_link_is_not_read() -> None:
    stage = fin_stage(limits=LinkLimits(in_hand_max=2))
    stage.hear_raw(payment(1), payment(2), payment(3))
    assert len(stage.ears.fin) == 2
    acknowledge(stage.ears.fin[0])
    stage.ears.fin[1].drop()
    stage.clock.advance(0)
    assert len(stage.ears.fin) == 3


def test_a_message_that_cannot_be_read_is_refused_when_its_header_can() -> None:
    stage = fin_stage()
    stage.hear_raw(payment()[:-1] + b"?")
    assert stage.said_raw() == [b"{1:F21NORTDEFFAXXX0001000001}{4:{177:2611201230}{451:1}{405:T13}}"]
    assert stage.ears.fin == []
    assert len(stage.meter.of("parse_error")) == 1
    assert stage.fin.is_up


def test_garbage_is_counted_and_the_link_goes_on() -> None:
    stage = fin_stage()
    stage.hear_raw(b"garbage")
    assert stage.said_raw() == []
    stage.hear_raw(payment())
    assert len(stage.ears.fin) == 1


def test_too_many_unreadable_fin_messages_in_a_row_end_the_connection() -> None:
    stage = fin_stage(limits=LinkLimits(faults_in_row_max=3))
    stage.hear_raw(*[b"garbage"] * 4)
    stage.clock.advance(0)
    assert stage.meter.of("disconnected") == [("acme", "too many faults")]


def test_while_draining_messages_are_left_unacknowledged() -> None:
    stage = fin_stage()
    stage.directory.refuse_requests()
    stage.hear_raw(payment())
    assert (stage.ears.fin, stage.said_raw()) == ([], [])
    assert stage.meter.of("rejected") == [("acme", "draining")]


def test_a_bug_in_deciding_about_a_fin_message_does_not_cost_the_link() -> None:
    stage = fin_stage(limits=LinkLimits(in_hand_max=1))

    def fail(incoming: FinIncoming) -> None:
        raise RuntimeError("a bug")

    stage.ears.hear_fin = fail  # type: ignore[method-assign]
    stage.hear_raw(payment(1), payment(2))
    assert stage.fin.is_up
    assert len(stage.meter.of("heard")) == 2


@given(st.binary(max_size=200))
def test_no_bytes_do_more_to_a_fin_link_than_be_counted(body: bytes) -> None:
    stage = fin_stage()
    stage.hear_raw(body)
    assert all(message.startswith(b"{1:F21") for message in stage.said_raw())


# ------------------------------------------------------------ asking


def test_a_message_is_acknowledged_by_its_lt_session_and_sequence() -> None:
    stage = fin_stage()
    first, second = ask(stage, payment(1)), ask(stage, payment(2))
    assert stage.said_raw() == [payment(1), payment(2)]
    stage.clock.advance(0.5)
    stage.hear_raw(acknowledgement(2))
    assert (first, second) == ([], [Acknowledged(0.5)])
    assert stage.meter.of("peer_seconds") == [("acme", "F21", 0.5)]


def test_a_refusal_brings_its_reason_and_line() -> None:
    stage = fin_stage()
    replies = ask(stage, payment())
    stage.hear_raw(refusal())
    assert replies == [Refused("T27005")]


def test_a_refusal_without_a_line_brings_the_reason_alone() -> None:
    stage = fin_stage()
    message: FinMessage = parse_fin(payment())
    replies = ask(stage, payment())
    stage.hear_raw(nak(message, NOW, "H25"))
    assert replies == [Refused("H25")]


def test_the_original_behind_an_acknowledgement_is_not_taken_for_a_new_message() -> None:
    stage = fin_stage()
    replies = ask(stage, payment())
    stage.hear_raw(acknowledgement() + payment())
    assert replies == [Acknowledged(0.0)]
    assert stage.ears.fin == []


def test_an_acknowledgement_that_nobody_waits_for_is_counted() -> None:
    stage = fin_stage()
    ask(stage, payment(1))
    stage.hear_raw(acknowledgement(7), acknowledgement(1), acknowledgement(1))
    assert stage.meter.of("late_response") == [("acme",)] * 2


def test_silence_follows_when_no_acknowledgement_comes_in_time() -> None:
    stage = fin_stage()
    replies = ask(stage, payment(), 90.0)
    stage.clock.advance(90.0)
    assert replies == [Silent("no response in time")]
    assert stage.fin.flights == 0


def test_silence_follows_when_the_fin_link_is_lost() -> None:
    stage = fin_stage()
    replies = ask(stage, payment())
    stage.lose()
    assert replies == [Silent("the link was lost: peer closed")]
    assert stage.fin.state is State.DOWN


def test_the_same_sequence_is_not_sent_twice_at_a_time() -> None:
    stage = fin_stage()
    ask(stage, payment())
    stage.said_raw()
    (reply,) = ask(stage, payment(reference="OTHER"))
    assert isinstance(reply, Unsent)
    assert stage.said_raw() == []


def test_what_cannot_be_sent_over_a_fin_link_is_unsent() -> None:
    stage = fin_stage(limits=LinkLimits(frame_bytes_max=64, in_flight_max=1))
    assert [type(reply) for reply in ask(stage, payment())] == [Unsent]
    stage.wire.pauseProducing()
    assert ask(stage, payment()) == [Unsent("the peer does not read")]
    stage.lose()
    assert ask(stage, payment()) == [Unsent("the link is down")]


def test_no_more_fin_messages_wait_for_their_acknowledgement_than_may() -> None:
    stage = fin_stage(limits=LinkLimits(in_flight_max=1))
    ask(stage, payment(1))
    (reply,) = ask(stage, payment(2))
    assert reply == Unsent("as many messages wait for their acknowledgement as may")
