"""A bare Streamlit page with as many pictures as Compare shows: what Streamlit and the browser cost by themselves.

`?pictures=N` says how many; the variants and blocks take pictures away as they do on Compare, and every slice has
pictures of its own. All of them are computed before.
"""

import numpy as np
import streamlit as st

VARIANTS = ["none", "cSE", "sSE", "scSE"]
BLOCKS = [
    *(f"encoder{number}" for number in range(1, 5)),
    "bottleneck",
    *(f"decoder{number}" for number in range(4, 0, -1)),
]
SIZE = (217, 181)


@st.cache_data
def pictures(index: int, count: int) -> list[np.ndarray]:
    """Noise of a slice's size, the same for the same slice."""
    noise = np.random.default_rng(index)
    return [noise.integers(0, 255, (*SIZE, 3), dtype=np.uint8) for _ in range(count)]


st.set_page_config(layout="wide")
with st.sidebar:
    variants = st.pills("Variants", VARIANTS, selection_mode="multi", default=VARIANTS)
    blocks = st.pills("Blocks", BLOCKS, selection_mode="multi", default=BLOCKS)
    index = st.slider("Slice", 0, 180, 90)
count = int(st.query_params.get("pictures", 44))
shown = count * len(variants) // len(VARIANTS) - (len(BLOCKS) - len(blocks)) * len(variants)
for column, start in zip(st.columns(len(variants)), range(len(variants)), strict=True):
    for picture in pictures(index, count)[start : shown : len(variants)]:
        column.image(picture)
st.html(
    f"<span id='shown' data-count='{shown}'>{index} {' '.join(variants)} {' '.join(blocks)}</span>"
)  # the last to come
