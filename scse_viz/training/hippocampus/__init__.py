"""Training of the hippocampus networks: crops, their slices, the recipe."""
