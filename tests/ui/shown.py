"""What a page of an AppTest shows: the messages of its components, and its charts."""

import json

from streamlit.testing.v1 import AppTest

from tests.packed import header_of


def messages(app: AppTest) -> list[dict]:
    """The headers of what the grids of panels and the drawing of the network were sent."""
    return [header_of(part.proto.bytes) for part in app.get("bidi_component") if part.proto.bytes]


def figures(app: AppTest) -> dict[str, dict]:
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}
