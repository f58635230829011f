"""One budget of memory: everything that can be computed again shares it, and the least recently used goes first."""

from scse_viz.memory.budget import default_limit, in_words
from scse_viz.memory.store import Hold, Store

__all__ = ["Hold", "Store", "default_limit", "in_words"]
