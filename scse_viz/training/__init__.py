"""Training of the shipped networks and of a person's own: images made from labels, one loop for all variants."""
