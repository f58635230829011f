"""Networks of other libraries: read from their files, or made by a user's own function, and described by a card."""

from scse_viz.zoo.foreign.answers import Answers, Request, completed, opened
from scse_viz.zoo.foreign.drafts import Draft, draft_of
from scse_viz.zoo.foreign.factories import from_factory
from scse_viz.zoo.foreign.files import Checkpoint, read_checkpoint
from scse_viz.zoo.foreign.opening import OpenedNetwork, described, open_network

__all__ = [
    "Answers",
    "Checkpoint",
    "Draft",
    "OpenedNetwork",
    "Request",
    "completed",
    "described",
    "draft_of",
    "from_factory",
    "open_network",
    "opened",
    "read_checkpoint",
]
