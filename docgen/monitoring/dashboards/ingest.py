"""Ingest: the feed, its token, the market, and what is published."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import quantile, rare, rate

INGEST: Final = Dashboard(
    "tradedad-ingest",
    "Trade Dad: ingest",
    (
        Row(
            "Feed",
            (
                stat("Feed live", "short", "1 while the leader receives data.",
                     "max(tradedad_ingest_feed_live)"),
                stat("Token's life left", "s", "Until the access token of Upstox expires.",
                     "max(tradedad_ingest_token_expiry_timestamp_seconds) - time()"),
                stat("Ticks stored", "short", "1 while TICKS stores market data.",
                     "max(tradedad_ingest_ticks_stored)"),
                stat("Leaders", "short", "Processes that hold the lease.",
                     'sum(tradedad_leading{lease="ingest"})'),
                stat("Demands", "short", "Gateways and partitions of trading with a demand.",
                     "max(tradedad_ingest_gateways)"),
                stat("Most instruments", "short", "What one connection can subscribe in full.",
                     "max(tradedad_ingest_max_instruments)"),
                panel("Silence", "s", "Time without a frame while trades are expected.",
                      silence="max(tradedad_ingest_feed_silence_seconds)"),
                panel("Market", "short", "1 while the segment trades.",
                      each_segment="max by (segment) (tradedad_ingest_market_open)"),
                panel("Ended connections", "ops", "Connections that ended or failed, by cause.",
                      each_cause=rare("tradedad_ingest_feed_disconnects_total", "cause")),
                panel("Token checks", "ops", "Checks of the token in use, by outcome.",
                      each_outcome=rate("tradedad_ingest_token_checks_total", "outcome")),
                panel("Stale instruments", "short",
                      "Subscribed instruments without an update for too long.",
                      stale="max(tradedad_ingest_stale_instruments)"),
                panel("Oldest instrument", "s", "Longest time without an update.",
                      age="max(tradedad_ingest_oldest_instrument_age_seconds)"),
            ),
        ),
        Row(
            "Instruments",
            (
                panel("Subscribed", "short", "Subscribed instruments by mode.",
                      each_mode="max by (mode) (tradedad_ingest_subscribed_instruments)"),
                panel("Not live", "short", "Instruments in demand that are not live, by reason.",
                      each_reason="max by (reason) (tradedad_ingest_not_live_instruments)"),
                panel("Bad input", "ops", "Input that was skipped or not used.",
                      frames=rate("tradedad_ingest_bad_frames_total"),
                      fields=rare("tradedad_ingest_bad_fields_total"),
                      demands=rate("tradedad_ingest_bad_demands_total"),
                      calendars=rate("tradedad_ingest_bad_calendars_total")),
            ),
        ),
        Row(
            "Work",
            (
                panel("Frames, quotes, candles", "ops", "Received and published.",
                      frames=rate("tradedad_ingest_frames_total"),
                      quotes=rate("tradedad_ingest_quotes_total"),
                      candles=rate("tradedad_ingest_candles_total")),
                panel("Time per frame", "s", "From receiving a frame to having published it.",
                      p50=quantile(0.5, "tradedad_ingest_frame_processing_seconds"),
                      p99=quantile(0.99, "tradedad_ingest_frame_processing_seconds")),
                panel("While NATS is away", "ops", "Quotes replaced by newer ones, lost candles.",
                      conflated=rate("tradedad_ingest_conflated_quotes_total"),
                      dropped_candles=rate("tradedad_ingest_dropped_candles_total")),
            ),
        ),
    ),
)  # fmt: skip
