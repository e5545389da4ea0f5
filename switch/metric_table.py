"""The names of the metrics, what they tell, and their labels; every name begins with `junctor_`."""

from __future__ import annotations

from typing import Final

import attrs

PREFIX: Final = "junctor_"

PAYMENT_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)
"""30 s is the usual patience of an acquirer."""

STAGE_BUCKETS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5)
BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@attrs.frozen
class Metric:
    """One metric: its name without the prefix, a sentence about it, and its labels' names."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _metric(name: str, about: str, labels: str = "", buckets: tuple[float, ...] = ()) -> Metric:
    return Metric(name, about, tuple(labels.split()), buckets)


COUNTERS: Final = (
    _metric("messages_total", "Messages.", "institution direction type"),
    _metric("message_bytes_total", "Bytes in messages.", "institution direction"),
    _metric("transactions_total", "Payments answered, by outcome.", "source destination type outcome"),
    _metric("responses_total", "Responses given, by code.", "destination type code"),
    _metric("duplicates_total", "Repeated messages, by what was done.", "source action"),
    _metric("route_decisions_total", "Decisions of the route table.", "route result"),
    _metric("reversals_total", "Reversals, by who began them.", "institution origin"),
    _metric("swept_total", "Transactions and holds that the sweep ended.", "kind"),
    _metric("link_connects_total", "Connections made or refused.", "institution result"),
    _metric("link_disconnects_total", "Connections ended.", "institution reason"),
    _metric("link_timeouts_total", "Requests that a peer did not answer in time.", "institution"),
    _metric("link_late_responses_total", "Responses that no request waited for.", "institution"),
    _metric("parse_errors_total", "Messages that could not be read.", "institution reason"),
    _metric("rejected_total", "Messages that were read and not served.", "institution reason"),
    _metric("tls_handshake_failures_total", "TLS handshakes that failed.", "listener reason"),
    _metric("delivery_attempts_total", "Attempts to deliver.", "lane result"),
    _metric("delivered_total", "Deliveries that the peer acknowledged.", "lane kind"),
    _metric("mt_acks_total", "Answers of banks to FIN messages of ours.", "lane ack"),
    _metric("database_errors_total", "Batches that the database did not take.", "kind"),
)

GAUGES: Final = (
    _metric("link_up", "Links that are connected.", "institution"),
    _metric("link_signed_on", "Links that may carry requests.", "institution"),
    _metric("link_inflight", "Requests that wait for a peer.", "institution"),
    _metric("certificate_expiry_timestamp_seconds", "When a certificate ends.", "name"),
    _metric("key_activated_timestamp_seconds", "When the key in use began to be used.", "purpose"),
    _metric("open_transactions", "Transactions that wait for a peer."),
    _metric("delivery_depth", "Deliveries that wait.", "lane"),
    _metric("delivery_oldest_age_seconds", "Age of the oldest delivery that waits.", "lane"),
    _metric("dead_letters", "Deliveries given up, for an operator to look at.", "lane"),
    _metric("books_queue_items", "Items that wait for the books' writer."),
    _metric("ledger_imbalance_minor_units", "Sum of all balances: anything but zero is wrong.", "currency"),
    _metric(
        "settlement_position_minor_units",
        "What an institution is owed, after what is set aside.",
        "institution currency",
    ),
    _metric("settlement_cap_minor_units", "How far its position may go below zero.", "institution currency"),
    _metric("reconciliation_breaks", "Figures that differed in the last reconciliation.", "institution role"),
    _metric("reactor_last_tick_timestamp_seconds", "When the reactor last ran its timer."),
    _metric("ready", "1 while payments are taken."),
    _metric("draining", "1 while the switch stops."),
    _metric("config_last_reload_successful", "1 when the configuration was good the last time it was read."),
    _metric("config_last_reload_timestamp_seconds", "When a good configuration was last read."),
    _metric("build_info", "This program: always 1.", "version python"),
)

HISTOGRAMS: Final = (
    _metric("transaction_seconds", "A payment's stay, with the peer's time.", "source type", PAYMENT_BUCKETS_S),
    _metric("link_response_seconds", "A peer's time to answer.", "institution type", PAYMENT_BUCKETS_S),
    _metric("batch_items", "Items in one database transaction.", "", BATCH_BUCKETS),
    _metric("batch_seconds", "Time of one database transaction.", "", STAGE_BUCKETS_S),
    _metric("reactor_lag_seconds", "How late the reactor ran a timer.", "", STAGE_BUCKETS_S),
)
