"""Training on a user's own data: what `scse-viz train` does."""
