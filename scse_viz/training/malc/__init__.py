"""Training of the MALC networks: real heads with manual labels, their slices, the recipe."""
