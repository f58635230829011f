"""`python -m scse_viz.training.hippocampus`: train the shipped hippocampus networks."""

import sys

from scse_viz.training.hippocampus.recipe import main

if __name__ == "__main__":
    sys.exit(main())
