"""`python -m scse_viz`: the same as the command `scse-viz`."""

import sys

from scse_viz.cli import main

sys.exit(main())
