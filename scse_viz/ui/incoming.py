"""Files on their way in: no more of them than there is memory for, and none of a session that is closed."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.stats import CacheStat

PATH = "/_stcore/upload_file/"
"""Where a browser puts a file: followed by its session and the number of the file."""


class Incoming:
    """ASGI middleware of uploads: Streamlit takes any number of files of an open session, whether its page asks or not.

    All files together, those under way included, may take the budget of the store and one file of the largest size, so
    that a page can still say that no memory is left. A file past it is read to its end and not kept, and the page of
    its session says why; an answer with an error would leave the browser with a number. A file that has come in only
    after its session was closed is forgotten: Streamlit would keep it for good.
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
        session, _, file = rest.partition("/")
        if not length.isdigit():
            await PlainTextResponse("an upload needs a Content-Length", 411)(scope, receive, send)
            return
        size = int(length)
        if why := _no_room(size, self._coming):
            answer = await _leave_out(receive, session, file, why)
            await answer(scope, receive, send)
            return
        self._coming += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming -= size
            _forget_if_closed(session)


def _no_room(size: int, coming: int) -> str:
    """Why a file of this size is left out; empty if it is kept."""
    from scse_viz.memory import in_words
    from scse_viz.ui.shell import cached

    largest = config.get_option("server.maxUploadSize") << 20
    most = cached.store.limit + largest
    held = stored(get_instance()) + coming
    if size > largest or held + size <= most:  # Streamlit refuses what is too large, unread
        return ""
    return f"no memory is left for {in_words(size)}: files take {in_words(held)} of {in_words(most)}"


async def _leave_out(receive: Receive, session: str, file: str, why: str) -> Response:
    """Read a file and keep nothing of it but the reason, for the page of its session."""
    from scse_viz.ui.shell import tab

    if not get_instance().is_active_session(session):
        return PlainTextResponse(why, 507)
    while (await receive()).get("more_body"):
        pass
    if not tab.ended(session):  # while it came in
        tab.leave_out(session, file, why)
    return Response(status_code=204)


def stored(server: Runtime) -> int:
    """Bytes of the files of all sessions."""
    families = server.uploaded_file_mgr.get_stats().values()
    return sum(stat.byte_length for stats in families for stat in stats if isinstance(stat, CacheStat))


def _forget_if_closed(session: str) -> None:
    """Runs on the server's event loop, as the end of a session does: no file slips between the two."""
    from scse_viz.ui.shell import tab

    if tab.ended(session):
        get_instance().uploaded_file_mgr.remove_session_files(session)
