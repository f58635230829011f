"""The README names what there is, and CI runs what it says."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from scse_viz.blocks import VARIANTS
from scse_viz.cli import parser
from scse_viz.models import ALL_ARCHITECTURES
from scse_viz.training.evaluation.measures import multiply_adds, parameters_added
from scse_viz.zoo import cards, read_card
from scse_viz.zoo.foreign import Request, opened

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*VARIANTS, *ALL_ARCHITECTURES, *cards()])
def test_every_variant_architecture_and_network_is_named(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_cost_of_every_variant_is_what_it_says(variant: str) -> None:
    [row] = re.findall(rf"^\| `{variant}` \|.* \| (\S+ %) \| (\S+ %) \|$", README, flags=re.MULTILINE)
    plain = read_card("hippocampus-unet-none")
    card = replace(plain, variant=variant)
    more = 100 * (multiply_adds(card, (48, 64)) / multiply_adds(plain, (48, 64)) - 1)
    assert row == (f"+{parameters_added(card):.2f} %", f"+{more:.2f} %")


def test_every_command_is_named() -> None:
    commands = re.findall(r"^    (\w+) ", parser().format_help(), flags=re.MULTILINE)
    assert "segment" in commands
    assert [command for command in commands if f"scse-viz {command}" not in README] == []


@pytest.mark.parametrize("function", ["monai_network", "timm_network", "hand_written_network"])
def test_the_functions_that_make_networks_open(function: str, tmp_path: Path) -> None:
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "def monai" in block]
    (tmp_path / "my_project").mkdir()
    (tmp_path / "my_project" / "unet.py").write_text(UNET, encoding="utf-8")
    path = tmp_path / f"my_code_of_readme_{function}.py"
    path.write_text(code, encoding="utf-8")
    network = opened(Request(network=f"{path}:{function}"))
    assert network.card.in_channels == 1
    assert len(network.card.structures) == 3


UNET = """
from torch import nn
class UNet(nn.Sequential):
    def __init__(self, channels, classes):
        super().__init__(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, classes, 1))
"""


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert "docs/screenshot.png" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_ci_finds_both_of_its_commands_in_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    searches = re.findall(r"\$\((grep .*? README\.md)\)", script)
    assert len(searches) == 2
    for search in searches:
        assert subprocess.run(["bash", "-c", search], cwd=ROOT, check=False, capture_output=True).returncode == 0, (
            search
        )


def test_every_file_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:scse_viz|tests)/[\w/.]+)`", text)
    assert len(named) >= 12
    assert [path for path in named if not (ROOT / path).exists()] == []
    part = text.partition("## Where to change what")[2].strip().splitlines()
    assert len(part) <= 25
