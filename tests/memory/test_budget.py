"""The budget: what the setting says, else a share of the memory of the machine or its container."""

from pathlib import Path

import psutil
import pytest

from scse_viz.memory.budget import SHARE, VARIABLE, available, default_limit, in_words


@pytest.mark.parametrize(
    ("text", "wanted"), [("2 GB", 2 * 10**9), ("1500mb", 1500 * 10**6), ("1.5GiB", 3 << 29), (" 512 MiB ", 1 << 29)]
)
def test_an_amount_is_used_as_given(text, wanted):
    assert default_limit({VARIABLE: text}) == wanted


def test_a_share_is_one_of_the_memory_there_is():
    assert default_limit({VARIABLE: "50 %"}) == pytest.approx(0.5 * available(), abs=1)
    assert default_limit({}) == pytest.approx(SHARE * available(), abs=1)


@pytest.mark.parametrize("text", ["much", "2", "-1 GB", "2 GB or so"])
def test_a_value_that_is_no_amount_is_refused_with_what_is_needed(text):
    with pytest.raises(ValueError, match="give an amount such as 1500 MB, 2 GB, or 25 %"):
        default_limit({VARIABLE: text})


def test_a_budget_in_which_nothing_fits_is_refused():
    with pytest.raises(ValueError, match="give at least 100 MB"):
        default_limit({VARIABLE: "20 MB"})


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_container_s_limit_counts_wherever_it_is_set(tmp_path):
    write(tmp_path / "proc/self/cgroup", "0::/pod/app\n")
    write(tmp_path / "sys/fs/cgroup/pod/app/memory.max", "max\n")
    write(tmp_path / "sys/fs/cgroup/pod/memory.max", "300000000\n")
    assert available(tmp_path) == 300_000_000


def test_a_container_that_sees_only_its_own_group_has_its_limit_at_the_top(tmp_path):
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "sys/fs/cgroup/memory.max", "200000000\n")
    assert available(tmp_path) == 200_000_000


def test_control_groups_of_version_1(tmp_path):
    write(tmp_path / "proc/self/cgroup", "5:cpu:/a\n4:memory:/docker/1\n")
    write(tmp_path / "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "400000000\n")
    write(tmp_path / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert available(tmp_path) == 400_000_000


def test_without_a_limit_it_is_the_machine(tmp_path):
    assert available(tmp_path) == psutil.virtual_memory().total


def test_bytes_in_words():
    assert (in_words(29_600_000), in_words(1_250_000_000)) == ("30 MB", "1.2 GB")
