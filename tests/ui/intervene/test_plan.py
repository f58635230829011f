"""A plan in the address: it comes back as it was written, and what makes no sense is left out and said so."""

import pytest
import torch

from scse_viz.intervention import OFF, Change, Invert, Mean, Off, Region, Shuffle, Strength
from scse_viz.models import BLOCK_NAMES
from scse_viz.ui.intervene.plan import (
    CHANNEL,
    SPATIAL,
    Manner,
    Setting,
    change_of,
    changes_of,
    python_of,
    read_plan,
    sentence,
    with_setting,
    write_plan,
)

BOTH = ("channel_gate", "spatial_gate")
PLAN = {
    "encoder1": Setting("off"),
    "bottleneck": Setting("strength", 0.5, (3, 4, 5, 9)),
    "decoder3": Setting(without=(0,)),
    "decoder1": Setting("open", without=(7, 9)),
}
TEXT = "encoder1:off,bottleneck:strength:0.5:without:3-5.9,decoder3:without:0,decoder1:open:without:7.9"


def test_a_plan_is_written_compactly_and_read_back():
    assert write_plan(PLAN) == TEXT
    assert read_plan(TEXT, BLOCK_NAMES) == (PLAN, True)
    assert read_plan("", BLOCK_NAMES) == ({}, True)


def test_blocks_are_in_the_order_of_the_network_whatever_the_order_of_the_address():
    plan, whole = read_plan("decoder1:mean,encoder2:invert", BLOCK_NAMES)
    assert list(plan) == ["encoder2", "decoder1"]
    assert whole


@pytest.mark.parametrize(
    "part",
    [
        "encoder9:off",
        "encoder2",
        "encoder2:",
        "encoder2:break",
        "encoder2:strength:3",
        "encoder2:strength:-1",
        "encoder2:strength:nan",
        "encoder2:strength:much",
        "encoder2:without:x",
        "encoder2:without:5-3",
        "encoder2:without:-1",
        "encoder2:without:0-99999999999",
        "encoder2:off:again",
        "encoder1:mean",
        "<script>:off",
    ],
)
def test_a_part_that_makes_no_sense_is_left_out_and_the_rest_is_used(part):
    assert read_plan(f"encoder1:off,{part},decoder1:mean", BLOCK_NAMES) == (
        {"encoder1": Setting("off"), "decoder1": Setting("mean")},
        False,
    )


def test_a_setting_that_changes_nothing_is_not_in_the_plan():
    assert with_setting(PLAN, "encoder1", Setting(), BLOCK_NAMES) == {block: PLAN[block] for block in list(PLAN)[1:]}
    assert with_setting({}, "encoder1", Setting("strength", 1.0), BLOCK_NAMES) == {}
    assert read_plan("encoder1:strength:1", BLOCK_NAMES) == ({}, True)


def test_a_plan_is_said_in_words():
    assert sentence(PLAN) == (
        "encoder1 off · bottleneck at strength 0.5, without channels 3 to 5, 9 · decoder3 without channel 0 · "
        "decoder1 1 inside, without channels 7, 9"
    )


@pytest.mark.parametrize(
    ("setting", "manner", "gates", "expected"),
    [
        (Setting("off"), Manner(), BOTH, OFF),
        (Setting("strength", 0.5), Manner(), BOTH, Change(strength=0.5)),
        (Setting("mean"), Manner(), BOTH, Change(Mean(), Mean())),
        (Setting("invert"), Manner(), ("spatial_gate",), Change(None, Invert())),
        (Setting("off"), Manner(CHANNEL), BOTH, Change(Off(), None)),
        (Setting("off"), Manner(SPATIAL), BOTH, Change(None, Off())),
        (Setting("strength", 2), Manner(SPATIAL), BOTH, Change(None, Strength(2))),
        (Setting("shuffle"), Manner(CHANNEL, seed=7), BOTH, Change(Shuffle(7), None)),
        (Setting("off"), Manner(SPATIAL), ("channel_gate",), OFF),  # the only gate, whatever was chosen for others
        (Setting("off"), Manner(), (), Change()),
        (Setting("open"), Manner(region=None), BOTH, Change()),
        (Setting(), Manner(), BOTH, Change()),
    ],
)
def test_a_setting_means_one_change(setting, manner, gates, expected):
    assert change_of(setting, manner, gates) == expected


def test_a_region_changes_the_spatial_gate_whatever_gates_are_chosen_and_no_other():
    manner = Manner(CHANNEL, region=lambda value: Region(torch.ones(2, 2), value))
    for action, value in (("open", 1.0), ("close", 0.0)):
        change = change_of(Setting(action), manner, BOTH)
        assert change.spatial_gate.value == value
        assert change.channel_gate is None
    assert change_of(Setting("open"), manner, ("channel_gate",)) == Change()


def test_what_a_network_has_no_place_for_is_left_out():
    counts = dict.fromkeys(BLOCK_NAMES, 4)
    changes = changes_of(PLAN, Manner(), dict.fromkeys(BLOCK_NAMES, ()), counts)
    assert changes == {"bottleneck": Change(without=(3,)), "decoder3": Change(without=(0,))}
    changes = changes_of(PLAN, Manner(), dict.fromkeys(BLOCK_NAMES, ("channel_gate",)), counts)
    assert changes == {**changes, "encoder1": OFF, "bottleneck": Change(strength=0.5, without=(3,))}
    assert "decoder1" not in changes


def test_the_python_of_changes_makes_the_same_changes():
    changes = {
        "encoder1": OFF,
        "bottleneck": Change(Shuffle(3), Mean(), without=(1, 2)),
        "decoder2": Change(Invert(), Strength(0.5)),
        "decoder1": Change(None, Region(torch.ones(2, 2), 1.0)),
    }
    code = python_of(changes, "axial", 80, structure=10)
    made = code[code.index("changes =") : code.index("after =")]
    assert "region(result.labels == 10, 1.0, scan_slice, card)" in made
    space = {kind.__name__: kind for kind in (Change, Invert, Mean, Off, Shuffle, Strength)}

    class Result:
        labels = 10

    space |= {"region": lambda inside, value, *_: (inside, value), "result": Result, "scan_slice": 0, "card": 0}
    exec(made, space)
    assert space["changes"] == {**changes, "decoder1": Change(None, (True, 1.0))}
