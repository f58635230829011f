"""An upload stays in memory while it comes in."""

from anyio.from_thread import start_blocking_portal
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from scse_viz.ui.shell import uploads

EDGE = "edge"


async def body(size: int):
    yield f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="scan.nii"\r\n\r\n'.encode()
    for _ in range(size >> 20):
        yield bytes(1 << 20)
    yield f"\r\n--{EDGE}--\r\n".encode()


def in_memory(size: int) -> bool:
    """Whether a file of some bytes, taken in by the parser of the server, is held in memory and not in a file."""
    headers = Headers({"content-type": f"multipart/form-data; boundary={EDGE}"})
    with start_blocking_portal() as portal:  # a loop in a thread of its own: a browser test's loop may run in this one
        file = portal.call(MultiPartParser(headers, body(size)).parse)["file"]
    assert file.size == size
    held = not file.file._rolled
    file.file.close()
    return held


def test_a_large_file_never_reaches_the_temporary_folder(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1 << 20)  # as the server has it
    assert not in_memory(8 << 20)
    uploads.keep_in_memory()
    assert in_memory(8 << 20)
