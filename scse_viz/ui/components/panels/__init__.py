"""Panels: maps over a slice, drawn in the browser."""
