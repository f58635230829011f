"""Training of the hippocampus networks on slices of real crops."""
