"""Files on their way in: no more of them than there is memory for, and none of a session that is closed."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.stats import CacheStat

PATH = "/_stcore/upload_file/"
"""Where a browser puts a file: followed by its session and the number of the file."""


class Incoming:
    """ASGI middleware of uploads: Streamlit takes any number of files of an open session, whether its page asks or not.

    All files together, those under way included, may take the budget of the store and one file of the largest size, so
    that a page can still say that no memory is left; past it the answer is 507. A file that has come in only after its
    session was closed is forgotten: Streamlit would keep it for good.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._coming = 0  # bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, path, rest = scope.get("path", "").partition(PATH)
        if not path or scope.get("method") != "PUT":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        size = int(length) if length.isdigit() else None
        if refusal := _refused(size, self._coming):
            await refusal(scope, receive, send)
            return
        self._coming += size or 0
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming -= size or 0
            _forget_if_closed(rest.partition("/")[0])


def _refused(size: int | None, coming: int) -> PlainTextResponse | None:
    """The answer to a file that is not taken: one without a size, or one too many."""
    from scse_viz.memory import in_words
    from scse_viz.ui.shell import cached

    if size is None:
        return PlainTextResponse("an upload needs a Content-Length", 411)
    most = cached.store.limit + (config.get_option("server.maxUploadSize") << 20)
    held = stored(get_instance()) + coming
    if held + size <= most:
        return None
    return PlainTextResponse(
        f"no memory is left for {in_words(size)}: files take {in_words(held)} of {in_words(most)}", 507
    )


def stored(server: Runtime) -> int:
    """Bytes of the files of all sessions."""
    families = server.uploaded_file_mgr.get_stats().values()
    return sum(stat.byte_length for stats in families for stat in stats if isinstance(stat, CacheStat))


def _forget_if_closed(session: str) -> None:
    """Runs on the server's event loop, as the end of a session does: no file slips between the two."""
    from scse_viz.ui.shell import tab

    if tab.ended(session):
        get_instance().uploaded_file_mgr.remove_session_files(session)
