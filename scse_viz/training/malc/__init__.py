"""Training of the MALC networks on slices of real heads with manual labels, the paper's own data."""
