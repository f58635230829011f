"""Models: all networks with their training data and Dice, each to be opened in Explore."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.system.devices import in_words
from scse_viz.ui.models import cached as models_cached
from scse_viz.ui.shell import address, cached, navigation
from scse_viz.ui.shell.layout import narrow_columns
from scse_viz.ui.shell.sidebar import NO_NETWORKS
from scse_viz.ui.shell.variants import show
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo import Card
from scse_viz.zoo.titles import architecture_title, variant_title

ACROSS = 4
"""Cards in a row: the paper's variants stand side by side, relatives below them."""


def page() -> None:
    """Draw a table of all networks, then a card for each network of the chosen anatomy."""
    if st.session_state.pop("open_explore", False):
        # The address is emptied and filled again by the widgets: Streamlit refuses to change what it holds of them.
        st.switch_page(navigation.page("explore"), query_params={})
    address.draw_lost()
    known = list(cached.cards().values())
    if not known:
        st.info(NO_NETWORKS)
        return
    st.markdown("#### Networks")
    st.caption(
        "Trained by this project's own code and shipped with it. Networks of one anatomy were trained on the same "
        "images in the same order; variants of an architecture started from the same weights in the layers they share. "
        f"They run on {in_words(cached.device)}."
    )
    for sentence in cached.listing().skipped:
        st.warning(verbatim(f"Skipped: {sentence}"))
    costs = {card.name: models_cached.cost(card) for card in known}
    st.dataframe(
        overview(known, costs), hide_index=True, width="stretch", column_config=_columns(), key="models_overview"
    )
    chosen = st.session_state.get("anatomy", known[0].anatomy)
    family = [card for card in known if card.anatomy == chosen]
    for architecture in dict.fromkeys(card.architecture for card in family):
        st.markdown(f"##### {architecture_title(architecture)}, {chosen}")
        of_one = [card for card in family if card.architecture == architecture]
        for start in range(0, len(of_one), ACROSS):
            columns = narrow_columns(ACROSS, key=f"{architecture}_{start}")
            for column, card in zip(columns, of_one[start : start + ACROSS], strict=False):
                with column.container(border=True):
                    _draw_card(card, costs[card.name][0])
    _draw_own()


def overview(known: Sequence[Card], costs: Mapping[str, tuple[int, tuple[int, int]]]) -> pd.DataFrame:
    """A table of networks, one a row: Dice in 0 to 1, what blocks add to `none` in percent.

    costs: name -> multiply-adds of a slice, and its rows and columns.
    """
    plain = {(card.anatomy, card.architecture): card for card in known if card.variant == "none"}
    rows = []
    for card in known:
        training = card.training or {}
        base = plain.get((card.anatomy, card.architecture))
        multiply_adds, (height, width) = costs[card.name]
        rows.append(
            {
                "network": card.name,
                "anatomy": card.anatomy,
                "architecture": architecture_title(card.architecture),
                "variant": variant_title(card.variant),
                "parameters": card.parameters,
                "added": None if base is None else 100 * (card.parameters / base.parameters - 1),
                "multiply-adds": multiply_adds / 1e6,
                "more": None if base is None else 100 * (multiply_adds / costs[base.name][0] - 1),
                "pixels": f"{height} × {width}",
                "crops": training.get("crops"),
                "dice": (card.figures or {}).get("mean_dice"),
                "licence": training.get("licence"),
            }
        )
    return pd.DataFrame(rows)


def _columns() -> Mapping[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "parameters": number("parameters", format="localized"),
        "added": number("added, %", format="%.2f", help="Parameters added by the blocks to the network without them."),
        "multiply-adds": number(
            "multiply-adds, million",
            format="%.1f",
            help="Of one slice: multiplications of convolutions, linear layers, products of matrices and attention, "
            "each with its addition. Gates that multiply features, and non-linearities, are not counted.",
        ),
        "more": number("more, %", format="%.2f", help="Multiply-adds added by the blocks to the network without them."),
        "pixels": st.column_config.TextColumn("of a slice of", help="Rows and columns of the slice in pixels."),
        "crops": number("images seen", format="localized", help="Training images or crops, counting repeats."),
        "dice": number("mean Dice", format="%.3f", help="Over structures and test scans; the cards below name them."),
    }


def _draw_card(card: Card, multiply_adds: int) -> None:
    training = card.training or {}
    st.markdown(f"**{variant_title(card.variant)}**  \n`{card.name}`")
    figures = card.figures or {}
    dice = figures.get("mean_dice")
    st.metric(
        "mean Dice",
        "–" if dice is None else f"{dice:.3f}",
        help=f"2 |A and B| / (|A| + |B|), 0 to 1. Measured on {figures.get('measured_on', 'no scan yet')}.",
    )
    st.button(
        "Open in Explore",
        key=f"open_{card.name}",
        on_click=_open,
        args=(card,),
        width="stretch",
        help="Open this network on the current scan, block by block.",
    )
    encoder = f"encoder {card.encoder}, " if card.encoder else ""
    st.caption(
        f"{card.parameters:,} parameters, {multiply_adds / 1e6:,.1f} million multiply-adds a slice, "
        f"{encoder}widths {', '.join(map(str, card.widths))}, stored as {card.dtype}"
    )
    with st.expander("Training and Dice"):
        _draw_facts(card, training)


def _draw_facts(card: Card, training: Mapping[str, Any]) -> None:
    for name in ("data", "method", "licence", "seed", "steps", "crops", "precision", "note"):
        if name in training:
            value = training[name]
            st.markdown(f"**{name}:** {verbatim(f'{value:,}' if isinstance(value, int) else str(value))}")
    structures = ", ".join(structure.name for structure in card.structures[1:])
    st.markdown(f"**structures:** {verbatim(structures)}")
    st.markdown(
        f"**input:** {card.in_channels} channel, {card.pixel_mm:g} mm per pixel; percentiles {card.window.low:g} and "
        f"{card.window.high:g} of the scan are mapped to 0 and 1"
    )
    st.markdown(f"**sha256:** `{card.sha256}`")
    scores = dice_by_sample(card)
    if not scores.empty:
        st.dataframe(scores, width="stretch", key=f"figures_{card.name}")


def dice_by_sample(card: Card) -> pd.DataFrame:
    """Dice of a card, mean over planes: structures in rows, scans in columns; empty where none was measured."""
    measured = (card.figures or {}).get("dice") or {}
    columns = {
        sample: {
            group: float(np.mean([scores[group] for scores in by_plane.values()]))
            for group in next(iter(by_plane.values()))
        }
        for sample, by_plane in measured.items()
        if by_plane
    }
    return pd.DataFrame(columns).rename_axis("structure").round(3)


def _open(card: Card) -> None:
    """Choose a network on all pages. To be called before widgets are drawn, after which they cannot be set."""
    st.session_state["anatomy"] = card.anatomy
    st.session_state["architecture"] = architecture_title(card.architecture)
    show(variant_title(card.variant))
    st.session_state["open_explore"] = True


def _draw_own() -> None:
    with st.container(border=True):
        st.markdown("**Your own network**")
        st.caption("`scse-viz train` trains one on your data; the README says how to open it here.")
