"""What a page of an AppTest shows: the messages of its components, and its charts."""

import json

from streamlit.testing.v1 import AppTest


def messages(app: AppTest) -> list[dict]:
    packed = [part.proto.bytes for part in app.get("bidi_component") if part.proto.bytes]
    return [json.loads(each[4 : 4 + int.from_bytes(each[:4], "little")]) for each in packed]


def figures(app: AppTest) -> dict[str, dict]:
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}
