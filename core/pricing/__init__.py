"""Dated prices and the exact cost of a call."""
