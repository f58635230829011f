"""A browser tab without a browser: one session of the app, driven over Streamlit's websocket on this machine."""

import http.client
import json
import time
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLs, UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Subprotocol

PATIENCE_S = 300.0
XSRF = "_streamlit_xsrf"


class Tab:
    """A tab at an address of the app; `elements` is what the page shows, by place.

    Every method that changes something waits until the page is at rest. Refuses any host but this machine.
    """

    def __init__(self, address: str, page: str = "", query: str = "") -> None:
        where = urlsplit(address)
        if where.hostname != "127.0.0.1":
            raise ValueError(f"{address}: the load driver drives servers on 127.0.0.1 alone")
        self._host = f"{where.hostname}:{where.port}"
        self.query, self._page = query, page
        self._xsrf = self._cookie()
        self.session = self._hash = ""
        self._connect()
        self._pages: dict[str, str] = {}
        self.elements: dict[tuple[int, ...], Element] = {}
        self._widgets: dict[str, WidgetState] = {}
        self.run()

    def run(self, **values: Any) -> float:
        """Set widgets by key and run the page; seconds until it was there: its sidebar may follow.

        A value is a bool, an int for a slider or a selectbox (its option's number), a string for a text, a list of
        numbers for pills, or `True` for a button.
        """
        begin = self._drawn = time.perf_counter()
        self.ask(**values)
        self._until_rest()
        return self._drawn - begin

    def ask(self, **values: Any) -> None:
        """Set widgets as `run` does, and wait for nothing."""
        message = BackMsg()
        pressed = [self._state(key, value) for key, value in values.items()]
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.page_name = self.query, self._hash, self._page
        state.widget_states.widgets.extend([*self._widgets.values(), *(state for state in pressed if state)])
        self._socket.send(message.SerializeToString())

    def upload(self, key: str, name: str, content: bytes) -> float:
        """Give a file to an uploader, as a browser does; seconds until the page shows it."""
        begin = time.perf_counter()
        urls = self.place(name)
        status, reason = self.put(urls, name, [content])
        if status != 204:
            raise ConnectionError(f"upload of {name}: {status} {reason}")
        info = UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        self._keep(WidgetState(id=self.widget(key).id, file_uploader_state_value=_files(info)))
        self.run()
        return self._drawn - begin

    def place(self, name: str) -> FileURLs:
        """Ask where to send a file."""
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        self._socket.send(message.SerializeToString())
        while (answer := self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        return answer.file_urls_response.file_urls[0]

    def put(self, urls: FileURLs, name: str, parts: Iterable[bytes], size: int | None = None) -> tuple[int, str]:
        """Send a file to its place, part by part: the status of the answer, and its text.

        `size` is that of all parts in bytes, where they are yet to be made.
        """
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE_S)
        tail = f"\r\n--{edge}--\r\n".encode()
        headers = {
            "Content-Length": str(len(head) + (sum(map(len, parts)) if size is None else size) + len(tail)),
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Cookie": f"{XSRF}={self._xsrf}",
            "X-Xsrftoken": self._xsrf,
        }
        connection.request("PUT", urls.upload_url, chain((head,), parts, (tail,)), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def go_to(self, page: str) -> float:
        """Open another page of the app by its name; seconds until it was there."""
        self._hash = self._pages[page]
        return self.run()

    def widget(self, key: str) -> Any:
        """The widget of a key, as its message says."""
        for element in self.elements.values():
            part = getattr(element, element.WhichOneof("type") or "alert", None)
            if getattr(part, "id", "").endswith(f"-{key}"):
                return part
        raise KeyError(f"the page has no widget {key}: it says {self.words()}")

    def shown(self, key: str) -> bytes:
        """The message that a grid of panels drew: its pictures and all it says of them."""
        part = self.widget(key)
        return bytes(part.bytes)

    def words(self) -> list[str]:
        """The sentences on the page: texts, notes and errors."""
        said = []
        for element in self.elements.values():
            match element.WhichOneof("type"):
                case "markdown" | "alert" | "text" | "heading" as kind:
                    said.append(getattr(element, kind).body)
                case "progress":
                    said.append(element.progress.text)
        return said

    @property
    def errors(self) -> list[str]:
        """What went wrong: exceptions and errors that the page shows."""
        return [
            element.exception.message or element.exception.type
            if element.WhichOneof("type") == "exception"
            else element.alert.body
            for element in self.elements.values()
            if element.WhichOneof("type") == "exception"
            or (element.WhichOneof("type") == "alert" and element.alert.format == element.alert.ERROR)
        ]

    def follow(self, seconds: float) -> None:
        """Take what comes in for some seconds, as an open tab does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._take(_parsed(self._socket.recv(timeout=left)))
            except TimeoutError:
                return

    def close(self) -> None:
        """Close the tab."""
        self._open.close()

    def reconnect(self) -> None:
        """Lose the connection, and do what a browser does then: ask for the same session, with its widgets."""
        self.close()
        self._xsrf = self._cookie()
        self._connect()
        self.run()

    def _connect(self) -> None:
        self._open = ExitStack()
        tokens = ["streamlit", self._xsrf, *([self.session] if self.session else [])]
        self._socket = self._open.enter_context(
            connect(
                f"ws://{self._host}/_stcore/stream",
                subprotocols=[Subprotocol(token) for token in tokens],
                additional_headers={"Cookie": f"{XSRF}={self._xsrf}"},
                max_size=None,
            )
        )

    def _state(self, key: str, value: Any) -> WidgetState | None:
        """The state of a widget, kept for later runs; that of a button is for this run alone."""
        part = self.widget(key)
        kind = type(part).__name__
        if kind == "Button":
            return WidgetState(id=part.id, trigger_value=True)
        self._keep(_widget_state(kind, part, value))
        return None

    def _keep(self, state: WidgetState) -> None:
        self._widgets[state.id] = state

    def _cookie(self) -> str:
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE_S)
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        cookies = answer.getheader("Set-Cookie") or ""
        return cookies.partition(f"{XSRF}=")[2].partition(";")[0].strip('"')

    def _until_rest(self) -> None:
        while True:
            message = self._receive()
            if message.WhichOneof("type") == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise RuntimeError("the script does not compile")

    def _receive(self) -> ForwardMsg:
        message = _parsed(self._socket.recv(timeout=PATIENCE_S))
        self._take(message)
        return message

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self.session = message.new_session.initialize.session_id
                if not message.metadata.run.fragment_ids:
                    self.elements = {}
            case "navigation":
                self._hash = message.navigation.page_script_hash
                self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "delta":
                path = tuple(message.metadata.delta_path)
                if message.delta.WhichOneof("type") == "new_element":
                    self.elements[path] = message.delta.new_element
                if path[0] == RootContainer.MAIN:
                    self._drawn = time.perf_counter()


def _files(*infos: UploadedFileInfo) -> FileUploaderState:
    return FileUploaderState(uploaded_file_info=infos)


def _parsed(received: str | bytes) -> ForwardMsg:
    assert isinstance(received, bytes)
    message = ForwardMsg()
    message.ParseFromString(received)
    return message


def _widget_state(kind: str, part: Any, value: Any) -> WidgetState:
    match kind:
        case "Slider":
            return WidgetState(id=part.id, double_array_value={"data": [value]})
        case "Selectbox":
            return WidgetState(id=part.id, string_value=value)
        case "Checkbox":
            return WidgetState(id=part.id, bool_value=value)
        case "ButtonGroup":
            return WidgetState(id=part.id, string_array_value={"data": _listed(value)})
    raise ValueError(f"{kind}: the driver sets no widget of this kind to {json.dumps(value)}")


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
