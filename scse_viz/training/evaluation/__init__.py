"""Evaluation of networks on scans withheld from training, and the page of results."""
