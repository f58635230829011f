"""Rendering: arrays -> small pictures and volumes for the browser, and the colours of all figures."""
