"""Training on a person's own data: what `scse-viz train` does."""
