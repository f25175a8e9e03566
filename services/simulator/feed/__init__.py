"""The market data feed V3: subscriptions, limits, frames. Opens no socket."""
