"""The 3-D viewer."""
