"""What the switch counts and measures, for Prometheus: its own registry, bounded labels.

Times are seconds, sizes bytes, amounts minor units. Declines are no errors: outcomes are told apart by label.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from ..config.settings import Settings
from .labels import Known, Vocabulary, Words, vocabularies
from .metric_table import COUNTERS, GAUGES, HISTOGRAMS, PREFIX
from .sweeper import Stock

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

M = TypeVar("M", Counter, Gauge, Histogram)


class Family(Generic[M]):
    """One metric with its labels' vocabularies; its children are made once."""

    __slots__ = ("_children", "_metric", "_vocabularies")

    def __init__(self, metric: M, words: tuple[Vocabulary, ...]) -> None:
        self._metric: M = metric
        self._vocabularies = words
        self._children: dict[tuple[str, ...], M] = {}
        if not words:
            self._children[()] = metric

    def at(self, *values: str) -> M:
        """Give the child of these labels; a value that is not of its vocabulary counts as `other`."""
        child = self._children.get(values)
        if child is not None:
            return child
        admitted = tuple(words.admit(value) for words, value in zip(self._vocabularies, values, strict=True))
        child = self._children.get(admitted)
        if child is None:
            child = self._children[admitted] = self._metric.labels(*admitted)
        return child


class Metrics:
    """The switch's metrics. Methods are called from the reactor's thread; `render` from any."""

    def __init__(self, settings: Settings, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # else each has a second series
        self.registry = registry = CollectorRegistry()
        known = vocabularies(settings)
        known["version"], known["python"] = Known([version]), Known([platform.python_version()])

        def words(labels: tuple[str, ...]) -> tuple[Vocabulary, ...]:
            return tuple(known.get(label) or Words() for label in labels)

        self._counters: Mapping[str, Family[Counter]] = {
            row.name: Family(Counter(PREFIX + row.name, row.about, row.labels, registry=registry), words(row.labels))
            for row in COUNTERS
        }
        self._gauges: Mapping[str, Family[Gauge]] = {
            row.name: Family(Gauge(PREFIX + row.name, row.about, row.labels, registry=registry), words(row.labels))
            for row in GAUGES
        }
        self._histograms: Mapping[str, Family[Histogram]] = {
            row.name: Family(
                Histogram(PREFIX + row.name, row.about, row.labels, buckets=row.buckets, registry=registry),
                words(row.labels),
            )
            for row in HISTOGRAMS
        }
        self._lanes_shown: set[str] = set()
        for institution in settings.institutions:  # a link that never came up shows as down, not as nothing
            self.link_state(institution.id, 0, 0, 0)
            self._lane(institution.id, 0, 0.0, 0)
        self._gauges["build_info"].at(version, platform.python_version()).set(1)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def render(self) -> bytes:
        """Write all metrics in the text format of Prometheus, of type `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    # ------------------------------------------------------------ payments

    def transaction(self, source: str, destination: str, type: str, outcome: str, seconds: float) -> None:
        """Count a payment that was answered, and its stay in the switch."""
        self._counters["transactions_total"].at(source, destination, type, outcome).inc()
        self._histograms["transaction_seconds"].at(source, type).observe(seconds)

    def response(self, destination: str, type: str, code: str) -> None:
        """Count a response by its code."""
        self._counters["responses_total"].at(destination, type, code).inc()

    def duplicate(self, source: str, action: str) -> None:
        """Count a repeated message; action: `replayed`, `inflight` or `conflict`."""
        self._counters["duplicates_total"].at(source, action).inc()

    def route(self, route: str, result: str) -> None:
        """Count a decision of the route table; result: `primary`, `alternate`, `standin` or `none`."""
        self._counters["route_decisions_total"].at(route, result).inc()

    def reversal(self, institution: str, origin: str) -> None:
        """Count a reversal; origin: `peer`, `timeout` or `operator`."""
        self._counters["reversals_total"].at(institution, origin).inc()

    def swept(self, kind: str, count: int) -> None:
        """Count what a sweep ended."""
        self._counters["swept_total"].at(kind).inc(count)

    # ------------------------------------------------------------ links (the LinkMeter)

    def connected(self, institution: str, result: str) -> None:
        """Count a connection that was made or refused."""
        self._counters["link_connects_total"].at(institution, result).inc()

    def disconnected(self, institution: str, reason: str) -> None:
        """Count the end of a connection."""
        self._counters["link_disconnects_total"].at(institution, reason).inc()

    def handshake_failed(self, listener: str, reason: str) -> None:
        """Count a TLS handshake that failed."""
        self._counters["tls_handshake_failures_total"].at(listener, reason).inc()

    def heard(self, institution: str, type: str, bytes: int) -> None:
        """Count a message from a peer."""
        self._counters["messages_total"].at(institution, "in", type).inc()
        self._counters["message_bytes_total"].at(institution, "in").inc(bytes)

    def sent(self, institution: str, type: str, bytes: int) -> None:
        """Count a message to a peer."""
        self._counters["messages_total"].at(institution, "out", type).inc()
        self._counters["message_bytes_total"].at(institution, "out").inc(bytes)

    def parse_error(self, institution: str, reason: str) -> None:
        """Count a message that could not be read."""
        self._counters["parse_errors_total"].at(institution, reason).inc()

    def rejected(self, institution: str, reason: str) -> None:
        """Count a message that was read and not served."""
        self._counters["rejected_total"].at(institution, reason).inc()

    def peer_seconds(self, institution: str, type: str, seconds: float) -> None:
        """Note the time that a peer took to answer."""
        self._histograms["link_response_seconds"].at(institution, type).observe(seconds)

    def peer_timeout(self, institution: str) -> None:
        """Count a request that was not answered in time."""
        self._counters["link_timeouts_total"].at(institution).inc()

    def late_response(self, institution: str) -> None:
        """Count a response that no request waited for."""
        self._counters["link_late_responses_total"].at(institution).inc()

    def link_state(self, institution: str, up: int, signed_on: int, in_flight: int) -> None:
        """Show how an institution's links stand."""
        self._gauges["link_up"].at(institution).set(up)
        self._gauges["link_signed_on"].at(institution).set(signed_on)
        self._gauges["link_inflight"].at(institution).set(in_flight)

    def certificate_expiry(self, name: str, timestamp_s: float) -> None:
        """Show when a certificate ends."""
        self._gauges["certificate_expiry_timestamp_seconds"].at(name).set(timestamp_s)

    # ------------------------------------------------------------ deliveries

    def delivery_attempt(self, lane: str, result: str) -> None:
        """Count an attempt."""
        self._counters["delivery_attempts_total"].at(lane, result).inc()

    def delivered(self, lane: str, kind: str) -> None:
        """Count a delivery that arrived."""
        self._counters["delivered_total"].at(lane, kind).inc()

    def mt_ack(self, lane: str, result: str) -> None:
        """Count a bank's answer to a FIN message of ours: `ack` or `nak`."""
        self._counters["mt_acks_total"].at(lane, result).inc()

    # ------------------------------------------------------------ books

    def batch(self, items: int, seconds: float) -> None:
        """Note one database transaction."""
        self._histograms["batch_items"].at().observe(items)
        self._histograms["batch_seconds"].at().observe(seconds)

    def queue_depth(self, items: int) -> None:
        """Show how much waits for the books' writer."""
        self._gauges["books_queue_items"].at().set(items)

    def database_error(self, kind: str) -> None:
        """Count a batch that the database refused."""
        self._counters["database_errors_total"].at(kind).inc()

    def stock(self, stock: Stock, now_s: float) -> None:
        """Show lanes, open transactions and the balance of the books; a lane that is gone shows zero."""
        shown = {lane.lane: lane for lane in stock.lanes}
        for name in self._lanes_shown | shown.keys():
            lane = shown.get(name)
            since_us = None if lane is None else lane.oldest_us
            age_s = 0.0 if since_us is None else max(0.0, now_s - since_us / 1_000_000)
            self._lane(name, lane.depth if lane else 0, age_s, lane.dead if lane else 0)
        self._lanes_shown = set(shown)
        self._gauges["open_transactions"].at().set(stock.open_transactions)
        for currency, minor in stock.imbalance:
            self._gauges["ledger_imbalance_minor_units"].at(currency).set(minor)
        for each in stock.positions:
            self._gauges["settlement_position_minor_units"].at(each.institution, each.currency).set(
                each.position_minor
            )
            if each.cap_minor is not None:
                self._gauges["settlement_cap_minor_units"].at(each.institution, each.currency).set(each.cap_minor)
        for institution, role, count in stock.breaks:
            self._gauges["reconciliation_breaks"].at(institution, role).set(count)

    def _lane(self, name: str, depth: int, oldest_s: float, dead: int) -> None:
        self._gauges["delivery_depth"].at(name).set(depth)
        self._gauges["delivery_oldest_age_seconds"].at(name).set(oldest_s)
        self._gauges["dead_letters"].at(name).set(dead)

    # ------------------------------------------------------------ the process

    def reactor_lag(self, seconds: float, now_s: float) -> None:
        """Note how late the reactor ran a timer, and when."""
        self._histograms["reactor_lag_seconds"].at().observe(seconds)
        self._gauges["reactor_last_tick_timestamp_seconds"].at().set(now_s)

    def readiness(self, is_ready: bool, is_draining: bool) -> None:
        """Show whether payments are taken."""
        self._gauges["ready"].at().set(is_ready)
        self._gauges["draining"].at().set(is_draining)

    def key_activated(self, purpose: str, timestamp_s: float) -> None:
        """Show since when the key for a purpose is in use."""
        self._gauges["key_activated_timestamp_seconds"].at(purpose).set(timestamp_s)

    def configured(self, is_good: bool, timestamp_s: float) -> None:
        """Show whether the last reading of the configuration was good, and when it was taken if it was."""
        self._gauges["config_last_reload_successful"].at().set(is_good)
        if is_good:
            self._gauges["config_last_reload_timestamp_seconds"].at().set(timestamp_s)
