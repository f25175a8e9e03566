"""Misbehaviour on command: what Upstox, or the way to it, does on a bad day."""
