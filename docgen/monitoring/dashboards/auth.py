"""Auth: logins, password hashes, revocations and signing keys."""

from typing import Final

from docgen.monitoring.panels import Dashboard, Row, panel
from docgen.monitoring.promql import quantile, rare, rate

AUTH: Final = Dashboard(
    "tradedad-auth",
    "Trade Dad: auth",
    (
        Row(
            "Requests",
            (
                panel("Requests", "reqps", "By operation.",
                      each_operation=rate("tradedad_auth_requests_total", "operation")),
                panel("Refused and failed", "reqps", "By outcome.",
                      each_outcome=rare('tradedad_auth_requests_total{outcome!="ok"}', "outcome")),
                panel("Throttled attempts", "reqps", "Logins and sign-ups by limit.",
                      each_limit=rare("tradedad_auth_throttled_attempts_total", "limit")),
                panel("Password hash", "s", "Time on its thread.",
                      p50=quantile(0.5, "tradedad_auth_password_hash_seconds"),
                      p99=quantile(0.99, "tradedad_auth_password_hash_seconds")),
                panel("Pending hashes", "short", "Hashes that wait or run.",
                      each_instance="tradedad_auth_pending_password_hashes"),
                panel("MongoDB latency, p99", "s", "By command.",
                      each_command=quantile(0.99, "tradedad_mongodb_command_seconds", "command",
                                            matchers='{job="auth"}')),
            ),
        ),
        Row(
            "Revocations and keys",
            (
                panel("Revocations", "ops", "Published, and failed attempts.",
                      published=rate("tradedad_auth_published_revocations_total"),
                      failures=rate("tradedad_auth_revocation_publish_failures_total")),
                panel("Signing key's age", "s", "Since the key that signs was created.",
                      each_instance="time() - tradedad_auth_signing_key_created_timestamp_seconds"),
                panel("Failed reloads of keys", "ops", "The current keys stay in use.",
                      failures=rate("tradedad_auth_key_reload_failures_total")),
            ),
        ),
    ),
)  # fmt: skip
