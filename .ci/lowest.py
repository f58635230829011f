"""The lower bounds of requirements.txt and of the extras of pyproject.toml, as requirements for pip."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
lines = [*(ROOT / "requirements.txt").read_text().splitlines(), *(line for extra in extras.values() for line in extra)]
for line in lines:
    if bound := re.match(r"([\w-]+)>=([\w.]+)", line):
        print(f"{bound[1]}=={bound[2]}")
