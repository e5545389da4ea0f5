from __future__ import annotations

from pathlib import Path

import pytest
from junctor.codecs.iso8583 import Message, respond
from junctor.config.settings import LinkLimits, SignOn
from junctor.switch.links.contract import Answer, Reply, Unsent
from junctor.switch.links.signon import FIRST, TABLE, Event, State, draw, step
from link_fakes import Stage, approve, network, purchase

FROM_PEER = (Event.THEY_SIGNED_ON, Event.THEY_SIGNED_OFF, Event.WE_SIGNED_ON, Event.PROVEN)


def test_every_state_knows_what_a_peer_can_do_to_it() -> None:
    assert {state: set(events) for state, events in TABLE.items()} == {
        state: set(FROM_PEER) for state in State if state not in (State.DOWN, State.CONNECTING)
    }


def test_every_policy_has_a_first_state_that_the_table_leads_on_from() -> None:
    assert {policy for policy, _ in FIRST} == set(SignOn)
    assert set(FIRST.values()) <= set(TABLE)


def test_leaving_and_losing_the_connection_are_possible_in_every_state() -> None:
    for state in State:
        assert step(state, Event.WIRE_LOST) is State.DOWN
        assert step(state, Event.WE_LEAVE) in (State.SIGNING_OFF, State.DOWN)


def test_the_drawing_in_the_documentation_is_of_this_table() -> None:
    drawing = (Path(__file__).parents[2] / "docs" / "link-states.md").read_text()
    assert f"```mermaid\n{draw()}```" in drawing


def test_without_a_policy_requests_flow_both_ways_at_once() -> None:
    stage = Stage(SignOn.NONE, decide=approve)
    assert stage.link.is_signed_on
    assert stage.said() == []
    stage.hear(purchase())
    assert [message[39] for message in stage.said()] == ["00"]


def test_we_sign_on_and_may_then_ask() -> None:
    stage = Stage(SignOn.WE)
    assert not stage.link.is_signed_on
    (sign_on,) = stage.said()
    assert (sign_on.mti, sign_on[70], sign_on[7]) == ("0800", "001", "1120123015")
    stage.hear(respond(sign_on, "00"))
    assert stage.link.is_signed_on
    assert stage.ears.changes == [("link", False), ("link", True)]


def test_a_refused_sign_on_ends_the_connection() -> None:
    stage = Stage(SignOn.WE)
    (sign_on,) = stage.said()
    stage.hear(respond(sign_on, "05"))
    stage.clock.advance(0)
    assert stage.transport.is_aborted
    assert stage.meter.of("disconnected") == [("acme", "sign-on refused")]


def test_a_sign_on_that_nobody_answers_ends_the_connection_in_time() -> None:
    stage = Stage(SignOn.WE, LinkLimits(handshake_s=10.0))
    stage.clock.advance(9.9)
    assert not stage.transport.is_aborted
    stage.clock.advance(0.1)
    stage.clock.advance(0)
    assert stage.transport.is_aborted
    assert stage.link.state is State.DOWN


def test_a_request_before_the_peers_sign_on_is_answered_91_and_not_passed_on() -> None:
    stage = Stage(SignOn.THEY, decide=approve)
    stage.hear(purchase())
    (response,) = stage.said()
    assert (response.mti, response[39], response[11]) == ("0210", "91", "000001")
    assert stage.ears.requests == []
    assert stage.meter.of("rejected") == [("acme", "not signed on")]


def test_the_peers_sign_on_opens_the_link_and_is_accepted() -> None:
    stage = Stage(SignOn.THEY, decide=approve)
    stage.hear(network("001", "000777"))
    (response,) = stage.said()
    assert (response.mti, response[39], response[11], response[70]) == ("0810", "00", "000777", "001")
    stage.hear(purchase())
    assert [message[39] for message in stage.said()] == ["00"]
    assert stage.link.is_signed_on


def test_a_sign_on_that_never_comes_ends_the_connection_in_time() -> None:
    stage = Stage(SignOn.THEY, LinkLimits(handshake_s=10.0))
    stage.clock.advance(10.0)
    stage.clock.advance(0)
    assert stage.meter.of("disconnected") == [("acme", "handshake time")]


@pytest.mark.parametrize("we_first", [True, False])
def test_where_both_sign_on_one_is_not_enough(we_first: bool) -> None:
    stage = Stage(SignOn.BOTH)
    (ours,) = stage.said()
    steps = [respond(ours, "00"), network("001")]
    stage.hear(steps[0] if we_first else steps[1])
    assert not stage.link.is_signed_on
    stage.hear(steps[1] if we_first else steps[0])
    assert stage.link.is_signed_on


def test_after_the_peers_sign_off_nothing_flows_until_it_signs_on_again() -> None:
    stage = Stage(SignOn.WE, decide=approve)
    stage.hear(respond(stage.said()[0], "00"))
    stage.hear(network("002"))
    assert [message[39] for message in stage.said()] == ["00"]
    assert not stage.link.is_signed_on
    stage.hear(purchase())
    assert [message[39] for message in stage.said()] == ["91"]
    stage.hear(network("001"))
    stage.said()
    assert stage.link.is_signed_on


def test_nothing_can_be_asked_before_the_link_is_up() -> None:
    stage = Stage(SignOn.THEY)
    replies: list[Reply] = []
    stage.link.ask(purchase(), 20.0).addCallback(replies.append)
    assert replies == [Unsent("the link is not signed on")]
    assert stage.said() == []


@pytest.mark.parametrize("mti", ["0800", "0801", "0820"])
def test_an_echo_is_answered_in_every_form(mti: str) -> None:
    stage = Stage()
    stage.hear(network("301").with_fields({}, mti=mti))
    (response,) = stage.said()
    assert (response.mti, response[39], response[70]) == ("0830" if mti == "0820" else "0810", "00", "301")
    assert stage.ears.requests == []


def test_a_network_code_that_we_do_not_know_is_answered_40() -> None:
    stage = Stage()
    stage.hear(network("161"))
    assert [message[39] for message in stage.said()] == ["40"]
    assert stage.link.is_signed_on


def test_network_management_without_a_code_is_a_format_error() -> None:
    stage = Stage()
    stage.hear(Message("0800", {7: "1120123015", 11: "000900"}))
    assert [message[39] for message in stage.said()] == ["30"]


def test_a_dialled_link_without_sign_on_is_proven_by_an_echo_first() -> None:
    stage = Stage(SignOn.NONE, must_prove=True)
    assert not stage.link.is_signed_on
    (echo,) = stage.said()
    assert echo[70] == "301"
    stage.hear(respond(echo, "12"))
    assert stage.link.is_signed_on


def test_an_unanswered_proof_ends_the_connection() -> None:
    stage = Stage(SignOn.NONE, LinkLimits(handshake_s=10.0), must_prove=True)
    stage.clock.advance(10.0)
    stage.clock.advance(0)
    assert stage.transport.is_aborted


def test_an_echo_goes_out_at_each_interval() -> None:
    stage = Stage(echo_interval_s=60.0)
    for _ in range(3):
        assert stage.said() == []
        stage.clock.advance(60.0)
        (echo,) = stage.said()
        assert (echo.mti, echo[70]) == ("0800", "301")
        stage.hear(respond(echo, "00"))
    assert stage.link.is_signed_on


def test_an_echo_that_is_not_answered_drops_the_link() -> None:
    stage = Stage(limits=LinkLimits(handshake_s=10.0), echo_interval_s=60.0)
    stage.clock.advance(60.0)
    stage.clock.advance(10.0)
    stage.clock.advance(0)
    assert stage.meter.of("disconnected") == [("acme", "echo unanswered")]
    assert stage.clock.getDelayedCalls() == []


def test_there_is_one_series_of_echoes_whatever_the_state_does_between() -> None:
    stage = Stage(echo_interval_s=60.0)
    stage.clock.advance(60.0)
    (echo,) = stage.said()
    stage.hear(network("002"), network("001"), respond(echo, "00"))
    stage.said()
    stage.clock.advance(60.0)
    assert len(stage.said()) == 1


def test_a_link_that_we_signed_on_is_signed_off_and_closed() -> None:
    stage = Stage(SignOn.WE)
    stage.hear(respond(stage.said()[0], "00"))
    left: list[None] = []
    stage.link.leave().addCallback(left.append)
    (sign_off,) = stage.said()
    assert (sign_off.mti, sign_off[70]) == ("0800", "002")
    assert not stage.link.is_signed_on
    assert not stage.transport.disconnecting
    stage.hear(respond(sign_off, "00"))
    assert stage.transport.disconnecting
    stage.clock.advance(0)
    assert left == [None]
    assert stage.meter.of("disconnected") == [("acme", "signed off")]
    assert stage.clock.getDelayedCalls() == []


def test_a_sign_off_that_nobody_answers_does_not_hold_us_up() -> None:
    stage = Stage(SignOn.WE, LinkLimits(close_s=5.0))
    stage.hear(respond(stage.said()[0], "00"))
    left: list[None] = []
    stage.link.leave().addCallback(left.append)
    stage.clock.advance(5.0)
    stage.clock.advance(0)
    assert left == [None]


def test_while_we_leave_the_answers_in_hand_are_still_written_and_new_requests_refused() -> None:
    stage = Stage(SignOn.WE)
    stage.hear(respond(stage.said()[0], "00"))
    stage.hear(purchase("000001"))
    stage.link.leave()
    approve(stage.ears.requests[0])
    stage.hear(purchase("000002"))
    assert [(message[11], message[39]) for message in stage.said() if message.mti == "0210"] == [
        ("000001", "00"),
        ("000002", "91"),
    ]


def test_our_ask_in_flight_is_answered_while_requests_are_refused() -> None:
    stage = Stage()
    replies: list[Reply] = []
    stage.link.ask(purchase("000005"), 20.0).addCallback(replies.append)
    stage.directory.refuse_requests()
    stage.hear(respond(purchase("000005"), "00"), purchase("000006"))
    assert isinstance(replies[0], Answer)
    assert [message[39] for message in stage.said() if message.mti == "0210"] == ["91"]
    assert stage.ears.requests == []
    assert stage.link.is_signed_on
