"""The page Volume."""
