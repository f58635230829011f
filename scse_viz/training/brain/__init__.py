"""Training of the brain networks on images synthesised from label maps."""
