"""What a page of an AppTest shows: the messages of its components, and its charts."""

import json
from collections.abc import Iterator

from streamlit.testing.v1 import AppTest

from tests.packed import header_of


def messages(app: AppTest) -> list[dict]:
    """The headers of what the grids of panels and the drawing of the network were sent."""
    return [header_of(part.proto.bytes) for part in app.get("bidi_component") if part.proto.bytes]


def figures(app: AppTest) -> dict[str, dict]:
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def bound_keys(app: AppTest) -> Iterator[str]:
    """The keys of the widgets whose value the address holds."""
    for node in [*app.main, *app.sidebar]:
        for proto in (getattr(node, "proto", None), getattr(getattr(node, "proto", None), "tab_container", None)):
            if key := getattr(proto, "query_param_key", ""):
                yield key
