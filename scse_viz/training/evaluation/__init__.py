"""Evaluation: networks measured on scans they never saw, and the page of results."""
