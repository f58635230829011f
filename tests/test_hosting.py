"""What docs/hosting.md, the image and the compose file say of each other and of the app."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE, IMAGE, COMPOSE, PROXY = (
    (ROOT / name).read_text() for name in ("docs/hosting.md", "Dockerfile", "compose.yaml", "haproxy.cfg")
)
OF_COMMANDS = {"SCSE_VIZ_NETWORKS"}  # what `scse-viz app --network` tells the app that it starts


def settings() -> set[str]:
    """The variables of the environment that the code names."""
    return {
        name for path in (ROOT / "scse_viz").rglob("*.py") for name in re.findall(r"SCSE_VIZ_[A-Z]+", path.read_text())
    }


@pytest.mark.parametrize("name", sorted(settings() - OF_COMMANDS))
def test_every_setting_is_a_row_of_the_guide(name: str) -> None:
    assert f"| `{name}` |" in GUIDE


def test_the_image_holds_what_the_app_needs_and_the_health_check_asks_the_port_that_it_serves() -> None:
    copied = re.findall(r"^COPY (\S+)", IMAGE, flags=re.MULTILINE)
    assert {"requirements.txt", "app.py", ".streamlit", "scse_viz", "pretrained", "sample_data"} == set(copied)
    assert all((ROOT / name).exists() for name in copied)
    ports = set(re.findall(r"(?:EXPOSE |127\.0\.0\.1:|--server\.port=)(\d+)", IMAGE))
    assert ports == {"8501"}


def test_the_proxy_looks_for_the_service_and_port_of_the_compose_file() -> None:
    assert re.search(r"server-template app \d+ app:8501 ", PROXY)
    assert re.search(r"^  app:$", COMPOSE, flags=re.MULTILINE)
    assert "./haproxy.cfg:" in COMPOSE
    bound = re.search(r"bind :(\d+)", PROXY)
    assert bound is not None
    assert f'"80:{bound[1]}"' in COMPOSE
