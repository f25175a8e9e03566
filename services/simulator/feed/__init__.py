"""The market-data feed V3 as clients meet it."""
