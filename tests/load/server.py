"""The app, served by a process of its own on this machine."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.load.console import ANSWER

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("probed_app.py")


class Server:
    """A server of the app with a console; `with Server() as server:` ends it."""

    def __init__(self, log: Path, environment: Mapping[str, str] | None = None, port: int | None = None) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        options = [f"--server.port={self.port}", "--server.address=127.0.0.1", "--server.headless=true"]
        command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *options, "--server.fileWatcherType=none"]
        self._log = log.open("w")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> "Server":
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}_stcore/health", timeout=1):
                    return self
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        raise TimeoutError(f"the app was not served: {Path(self._log.name).read_text()}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        for stream in (self.process.stdin, self.process.stdout, self._log):
            stream.close()

    def ask(self, expression: str) -> Any:
        """The value of an expression in the process of the app."""
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith(ANSWER):
            if not line:
                raise ConnectionError("the app has ended")
        return json.loads(line.removeprefix(ANSWER))

    @property
    def log(self) -> str:
        """What the app has logged."""
        return Path(self._log.name).read_text()

    @property
    def resident(self) -> int:
        """Bytes of memory of its process."""
        return psutil.Process(self.process.pid).memory_info().rss


def until(happened: Callable[[], bool], seconds: float) -> bool:
    """Wait for something; whether it happened."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
