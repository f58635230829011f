"""ES modules beside a component -> the one script that Streamlit takes, without a build step."""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import\s+(?:\{[^}]*\}\s+from\s+)?"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)


def script(entry: Path) -> str:
    """`entry` after all modules that it imports, in one scope: names at the top of modules must differ.

    Modules import with `import { name } from "./module.js";` alone, and only `entry` has a default export.
    """
    return "\n".join(text for _, text in _modules(entry.resolve(), {}).items())


def _modules(path: Path, known: dict[Path, str]) -> dict[Path, str]:
    """Add a module to `known`, behind those that it imports."""
    if path not in known:
        known[path] = ""  # two modules may import each other
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            _modules((path.parent / name).resolve(), known)
        del known[path]
        known[path] = _EXPORT.sub("", _IMPORT.sub("", text))
    return known
