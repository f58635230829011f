"""Training of the brain networks: label maps, images synthesised from them, the recipe."""
