"""Trading: commands, journal, paper broker, instruments."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel, stat
from docgen.monitoring.promql import quantile, rare, rate

SWITCHES_AGE: Final = (
    "time() - max by (instance) (tradedad_trading_switches_read_timestamp_seconds"
    ' and on (job, instance) tradedad_leading{lease=~"trading[.].+"} == 1)'
)

TRADING: Final = Dashboard(
    "tradedad-trading",
    "Trade Dad: trading",
    (
        Row(
            "Commands",
            (
                stat("Partitions owned", "short", "Partitions that have an owner.",
                     'sum(tradedad_leading{lease=~"trading[.].+"})'),
                stat("Checkpoint", "bytes", "State of the paper broker; 16 MiB is the limit.",
                     "max(tradedad_trading_checkpoint_bytes)"),
                stat("Not demanded", "short", "Instruments that exceed the size of a demand.",
                     "sum(tradedad_trading_undemanded_instruments)"),
                stat("Stalled partitions", "short", "Their owners can use no entry of the tick stream.",
                     "sum(tradedad_trading_stalled)"),
                panel("Commands", "ops", "By operation.",
                      each_operation=rate("tradedad_trading_commands_total", "operation")),
                panel("Refused commands", "ops", "By error code.",
                      each_code=rare('tradedad_trading_commands_total{code!="ok"}', "code")),
                panel("Refused orders", "ops", "By the rule that refused.",
                      each_rule=rare("tradedad_trading_refused_orders_total", "rule")),
            ),
        ),
        Row(
            "Kill switches",
            (
                panel("On", "short", "Kill switches that are on, by scope.",
                      each_scope="max by (scope) (tradedad_trading_switches)"),
                panel("Last read", "s", "Time since the owners of partitions have read the switches;"
                      " after 5 s new orders are refused.",
                      each_instance=SWITCHES_AGE),
            ),
        ),
        Row(
            "Storage",
            (
                panel("Journal", "ops", "Entries stored.",
                      entries=rate("tradedad_trading_journal_entries_total")),
                panel("Journal since stored accounts", "short", "Entries that a new owner reads.",
                      each_partition="max by (partition) (tradedad_trading_journal_tail_entries)"),
                panel("Time to store", "s", "One group of changes, all retries included.",
                      p50=quantile(0.5, "tradedad_trading_commit_seconds"),
                      p99=quantile(0.99, "tradedad_trading_commit_seconds")),
                panel("MongoDB latency, p99", "s", "By command.",
                      each_command=quantile(0.99, "tradedad_mongodb_command_seconds", "command",
                                            matchers='{job="trading"}')),
            ),
        ),
        Row(
            "Upstox",
            (
                stat("Unknown orders", "short", "Orders of which something is not known.",
                     "sum(tradedad_trading_unknown_orders)"),
                stat("Oldest unknown order", "s", "Its age; 0 without any.",
                     "max(tradedad_trading_unknown_order_age_seconds)"),
                panel("Accounts", "short", "Followed, and with an open portfolio stream.",
                      each_kind="sum by (kind) (tradedad_trading_upstox_accounts)"),
                panel("Commands", "ops", "Answers of Upstox, by command.",
                      each_answer=rare("tradedad_trading_acknowledgement_seconds_count",
                                       "command", "answer")),
                panel("Books read", "ops", "By result.",
                      each_result=rare("tradedad_trading_reconciliations_total", "result")),
                panel("Rows left out", "ops", "Rows of Upstox that are not as documented.",
                      each_field=rare("tradedad_trading_upstox_rows_skipped_total", "kind",
                                      "field")),
            ),
        ),
        Row(
            "Paper broker",
            (
                panel("Results", "ops", "Fills, triggers and ends, by kind.",
                      each_kind=rare("tradedad_trading_paper_results_total", "kind")),
                panel("Demanded instruments", "short", "By kind.",
                      each_kind="sum by (kind) (tradedad_trading_demanded_instruments)"),
                panel("Skipped entries", "ops", "Entries of the tick stream and calendars that are not used.",
                      each_kind=rare("tradedad_trading_skipped_entries_total", "kind", "reason"),
                      calendars=rate("tradedad_trading_bad_calendars_total")),
                panel("Instruments read", "ops", "By outcome.",
                      each_outcome=rare("tradedad_trading_instrument_reads_total", "outcome")),
                panel("Event loop lag", "s", "p99 of each process.",
                      each_instance=(
                          'job_instance:event_loop_lag_seconds:p99_5m{job="trading"}')),
            ),
        ),
    ),
)  # fmt: skip
