"""Grafana dashboards from code, and the checks of dashboards and Prometheus rules."""
