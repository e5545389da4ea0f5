"""What an ISO 8583 session does with what it hears, and with what it is asked to send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junctor.codecs.framing import make_framer
from junctor.codecs.iso8583 import Message, decode, encode, respond
from junctor.config.settings import InstitutionSettings, LinkLimits
from junctor.switch.links.contract import Answer, Incoming, Reply, Silent, Unsent
from junctor.switch.links.session import COMPLAINTS_PER_MINUTE_MAX
from junctor.switch.links.signon import State
from link_fakes import SPEC, Stage, approve, purchase
from twisted.logger import ILogObserver, formatEvent, globalLogPublisher
from zope.interface import implementer

PAN = "4761739001010119"


def ask(stage: Stage, message: Message, timeout_s: float = 20.0) -> list[Reply]:
    """Ask on the stage's link, and give the list that the reply will be in."""
    replies: list[Reply] = []
    stage.link.ask(message, timeout_s).addCallback(replies.append)
    return replies


# ------------------------------------------------------------ requests


def test_a_request_that_comes_byte_by_byte_is_heard_once_and_answered() -> None:
    stage = Stage(decide=approve)
    for byte in stage.framer.wrap(encode(SPEC, purchase())):
        stage.wire.dataReceived(bytes([byte]))
    assert [incoming.message for incoming in stage.ears.requests] == [purchase()]
    assert stage.said() == [respond(purchase(), "00")]


def test_requests_that_come_in_one_piece_are_heard_in_order() -> None:
    stage = Stage()
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(1, 8)))
    assert [incoming.message[11] for incoming in stage.ears.requests] == [f"{stan:06d}" for stan in range(1, 8)]


def test_a_request_belongs_to_the_institution_of_its_link_whatever_it_says() -> None:
    stage = Stage(institution=InstitutionSettings(id="acme"))
    stage.hear(purchase(acquirer="99999"))
    assert [incoming.link.institution for incoming in stage.ears.requests] == ["acme"]


def test_a_foreign_acquirer_is_answered_58_and_not_passed_on() -> None:
    stage = Stage(institution=InstitutionSettings(id="acme", acquirer_ids=("00000012345",)))
    stage.hear(purchase(acquirer="54321"), purchase(stan="000002", acquirer="12345"))
    assert [(message[11], message[39]) for message in stage.said()] == [("000001", "58")]
    assert [incoming.message[11] for incoming in stage.ears.requests] == ["000002"]
    assert stage.meter.of("rejected") == [("acme", "acquirer")]


def test_a_request_without_an_acquirer_is_its_links_own() -> None:
    stage = Stage(institution=InstitutionSettings(id="acme", acquirer_ids=("12345",)))
    stage.hear(purchase().with_fields({}, drop=[32]))
    assert len(stage.ears.requests) == 1


def test_received_is_the_time_of_the_last_byte() -> None:
    stage = Stage()
    raw = stage.framer.wrap(encode(SPEC, purchase()))
    stage.wire.dataReceived(raw[:50])
    stage.clock.advance(2.5)
    stage.wire.dataReceived(raw[50:])
    assert stage.ears.requests[0].received_s == 1_002.5


def test_answers_may_come_in_any_order() -> None:
    stage = Stage()
    stage.hear(purchase("000001"), purchase("000002"))
    for incoming in reversed(stage.ears.requests):
        approve(incoming)
    assert [message[11] for message in stage.said()] == ["000002", "000001"]


def test_a_stored_answer_is_written_byte_for_byte() -> None:
    stage = Stage()
    stage.hear(purchase())
    stage.ears.requests[0].answer(b"whatever was stored")
    assert stage.said_raw() == [b"whatever was stored"]


def test_an_answer_after_the_peer_has_gone_is_dropped_in_silence() -> None:
    stage = Stage()
    stage.hear(purchase())
    stage.lose()
    approve(stage.ears.requests[0])
    assert stage.transport.value() == b""
    assert stage.meter.of("sent") == []


def test_a_request_ends_only_once() -> None:
    stage = Stage()
    stage.hear(purchase())
    stage.ears.requests[0].drop()
    with pytest.raises(AssertionError):
        approve(stage.ears.requests[0])


def test_the_answer_swaps_the_addresses_of_the_requests_tpdu() -> None:
    stage = Stage(framing="bcd2-tpdu", decide=approve)
    body = encode(SPEC, purchase())
    stage.wire.dataReceived(bytes.fromhex(f"{len(body) + 5:04d}") + bytes.fromhex("6012345678") + body)
    assert stage.transport.value()[2:7] == bytes.fromhex("6056781234")


def test_a_bug_in_deciding_costs_neither_the_link_nor_its_place_in_hand() -> None:
    def fail(incoming: Incoming) -> None:
        raise RuntimeError("a bug")

    stage = Stage(decide=fail, limits=LinkLimits(in_hand_max=2))
    for stan in range(1, 6):
        stage.hear(purchase(f"{stan:06d}"))
    assert len(stage.ears.requests) == 5
    assert stage.link.state is State.UP


def test_a_keep_alive_is_taken_in_silence() -> None:
    stage = Stage(decide=approve)
    stage.wire.dataReceived(b"\x00\x00" * 3)
    assert stage.transport.value() == b""
    stage.hear(purchase())
    assert len(stage.said()) == 1


# ------------------------------------------------------------ what cannot be read


def test_a_message_with_trailing_bytes_is_answered_30_with_what_could_be_read() -> None:
    stage = Stage()
    stage.hear_raw(encode(SPEC, purchase()) + b"123456789")
    (response,) = stage.said()
    assert (response.mti, response[39], response[11], response[37]) == ("0210", "30", "000001", "632512000001")
    assert stage.ears.requests == []
    assert stage.meter.of("parse_error") == [("acme", "field")]


def test_a_message_that_breaks_after_its_stan_is_answered_30_with_no_more_than_was_read() -> None:
    raw = encode(SPEC, purchase())
    stage = Stage()
    stage.hear_raw(raw.replace(b"000001123015", b"00000112301X"))
    (response,) = stage.said()
    assert (response.mti, response[39], response[11]) == ("0210", "30", "000001")
    assert 12 not in response
    assert 41 not in response


@pytest.mark.parametrize(
    "raw",
    [b"garbage", b"0200", b"0210" + encode(SPEC, purchase())[4:] + b"9", b"9999" + encode(SPEC, purchase())[4:]],
    ids=["garbage", "half", "response", "unknown type"],
)
def test_what_cannot_be_addressed_is_counted_and_the_link_goes_on(raw: bytes) -> None:
    stage = Stage(decide=approve)
    stage.hear_raw(raw)
    assert stage.said() == []
    assert len(stage.meter.of("parse_error")) == 1
    stage.hear(purchase())
    assert [message[39] for message in stage.said()] == ["00"]


def test_too_many_unreadable_messages_in_a_row_end_the_connection() -> None:
    stage = Stage(limits=LinkLimits(faults_in_row_max=10))
    stage.hear_raw(*[b"garbage"] * 10)
    assert not stage.transport.is_aborted
    stage.hear_raw(b"garbage")
    stage.clock.advance(0)
    assert stage.meter.of("disconnected") == [("acme", "too many faults")]


def test_a_good_message_forgives_the_unreadable_ones_before_it() -> None:
    stage = Stage(limits=LinkLimits(faults_in_row_max=3), decide=approve)
    for stan in range(1, 5):
        stage.hear_raw(b"garbage", b"garbage", b"garbage")
        stage.hear(purchase(f"{stan:06d}"))
    assert not stage.transport.is_aborted
    assert len(stage.ears.requests) == 4


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged: each event as its sentence and its fields."""
    written: list[str] = []

    @implementer(ILogObserver)
    def observe(event: Any) -> None:
        written.append(formatEvent(event) + repr(sorted((key, str(value)) for key, value in event.items())))

    globalLogPublisher.addObserver(observe)
    yield written
    globalLogPublisher.removeObserver(observe)


def test_nothing_of_a_message_is_logged(lines: list[str]) -> None:
    stage = Stage(institution=InstitutionSettings(id="acme", acquirer_ids=("1",)))
    stage.hear(purchase())
    stage.hear_raw(encode(SPEC, purchase()) + b"x", PAN.encode() * 4)
    ask(stage, purchase("000009"))
    stage.lose()
    assert len(lines) >= 4
    assert PAN not in "".join(lines)
    assert PAN[6:12] not in "".join(lines)


def test_a_peer_cannot_fill_the_log_with_its_mistakes(lines: list[str]) -> None:
    stage = Stage(institution=InstitutionSettings(id="acme", acquirer_ids=("1",)))
    before = len(lines)
    stage.hear(*(purchase(f"{stan:06d}") for stan in range(100)))
    assert len(lines) - before == COMPLAINTS_PER_MINUTE_MAX
    assert len(stage.meter.of("rejected")) == 100
    stage.clock.advance(60.0)
    stage.hear(purchase())
    assert "('unsaid', '80')" in lines[-1]


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_counted(raw: bytes) -> None:
    stage = Stage(decide=approve)
    stage.wire.dataReceived(raw)
    for response in stage.said():
        assert response.mti[2] in "13"


# ------------------------------------------------------------ asking


def test_a_response_is_given_to_the_request_that_waits_for_it() -> None:
    stage = Stage()
    first, second = ask(stage, purchase("000001")), ask(stage, purchase("000002"))
    assert [message[11] for message in stage.said()] == ["000001", "000002"]
    stage.clock.advance(0.25)
    stage.hear(respond(purchase("000002"), "51"))
    assert first == []
    assert second == [Answer(respond(purchase("000002"), "51"), 0.25)]
    assert stage.link.in_flight == 1
    assert stage.meter.of("peer_seconds") == [("acme", "0210", 0.25)]


def test_two_requests_with_one_stan_are_told_apart_by_their_acquirers() -> None:
    stage = Stage()
    ours, theirs = ask(stage, purchase(acquirer="1")), ask(stage, purchase(acquirer="2"))
    stage.hear(respond(purchase(acquirer="2"), "05"), respond(purchase(acquirer="1"), "00"))
    assert isinstance(ours[0], Answer)
    assert isinstance(theirs[0], Answer)
    assert (ours[0].message[39], theirs[0].message[39]) == ("00", "05")


def test_a_request_with_a_key_in_flight_is_refused_and_the_first_still_answered() -> None:
    stage = Stage()
    first = ask(stage, purchase())
    stage.said()
    again = ask(stage, purchase())
    assert again == [Unsent("a request with the same key is in flight")]
    assert stage.said() == []
    stage.hear(respond(purchase(), "00"))
    assert isinstance(first[0], Answer)


def test_a_response_that_comes_twice_is_delivered_once_and_counted_late() -> None:
    stage = Stage()
    replies = ask(stage, purchase())
    stage.hear(respond(purchase(), "00"), respond(purchase(), "05"))
    assert [reply.message[39] for reply in replies if isinstance(reply, Answer)] == ["00"]
    assert [message[39] for message in stage.ears.late] == ["05"]
    assert stage.meter.of("late_response") == [("acme",)]


@pytest.mark.parametrize("mti", ["0110", "0230", "0410"])
def test_a_response_of_another_type_is_not_the_answer(mti: str) -> None:
    stage = Stage()
    replies = ask(stage, purchase())
    stage.hear(respond(purchase(), "00").with_fields({}, mti=mti))
    assert replies == []
    assert [message.mti for message in stage.ears.late] == [mti]


def test_a_response_that_nobody_asked_for_is_late() -> None:
    stage = Stage()
    stage.hear(respond(purchase(), "00"))
    assert len(stage.ears.late) == 1
    assert stage.ears.requests == []


def test_silence_comes_at_the_deadline_and_a_response_after_it_is_late() -> None:
    stage = Stage()
    replies = ask(stage, purchase(), 20.0)
    stage.clock.advance(19.999)
    assert replies == []
    stage.clock.advance(0.001)
    assert replies == [Silent("no response in time")]
    assert stage.meter.of("peer_timeout") == [("acme",)]
    stage.hear(respond(purchase(), "00"))
    assert len(replies) == 1
    assert len(stage.ears.late) == 1
    assert stage.link.in_flight == 0


def test_each_request_has_its_own_deadline() -> None:
    stage = Stage()
    slow, quick = ask(stage, purchase("000001"), 20.0), ask(stage, purchase("000002"), 5.0)
    stage.clock.advance(5.0)
    assert (slow, quick) == ([], [Silent("no response in time")])
    stage.clock.advance(15.0)
    assert slow == [Silent("no response in time")]


def test_many_requests_share_one_timer() -> None:
    stage = Stage()
    idle = len(stage.clock.getDelayedCalls())
    for stan in range(1, 200):
        ask(stage, purchase(f"{stan:06d}"))
    assert len(stage.clock.getDelayedCalls()) == idle + 1


def test_losing_the_link_ends_every_request_in_silence() -> None:
    stage = Stage()
    replies = [ask(stage, purchase(f"{stan:06d}")) for stan in range(1, 4)]
    stage.lose()
    assert replies == [[Silent("the link was lost: peer closed")]] * 3
    assert stage.link.in_flight == 0
    assert stage.clock.getDelayedCalls() == []


def test_whoever_is_told_of_the_loss_finds_the_link_down_already() -> None:
    stage = Stage()
    seen: list[Reply] = []

    def again(reply: Reply) -> None:
        stage.link.ask(purchase("000002"), 20.0).addCallback(seen.append)

    stage.link.ask(purchase("000001"), 20.0).addCallback(again)
    stage.lose()
    assert seen == [Unsent("the link is not signed on")]
    assert stage.directory.live_names() == {"acme": ()}


def test_a_request_given_up_by_its_asker_is_late_when_it_is_answered() -> None:
    stage = Stage()
    replies: list[Reply] = []
    waiter = stage.link.ask(purchase(), 20.0)
    waiter.addCallback(replies.append)
    waiter.cancel()
    assert replies == [Silent("given up by the asker")]
    stage.hear(respond(purchase(), "00"))
    assert len(stage.ears.late) == 1


def test_no_more_requests_are_in_flight_than_may_be() -> None:
    stage = Stage(limits=LinkLimits(in_flight_max=2))
    ask(stage, purchase("000001"))
    ask(stage, purchase("000002"))
    assert ask(stage, purchase("000003")) == [Unsent("as many requests are in flight as may be")]
    stage.hear(respond(purchase("000001"), "00"))
    assert ask(stage, purchase("000003")) == []


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (purchase().with_fields({4: "12.50"}), "it cannot be written: 4: "),
        (respond(purchase(), "00"), "nothing answers such a message"),
    ],
    ids=["content", "response"],
)
def test_what_cannot_be_asked_is_unsent_and_leaves_no_trace(message: Message, why: str) -> None:
    stage = Stage()
    (reply,) = ask(stage, message)
    assert isinstance(reply, Unsent)
    assert reply.why.startswith(why)
    assert stage.said() == []
    assert stage.link.in_flight == 0


def test_a_request_that_no_frame_can_hold_is_unsent() -> None:
    stage = Stage(limits=LinkLimits(frame_bytes_max=64))
    (reply,) = ask(stage, purchase())
    assert isinstance(reply, Unsent)
    assert reply.why.startswith("it cannot be framed")
    assert stage.link.in_flight == 0
    assert stage.surroundings.directory.tally("acme").in_flight == 0


def test_a_stan_in_flight_is_not_given_again() -> None:
    stage = Stage()
    ask(stage, purchase("000003"))
    assert [stage.link.next_stan() for _ in range(4)] == ["000001", "000002", "000004", "000005"]


def test_stans_begin_again_after_the_last() -> None:
    stage = Stage()
    stans = stage.surroundings.stans
    first = stans.next()
    for _ in range(999_997):
        stans.next()
    assert (first, stans.next(), stans.next()) == ("000001", "999999", "000001")


@given(st.data())
def test_however_bytes_are_split_every_request_is_answered_once(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    limits = LinkLimits(in_hand_max=data.draw(st.integers(1, 4)))
    stage = Stage(decide=approve, limits=limits)
    framer = make_framer("length2", 16_384)
    stream = b"".join(framer.wrap(encode(SPEC, purchase(f"{stan:06d}"))) for stan in range(1, count + 1))
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        stage.wire.dataReceived(stream[:size])
        stream = stream[size:]
        stage.clock.advance(0)
    answered = [decode(SPEC, frame.body)[11] for frame in framer.feed(stage.transport.value())]
    assert answered == [f"{stan:06d}" for stan in range(1, count + 1)]


def test_types_out_of_the_ordinary_are_counted_together() -> None:
    stage = Stage()
    stage.hear(purchase(), purchase().with_fields({}, mti="0203"), purchase().with_fields({}, mti="0205"))
    assert [kind for _, kind, _ in stage.meter.of("heard")] == ["0200", "other", "other"]


STANS = st.integers(1, 6).map(lambda number: f"{number:06d}")
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), STANS, st.sampled_from([1.0, 2.0, 5.0])),
        st.tuples(st.just("respond"), STANS, st.just(0.0)),
        st.tuples(st.just("cancel"), STANS, st.just(0.0)),
        st.tuples(st.just("pass"), st.just(""), st.sampled_from([0.5, 1.0, 2.0])),
    ),
    max_size=40,
)


@given(EVENTS, st.booleans())
def test_every_ask_ends_exactly_once_however_deadlines_responses_and_the_loss_fall_together(
    events: list[tuple[str, str, float]], lost_first: bool
) -> None:
    stage = Stage(limits=LinkLimits(in_flight_max=4))
    replies: list[list[Reply]] = []
    waiters: dict[str, Any] = {}
    for event, stan, seconds in events:
        if event == "ask":
            replies.append([])
            waiter = stage.link.ask(purchase(stan), seconds)
            waiter.addCallback(replies[-1].append)
            if not replies[-1]:
                waiters[stan] = waiter
        elif event == "respond":
            stage.hear(respond(purchase(stan), "00"))
        elif event == "cancel" and stan in waiters:
            waiters.pop(stan).cancel()
        else:
            stage.clock.advance(seconds)
    if lost_first:
        stage.lose()
    stage.clock.advance(5.0)
    if not lost_first:
        stage.lose()
    assert [len(each) for each in replies] == [1] * len(replies)
    assert stage.link.in_flight == 0
    assert stage.directory.tally("acme").in_flight == 0
    assert stage.clock.getDelayedCalls() == []
