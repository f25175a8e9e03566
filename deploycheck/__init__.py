"""Validates what is in deploy: images, compose, manifests."""
