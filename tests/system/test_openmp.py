import os
import subprocess
import sys

import pytest

from scse_viz.system.openmp import sleep_soon

SEEN = """
import os, sys
{loads}
assert "torch" not in sys.modules, "OpenMP reads its settings when torch is loaded"
print(os.environ.get("GOMP_SPINCOUNT"))
"""


def seen(loads: str, **environment: str) -> str:
    """The setting that torch would find in a new process after some lines of Python."""
    own = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    command = [sys.executable, "-c", SEEN.format(loads=loads)]
    return subprocess.run(command, env=own | environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    "program",
    [
        "from scse_viz.ui import lifetime",
        "from scse_viz.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass",
    ],
    ids=["app", "command line"],
)
def test_threads_sleep_soon_in_every_program_before_torch_is_loaded(program: str) -> None:
    assert seen(program).splitlines()[-1] == "1000"
    assert seen(program, GOMP_SPINCOUNT="7").splitlines()[-1] == "7"


def test_a_policy_of_the_users_own_stays() -> None:
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    sleep_soon(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE"}
