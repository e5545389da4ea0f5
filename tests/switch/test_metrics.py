"""What is counted, under which names, and that no label comes from a peer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.config.settings import (
    InstitutionSettings,
    ListenerSettings,
    RequestSettings,
    RouteSettings,
    RoutingSettings,
    Settings,
)
from junctor.switch.labels import CODES, OTHER, TYPES, Known, Words
from junctor.switch.links.contract import LinkMeter
from junctor.switch.metric_table import COUNTERS, GAUGES, HISTOGRAMS
from junctor.switch.metrics import Metrics
from junctor.switch.pulse import Pulse
from junctor.switch.sweeper import LaneGauge, Stock
from twisted.internet.task import Clock

SETTINGS = Settings(
    RoutingSettings(("ledger",), (RouteSettings("blue-cards", ("blue-bank",), bins=("4761",)),)),
    requests=RequestSettings(code_timeout="N1"),
    institutions=(InstitutionSettings("acme-pos"), InstitutionSettings("blue-bank")),
    listeners=(ListenerSettings("terminals", "tcp:8583"),),
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(SETTINGS, "1.2.3")


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_payment_is_counted_by_outcome_and_timed(metrics: Metrics) -> None:
    metrics.transaction("acme-pos", "blue-bank", "0200", "approved", 0.04)
    metrics.transaction("acme-pos", "blue-bank", "0200", "approved", 7.0)
    labels = {"source": "acme-pos", "type": "0200"}
    assert value(metrics, "junctor_transactions_total", destination="blue-bank", outcome="approved", **labels) == 2
    assert value(metrics, "junctor_transaction_seconds_bucket", le="0.025", **labels) == 0
    assert value(metrics, "junctor_transaction_seconds_bucket", le="0.05", **labels) == 1
    assert value(metrics, "junctor_transaction_seconds_bucket", le="10.0", **labels) == 2
    assert value(metrics, "junctor_transaction_seconds_sum", **labels) == 7.04


@pytest.mark.parametrize(
    ("call", "name", "labels"),
    [
        (lambda m: m.response("ledger", "0200", "51"), "responses_total", {"destination": "ledger", "code": "51"}),
        (lambda m: m.response("none", "0200", "N1"), "responses_total", {"destination": "none", "code": "N1"}),
        (
            lambda m: m.duplicate("acme-pos", "replayed"),
            "duplicates_total",
            {"source": "acme-pos", "action": "replayed"},
        ),
        (lambda m: m.route("blue-cards", "primary"), "route_decisions_total", {"route": "blue-cards"}),
        (lambda m: m.route("default", "none"), "route_decisions_total", {"route": "default", "result": "none"}),
        (lambda m: m.reversal("blue-bank", "timeout"), "reversals_total", {"institution": "blue-bank"}),
        (lambda m: m.swept("silence", 1), "swept_total", {"kind": "silence"}),
        (lambda m: m.connected("unknown", "unknown peer"), "link_connects_total", {"institution": "unknown"}),
        (lambda m: m.disconnected("acme-pos", "idle time"), "link_disconnects_total", {"reason": "idle time"}),
        (
            lambda m: m.handshake_failed("terminals", "not tls"),
            "tls_handshake_failures_total",
            {"listener": "terminals"},
        ),
        (lambda m: m.heard("acme-pos", "0200", 230), "messages_total", {"direction": "in", "type": "0200"}),
        (lambda m: m.sent("acme-pos", "F21", 60), "messages_total", {"direction": "out", "type": "F21"}),
        (lambda m: m.parse_error("acme-pos", "bitmap"), "parse_errors_total", {"reason": "bitmap"}),
        (lambda m: m.rejected("acme-pos", "not signed on"), "rejected_total", {"reason": "not signed on"}),
        (lambda m: m.peer_timeout("blue-bank"), "link_timeouts_total", {"institution": "blue-bank"}),
        (lambda m: m.late_response("blue-bank"), "link_late_responses_total", {"institution": "blue-bank"}),
        (lambda m: m.delivery_attempt("blue-bank", "retry"), "delivery_attempts_total", {"result": "retry"}),
        (lambda m: m.delivered("blue-bank", "reversal"), "delivered_total", {"kind": "reversal"}),
        (lambda m: m.mt_ack("blue-bank", "nak"), "mt_acks_total", {"lane": "blue-bank", "ack": "nak"}),
        (lambda m: m.database_error("StoreUnavailable"), "database_errors_total", {"kind": "StoreUnavailable"}),
        (lambda m: m.peer_seconds("blue-bank", "0210", 0.1), "link_response_seconds_count", {"type": "0210"}),
    ],
)
def test_event_counts_once_under_its_labels(
    metrics: Metrics, call: Callable[[Metrics], None], name: str, labels: dict[str, str]
) -> None:
    call(metrics)
    counted = [
        sample
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"junctor_{name}" and labels.items() <= sample.labels.items()
    ]
    assert [sample.value for sample in counted] == [1.0]


def test_bytes_are_counted_by_direction(metrics: Metrics) -> None:
    metrics.heard("acme-pos", "0200", 230)
    metrics.sent("acme-pos", "0210", 101)
    metrics.sent("acme-pos", "0210", 101)
    assert value(metrics, "junctor_message_bytes_total", institution="acme-pos", direction="in") == 230
    assert value(metrics, "junctor_message_bytes_total", institution="acme-pos", direction="out") == 202


def test_link_that_never_came_up_shows_as_down(metrics: Metrics) -> None:
    assert value(metrics, "junctor_link_up", institution="blue-bank") == 0
    metrics.link_state("blue-bank", up=2, signed_on=1, in_flight=7)
    assert value(metrics, "junctor_link_up", institution="blue-bank") == 2
    assert value(metrics, "junctor_link_signed_on", institution="blue-bank") == 1
    assert value(metrics, "junctor_link_inflight", institution="blue-bank") == 7


def test_batches_are_measured_in_items_and_seconds(metrics: Metrics) -> None:
    metrics.batch(60, 0.003)
    metrics.queue_depth(12)
    assert value(metrics, "junctor_batch_items_bucket", le="32.0") == 0
    assert value(metrics, "junctor_batch_items_bucket", le="64.0") == 1
    assert value(metrics, "junctor_batch_seconds_bucket", le="0.005") == 1
    assert value(metrics, "junctor_books_queue_items") == 12


def test_lanes_show_depth_age_and_dead_letters(metrics: Metrics) -> None:
    metrics.stock(
        Stock((LaneGauge("blue-bank", 3, 1_000_000_000_000_000, 2),), 5, (("EUR", 0), ("USD", -7))), 1_000_000_012.5
    )
    assert value(metrics, "junctor_delivery_depth", lane="blue-bank") == 3
    assert value(metrics, "junctor_delivery_oldest_age_seconds", lane="blue-bank") == 12.5
    assert value(metrics, "junctor_dead_letters", lane="blue-bank") == 2
    assert value(metrics, "junctor_open_transactions") == 5
    assert value(metrics, "junctor_ledger_imbalance_minor_units", currency="USD") == -7


def test_lane_that_is_gone_shows_zero(metrics: Metrics) -> None:
    metrics.stock(Stock((LaneGauge("blue-bank", 3, 1_000_000, 2),), 0, ()), 2.0)
    metrics.stock(Stock((), 0, ()), 3.0)
    for name in ("delivery_depth", "delivery_oldest_age_seconds", "dead_letters"):
        assert value(metrics, f"junctor_{name}", lane="blue-bank") == 0


def test_clock_set_back_gives_no_negative_age(metrics: Metrics) -> None:
    metrics.stock(Stock((LaneGauge("blue-bank", 1, 5_000_000, 0),), 0, ()), 2.0)
    assert value(metrics, "junctor_delivery_oldest_age_seconds", lane="blue-bank") == 0


def test_readiness_build_and_configuration_are_gauges(metrics: Metrics) -> None:
    metrics.readiness(is_ready=True, is_draining=False)
    metrics.configured(is_good=True, timestamp_s=1_700_000_000.0)
    metrics.configured(is_good=False, timestamp_s=1_800_000_000.0)
    assert value(metrics, "junctor_ready") == 1
    assert value(metrics, "junctor_draining") == 0
    assert value(metrics, "junctor_config_last_reload_successful") == 0
    assert value(metrics, "junctor_config_last_reload_timestamp_seconds") == 1_700_000_000.0
    assert b'junctor_build_info{python="' in metrics.render()


def test_text_has_every_metric_and_no_creation_times(metrics: Metrics) -> None:
    metrics.transaction("acme-pos", "ledger", "0200", "approved", 0.1)
    text = metrics.render().decode()
    for row in (*COUNTERS, *GAUGES, *HISTOGRAMS):
        assert f"# HELP junctor_{row.name} " in text
    assert "_created" not in text
    assert "process_cpu_seconds_total" in text
    assert "python_gc_collections_total" in text


def test_names_follow_the_conventions() -> None:
    assert all(row.name.endswith("_total") for row in COUNTERS)
    assert all(not row.name.endswith("_total") for row in (*GAUGES, *HISTOGRAMS))
    assert all(re.search(r"_(seconds|items)$", row.name) for row in HISTOGRAMS)
    personal = {"pan", "rrn", "stan", "terminal", "merchant", "user", "ip", "account", "trace"}
    assert not personal & {label for row in (*COUNTERS, *GAUGES, *HISTOGRAMS) for label in row.labels}


def test_metrics_are_what_links_expect(metrics: Metrics) -> None:
    meter: LinkMeter = metrics
    meter.certificate_expiry("peer.blue-bank", 1_900_000_000.0)
    assert value(metrics, "junctor_certificate_expiry_timestamp_seconds", name="peer.blue-bank") == 1_900_000_000.0


# --------------------------------------------------------------------------------------------------- labels

texts = st.one_of(st.text(max_size=30), st.sampled_from(["4761730000000011", "0200", "approved", "acme-pos", "00"]))


@given(st.lists(st.tuples(texts, texts, texts, texts), min_size=50, max_size=120))
@settings(max_examples=25, deadline=None)
def test_labels_stay_bounded_whatever_comes(calls: list[tuple[str, str, str, str]]) -> None:
    metrics = Metrics(SETTINGS, "1.2.3")
    for one, two, three, four in calls:
        metrics.transaction(one, two, three, four, 0.1)
        metrics.response(one, two, three)
        metrics.duplicate(one, two)
        metrics.route(one, two)
        metrics.connected(one, two)
        metrics.disconnected(one, two)
        metrics.handshake_failed(one, two)
        metrics.heard(one, two, 1)
        metrics.parse_error(one, two)
        metrics.rejected(one, two)
        metrics.peer_seconds(one, two, 0.1)
        metrics.delivery_attempt(one, two)
        metrics.database_error(one)
        metrics.certificate_expiry(one, 1.0)
        metrics.stock(Stock((LaneGauge(one, 1, None, 0),), 0, ((two, 1),)), 1.0)
    configured = {"acme-pos", "blue-bank", "unknown", "ledger", "none", "terminals", "blue-cards", "default", OTHER}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if not sample.name.startswith("junctor_"):
                continue
            for label, shown in sample.labels.items():
                if label in ("institution", "source", "destination", "lane", "listener", "route"):
                    assert shown in configured
                elif label == "type":
                    assert shown in TYPES | {OTHER}
                elif label == "code":
                    assert shown in CODES | {OTHER, "N1", "91", "92"}
                elif label in ("reason", "result", "action", "kind", "origin"):
                    assert not re.search(r"\d", shown)
    for family in metrics.registry.collect():
        for label in ("reason", "result", "action", "kind"):
            assert len({sample.labels.get(label) for sample in family.samples}) <= 42


def test_list_of_known_values_admits_no_other() -> None:
    assert [Known(["a"]).admit(value) for value in ("a", "b", "other")] == ["a", "other", "other"]


def test_words_are_few_and_without_digits() -> None:
    words = Words(most=2)
    told = [
        words.admit(value) for value in ("idle time", "4761730000000011", "tls", "one more", "idle time", "x" * 41)
    ]
    assert told == ["idle time", "other", "tls", "other", "idle time", "other"]


# --------------------------------------------------------------------------------------------------- the pulse


def test_late_timer_is_told_as_lag(metrics: Metrics) -> None:
    clock = Clock()
    clock.advance(1000)
    pulse = Pulse(clock, metrics, interval_s=0.25)
    pulse.start()
    clock.advance(0.25)
    clock.advance(0.65)
    assert value(metrics, "junctor_reactor_lag_seconds_count") == 2
    assert value(metrics, "junctor_reactor_lag_seconds_bucket", le="0.25") == 1
    assert value(metrics, "junctor_reactor_lag_seconds_sum") == pytest.approx(0.4)
    assert value(metrics, "junctor_reactor_last_tick_timestamp_seconds") == pytest.approx(1000.9)


def test_stopped_pulse_leaves_no_timer(metrics: Metrics) -> None:
    clock = Clock()
    pulse = Pulse(clock, metrics)
    pulse.start()
    pulse.stop()
    pulse.stop()
    assert clock.getDelayedCalls() == []
