"""`python -m scse_viz.training.brain`: train the shipped brain networks."""

import sys

from scse_viz.training.brain.recipe import main

if __name__ == "__main__":
    sys.exit(main())
