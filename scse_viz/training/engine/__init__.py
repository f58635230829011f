"""The training engine: one loop, its losses, and the history that it keeps."""
