"""The toggle of variants: the paper's, and under them their relatives, where the networks offered have them."""

from collections.abc import Sequence

import streamlit as st

from scse_viz.blocks import RELATIVES
from scse_viz.zoo.titles import VARIANT_TITLES

ONE, ONE_RELATIVE = "variant", "relative"
SEVERAL, SEVERAL_RELATIVES = "variants", "relatives"
FIRST_VARIANTS = 4
"""The paper's: a first visit shows them where a page shows several, and the keys 1 to 4 choose them."""
PAPER_HELP = (
    "none: no blocks. cSE: squeeze space, excite channels. sSE: squeeze channels, excite pixels. scSE: both, added."
)
HELP_OF = {
    "scse-r16": "scSE with r = 16, as in segmentation_models_pytorch; scSE above has r = 2.",
    "eca": "ECA: channels, each weighted by its neighbours' means.",
    "soca": "SOCA: channels, weighted by their covariances.",
    "cbam": "CBAM: channels, then pixels by their neighbourhood.",
    "pe": "PE: every pixel of every channel, by the means of its row and column.",
    "nonlocal": "non-local: every pixel attends to all others.",
    "ag": "AG: pixels of the skip connections, by the stage below.",
}
RELATIVES_HELP = "Blocks of other papers, in the same network and trained alike. " + " ".join(HELP_OF.values())


def choose_one(titles: Sequence[str], first: str) -> str:
    """One variant by its title (keys "variant" and "relative"); `first` until one is chosen."""
    paper, relatives = grouped(titles)
    _settle(relatives)
    first = first if first in paper else titles[0]
    chosen = st.pills(
        "Variant",
        paper,
        default=first if paper else None,
        required=not relatives,
        key=ONE,
        bind="query-params",
        on_change=_only,
        args=(ONE, ONE_RELATIVE),
        help=PAPER_HELP,
    )
    if not relatives:
        return str(chosen)
    other = st.pills(
        "Relatives",
        relatives,
        key=ONE_RELATIVE,
        bind="query-params",
        on_change=_only,
        args=(ONE_RELATIVE, ONE),
        help=RELATIVES_HELP,
    )
    return str(other or chosen or first)


def choose_several(titles: Sequence[str], first: int, help: str) -> list[str]:
    """Several variants by their titles (keys "variants" and "relatives"); the `first` few until some are chosen."""
    paper, relatives = grouped(titles)
    chosen = st.pills(
        "Variants",
        paper,
        selection_mode="multi",
        default=paper[:first],
        key=SEVERAL,
        bind="query-params",
        help=help,
    )
    if relatives:
        chosen += st.pills(
            "Relatives",
            relatives,
            selection_mode="multi",
            key=SEVERAL_RELATIVES,
            bind="query-params",
            help=RELATIVES_HELP,
        )
    return list(chosen)


def show(title: str) -> None:
    """Choose one variant; only in callbacks, before the toggle is drawn."""
    relative = title in RELATIVE_TITLES
    st.session_state[ONE_RELATIVE if relative else ONE] = title
    st.session_state[ONE if relative else ONE_RELATIVE] = None


def grouped(titles: Sequence[str]) -> tuple[list[str], list[str]]:
    """Titles of variants -> those of the paper, and of its relatives."""
    relatives = [title for title in titles if title in RELATIVE_TITLES]
    return [title for title in titles if title not in relatives], relatives


RELATIVE_TITLES = frozenset(VARIANT_TITLES[name] for name in RELATIVES)


def _settle(relatives: Sequence[str]) -> None:
    """Leave a choice in one group at most, a relative in the address before a variant; drop choices not offered."""
    if st.session_state.get(ONE_RELATIVE) not in (None, *relatives):
        del st.session_state[ONE_RELATIVE]
    if ONE not in st.session_state and st.query_params.get(ONE_RELATIVE) in relatives:
        st.session_state[ONE] = None
    if not relatives and st.session_state.get(ONE, "") is None:
        del st.session_state[ONE]


def _only(chosen: str, released: str) -> None:
    """A choice in one group clears the other."""
    if st.session_state.get(chosen) is not None:
        st.session_state[released] = None
