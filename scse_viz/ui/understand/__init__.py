"""The page Understand."""
