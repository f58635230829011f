"""What cannot be opened safely is refused in a sentence, and takes no memory."""

import io
import json
import pickle
import re
import resource
import struct
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as safetensors_of

from scse_viz import zoo
from scse_viz.zoo import WeightsError
from scse_viz.zoo.foreign import draft_of, files, open_network, read_checkpoint
from tests import smp_files
from tests.cards import TINY


class Evil:
    """A pickle that would write a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before torch 1.6"])
def test_a_pickle_with_code_is_refused_with_the_reason_and_does_not_run(new: bool, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    content = {"state_dict": smp_files.network().state_dict(), "hook": Evil(trap)}
    path = smp_files.saved(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=new)
    with pytest.raises(
        WeightsError,
        match=r"^a.ckpt: holds Python objects .* run code of whoever made the file; save the",
    ):
        read_checkpoint(path)
    assert not trap.exists()


def test_a_whole_module_is_refused_with_how_to_save_it(tmp_path: Path) -> None:
    path = smp_files.saved(smp_files.network(), tmp_path / "model.pth")
    with pytest.raises(WeightsError, match=r"segmentation_models_pytorch\..*torch.save\(model.state_dict\(\), FILE\)"):
        read_checkpoint(path)


def test_memory_that_a_pickle_asks_for_by_itself_is_refused(tmp_path: Path) -> None:
    """torch's own reader would make it: bytearray is among what it admits."""
    stream = pickle.PROTO + b"\x02" + b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R."
    archive = io.BytesIO()
    torch.save({"a": torch.ones(1)}, archive)
    with pytest.raises(WeightsError, match=r"builtins\.bytearray"):
        read_checkpoint(_with_pickle(archive.getvalue(), stream), name="a.pth")


def test_a_storage_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    archive = io.BytesIO()
    torch.save({"a": torch.zeros(4)}, archive)
    data = archive.getvalue()
    stream = _pickle_of(data).replace(b"K\x04t", b"J\xff\xff\xff\x7ft").replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85")
    with pytest.raises(WeightsError, match="cannot be read as weights alone"):
        read_checkpoint(_with_pickle(data, stream), name="a.pth")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"epoch": 3, "loss": 0.5}, r"holds no weights by name \(epoch, loss\)"),
        ([1, 2, 3], r"holds no weights by name \(list\)"),
        ({"a.weight": torch.ones(2, 2)}, r"its weights \(a.weight, …\) are of no architecture of segmentation_models"),
    ],
)
def test_a_file_without_a_known_network_is_refused(content, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=sentence):
        draft_of(read_checkpoint(smp_files.saved(content, tmp_path / "a.pth")))


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "a.safetensors", "0 bytes, no safetensors file"),
        (
            struct.pack("<Q", 2**60) + b"{}",
            "a.safetensors",
            "its header claims 1,152,921,504,606,846,976",
        ),
        (safetensors_of({"a": torch.ones(9)})[:-8], "a.safetensors", "damaged"),
        (b"not a pickle at all", "a.pth", "not what torch.save writes|cannot be read as weights alone"),
        (b"PK\5\6" + bytes(18), "a.zip", "0 files of weights in it"),
        (b"nothing", "a.zip", "cannot be read"),
        (b"text", "a.txt", "0 files of weights in it"),
    ],
)
def test_damaged_and_foreign_files_are_refused(data: bytes, name: str, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence):
        read_checkpoint(data, name=name)


def test_a_safetensors_header_that_lies_about_shapes_takes_no_memory() -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 4]}}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(4)

    def act() -> None:
        with pytest.raises(WeightsError, match="damaged"):
            read_checkpoint(data, name="a.safetensors")

    assert _peak(act) < 2**22


def test_a_zip_that_would_unpack_beyond_the_limit_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 2**20)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.safetensors", bytes(2**21))
    with pytest.raises(WeightsError, match="uncompressed"):
        read_checkpoint(data.getvalue(), name="bomb.zip")


def test_a_packed_member_of_a_torch_file_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"}.")
    with pytest.raises(WeightsError, match="compressed, which torch never does"):
        read_checkpoint(data.getvalue(), name="a.pth")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    smp_files.network().save_pretrained(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"_model_class": "os.system"}, "architecture 'os.system' is none of segmentation_models_pytorch"),
        ({"_model_class": "losses"}, "architecture 'losses' is none"),
        ({"encoder_name": "tu-hf-hub:somebody/model"}, "encoder 'tu-hf-hub:somebody/model' is unknown"),
        ({"encoder_name": "tu-local-dir:/etc"}, "encoder 'tu-local-dir:/etc' is unknown"),
        ({"encoder_name": "../resnet18"}, "is unknown"),
        ({"checkpoint_path": "/etc/passwd"}, "its config has 'checkpoint_path', which cannot be used here"),
        ({"decoder_channels": [2**30, 8, 8, 8, 8]}, r"decoder_channels is \[1073741824, .*; numbers are 0 to 8,192"),
        ({"decoder_channels": [16] * 100}, "lists have at most 8 of them"),
        ({"decoder_channels": [16, 16]}, "Unet cannot be built with these arguments: Model depth is 5"),
        ({"encoder_depth": 9}, "cannot be built with these arguments"),
        (
            {"decoder_channels": [8000] * 5},
            r"does not fit Unet; .*\(32, 768, 3, 3\) in the file and \(8000, 768, 3, 3\)",
        ),
        ({"classes": 9}, r"segmentation_head.0.weight is \(3, 16, 3, 3\) in the file and .*; choose 3 classes"),
        ({"in_channels": 3}, r"encoder.conv1.weight is \(64, 1, 7, 7\) in the file .*; choose 1 input channels"),
        ({"encoder_name": "resnet50"}, r"and \d+ more.*choose the architecture and encoder that it was trained with"),
        ({"encoder_name": "resnet34"}, r"\d+ missing: encoder.*and \d+ more; choose another encoder"),
        ({"decoder_attention_type": None}, "unexpected: decoder.*choose decoder attention scse"),
    ],
)
def test_a_config_that_lies_is_refused_before_memory_is_taken(facts: dict, sentence: str, folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))

    def act() -> None:
        checkpoint = read_checkpoint(folder)
        with pytest.raises(WeightsError, match=sentence):
            open_network(checkpoint, draft_of(checkpoint))

    assert _peak(act) < 200 * 2**20


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\x00"])
def test_a_config_that_is_no_json_table_is_refused(text: str, folder: Path) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=r"its config\.json is (not JSON|no table)"):
        read_checkpoint(folder)


def test_a_network_that_misses_tensors_names_five_of_each(folder: Path, tmp_path: Path) -> None:
    state = smp_files.network().state_dict()
    for key in [key for key in state if key.startswith("encoder.layer4")][:14]:
        state[f"{key}.mine"] = state.pop(key)
    with pytest.raises(WeightsError, match=r"is none of segmentation_models_pytorch and none of the usual"):
        draft_of(read_checkpoint(smp_files.saved(state, tmp_path / "a.pth")))
    with pytest.raises(WeightsError, match=r"(\S+, ){4}\S+ and \d+ more.*unexpected: (\S+, ){4}\S+ and \d+ more"):
        draft_of(read_checkpoint(tmp_path / "a.pth"), encoder="resnet18")


def test_two_files_of_weights_are_a_question(tmp_path: Path) -> None:
    for name in ("a.pth", "b.pth"):
        smp_files.saved({"x": torch.ones(1)}, tmp_path / name)
    with pytest.raises(WeightsError, match=r"2 files of weights in it \(a.pth, b.pth\), one is needed"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("lies", "sentence"),
    [
        ({"encoder": "tu-efficientnet_l2"}, "does not fit its card; "),
        ({"widths": [4096] * 5}, "does not fit its card; "),
        ({"encoder": "tu-hf-hub:someone/anything"}, "its card cannot be read: encoder 'tu-hf-hub:someone/anything' is"),
        ({"encoder": ""}, "its card cannot be read: an encoder is named, or left out, against its architecture"),
    ],
)
def test_a_card_of_ours_that_lies_is_refused_before_memory_is_taken(lies: dict, sentence: str, tmp_path: Path) -> None:
    card = replace(TINY, architecture="smp-unet", encoder="tu-mobilenetv3_small_050", widths=(16, 16, 16))
    zoo.save(card.network(seed=1), card, tmp_path)
    path = tmp_path / f"{card.name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **lies, "blocks": []}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=re.escape(sentence)):
        open_network(read_checkpoint(tmp_path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 2**10, "kilobytes"


def _peak(act) -> int:
    """Bytes of Python's own memory at the most, and no more tensors than that."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _pickle_of(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


def _with_pickle(data: bytes, stream: bytes) -> bytes:
    """A file of torch.save with another pickle in it."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, stream if name.endswith("data.pkl") else old.read(name))
    return changed.getvalue()
