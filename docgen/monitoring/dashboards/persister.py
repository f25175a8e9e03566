"""The persister: bars, gaps and their repair, instruments and calendar."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import quantile, rare, rate

PERSISTER: Final = Dashboard(
    "tradedad-persister",
    "Trade Dad: persister",
    (
        Row(
            "Now",
            (
                stat("Leaders", "short", "Processes that hold the lease.",
                     'sum(tradedad_leading{lease="persister"})'),
                stat("Lag", "short", "Entries that are not read yet.",
                     "max(tradedad_persister_lag_entries)"),
                stat("Stalled", "short", "1 while no entry can be used.",
                     "max(tradedad_persister_stalled)"),
                stat("Master's age", "s", "Since Upstox had published the stored instruments.",
                     "time() - max(tradedad_persister_master_timestamp_seconds)"),
                stat("Calendar", "d", "Days whose sessions are known.",
                     "max(tradedad_persister_calendar_left_days)"),
                stat("Pending repairs", "short", "Instruments and days to repair.",
                     "max(tradedad_persister_pending_repairs)"),
            ),
        ),
        Row(
            "Bars",
            (
                panel("Bars", "ops", "Stored bars by state.",
                      each_state=rate("tradedad_persister_bars_total", "state")),
                panel("Partial bars", "percentunit", "Share of all stored bars in an hour.",
                      partial="persister:partial_bars:ratio_rate1h"),
                panel("Changed bars", "ops", "Amended, repaired, published late.",
                      amended=rate("tradedad_persister_amended_bars_total"),
                      repaired=rate("tradedad_persister_repaired_bars_total"),
                      published_late=rate("tradedad_persister_late_published_bars_total")),
                panel("Windows", "short", "Open windows, and closed ones per second.",
                      open="max(tradedad_persister_open_windows)",
                      closed=rate("tradedad_persister_closed_windows_total")),
                panel("Time to store a window", "s", "All retries included.",
                      p50=quantile(0.5, "tradedad_persister_commit_seconds"),
                      p99=quantile(0.99, "tradedad_persister_commit_seconds")),
                panel("Contradictions", "ops", "Minutes whose candle cannot include a trade.",
                      minutes=rate("tradedad_persister_contradicted_minutes_total")),
            ),
        ),
        Row(
            "Stream",
            (
                panel("Entries", "ops", "Entries read.",
                      entries=rate("tradedad_persister_entries_total")),
                panel("Lag", "short", "Entries not read yet, and those of the start.",
                      lag="max(tradedad_persister_lag_entries)",
                      replay="max(tradedad_persister_replay_remaining_entries)"),
                panel("Refused input", "ops", "Entries and trades that were not used.",
                      undecodable=rare("tradedad_persister_undecodable_entries_total"),
                      stale=rate("tradedad_persister_stale_entries_total"),
                      trades=rare("tradedad_persister_refused_trades_total")),
                panel("Checkpoint", "bytes", "Size of the last one; 16 MiB is the limit.",
                      size="max(tradedad_persister_checkpoint_bytes)"),
                panel("Instruments", "short", "In the checkpoint, and in the master.",
                      checkpoint="max(tradedad_persister_checkpoint_instruments)",
                      master="max(tradedad_persister_instruments)"),
                panel("Evicted instruments", "ops", "Dropped from a checkpoint that was too big.",
                      evicted=rate("tradedad_persister_evicted_instruments_total")),
            ),
        ),
        Row(
            "Gaps and repair",
            (
                panel("Gaps", "ops", "Stored gaps by reason.",
                      each_reason=rare("tradedad_persister_gaps_total", "reason")),
                panel("Given up", "short", "Repairs given up in a day, and gaps too old.",
                      each_reason="sum by (reason)"
                      " (increase(tradedad_persister_abandoned_repairs_total[1d]))",
                      too_old="max(tradedad_persister_expired_gaps)"),
                panel("Calls for candles", "ops", "By outcome.",
                      each_outcome=rare("tradedad_persister_repair_calls_total", "outcome")),
            ),
        ),
        Row(
            "Daily data",
            (
                panel("Master", "short", "Failed and refused attempts, skipped rows in an hour.",
                      failures="sum(increase(tradedad_persister_master_failures_total[1h]))",
                      refusals="sum(increase(tradedad_persister_master_refusals_total[1h]))",
                      rows="sum(increase(tradedad_persister_skipped_master_rows_total[1h]))"),
                panel("Calendar", "ops", "Answers of Upstox by outcome.",
                      each_outcome=rare("tradedad_persister_calendar_answers_total", "outcome")),
                panel("Side jobs", "ops", "Unexpected failures, and skipped candles.",
                      failures=rare("tradedad_persister_side_job_failures_total"),
                      candles=rate("tradedad_persister_skipped_candles_total")),
            ),
        ),
    ),
)  # fmt: skip
