"""Margin estimates for the paper account, without SPAN."""
