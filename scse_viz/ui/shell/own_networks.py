"""A user's own networks: dropped on the sidebar, for that session alone, or named on the command line of the app."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from scse_viz.system.devices import on_device
from scse_viz.ui.shell import cached, uploads
from scse_viz.ui.shell.network_form import draw_form
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo import Card
from scse_viz.zoo.foreign import (
    Answers,
    Draft,
    OpenedNetwork,
    Request,
    completed,
    draft_of,
    open_network,
    opened,
    read_checkpoint,
)
from scse_viz.zoo.foreign.answers import requests
from scse_viz.zoo.foreign.drafts import SAY_WHICH
from scse_viz.zoo.titles import architecture_title, variant_title

TYPES = ["zip", "safetensors", "pt", "pth", "ckpt"]
_SEEN = "own_networks_seen"


def choose_own(known: Collection[str]) -> dict[str, Card]:
    """Draw the uploader and a form for each file; the cards of the session's own networks by name.

    known: names of the networks that are listed already. A network that was opened just now becomes the one shown.
    """
    own: dict[str, OpenedNetwork] = {}
    for request, network in zip(requests(), _requested(), strict=True):
        _add(own, network, known)
        _request(network.card, request)
    with st.expander("Open a network", expanded=bool(st.session_state.get("network_files"))):
        files = st.file_uploader(
            "Checkpoints",
            TYPES,
            accept_multiple_files=True,
            key="network_files",
            help="The folder of save_pretrained of segmentation_models_pytorch as a .zip, or its weights alone: "
            ".safetensors, .pt, .pth or .ckpt, also of Lightning; or a .zip of a network that `scse-viz train` wrote. "
            "No code in a file runs. Only you can see the network; after the page is closed nobody can reach it, and "
            "newer files take its place. For any other network, start the app as `scse-viz app --network "
            "my_code.py:make_network`.",
        )
        uploads.tell_if_lost("network_files")
        for file in files or ():
            uploaded = _uploaded(file)
            if uploaded is not None:
                _add(own, uploaded, known)
    st.session_state[cached.OWN] = {network.card.sha256: network.model for network in own.values()}
    _show_new(own)
    return {name: network.card for name, network in own.items()}


def forget() -> None:
    """Release the networks of a run of the script: the store decides how long it keeps them."""
    st.session_state.pop(cached.OWN, None)


@st.cache_resource(show_spinner="Opening the network of the command line")
def _requested() -> tuple[OpenedNetwork, ...]:
    """The networks that `scse-viz app` was given, which it opened before: shared by all sessions of its user."""
    return tuple(_on_device(opened(request)) for request in requests())


def _add(own: dict[str, OpenedNetwork], network: OpenedNetwork, known: Collection[str]) -> None:
    """Add a network under a name of its own."""
    name, number = network.card.name, 2
    while name in known or name in own:
        name, number = f"{network.card.name} ({number})", number + 1
    own[name] = replace(network, card=replace(network.card, name=name, **_place(network.card, name)))


def _place(card: Card, name: str) -> dict[str, Any]:
    """The fields by which a network is chosen: its own name as its architecture, and the blocks it has."""
    return {"architecture": name, "blocks": card.block_table}


def _show_new(own: Mapping[str, OpenedNetwork]) -> None:
    """Select a newly opened network on all pages, before their widgets are drawn."""
    seen = st.session_state.get(_SEEN, frozenset())
    new = [network.card for network in own.values() if network.card.name not in seen]
    st.session_state[_SEEN] = frozenset(own)
    if not new:
        return
    title = architecture_title(new[-1].architecture)
    st.session_state["architecture"] = title
    st.session_state["variant"] = variant_title(new[-1].variant)
    chosen = st.session_state.get("compare_architectures")
    st.session_state["compare_architectures"] = [*(chosen or []), title] if title not in (chosen or []) else chosen
    if held := st.session_state.get("variants"):
        st.session_state["variants"] = list(dict.fromkeys([*held, variant_title(new[-1].variant)]))


def _uploaded(file: UploadedFile) -> OpenedNetwork | None:
    """The network of a file, with its form, or a sentence on why it cannot be opened."""
    number = file.file_id
    encoder = st.session_state.get(f"network_encoder_{number}") or None
    told, first = uploads.opened(
        f"network_draft_{number}", (number, "draft", encoder), lambda data: _told(data, file.name, encoder), file
    )
    if isinstance(first, OpenedNetwork):  # one of ours, whose card says everything
        _describe(first)
        _request(first.card, Request(file.name))
        return first
    if first is None:
        st.error(verbatim(told.error or ""))
        if encoder is not None or SAY_WHICH in (told.error or ""):
            st.text_input(
                "Its encoder",
                key=f"network_encoder_{number}",
                placeholder="resnet34, or tu-NAME for one of timm",
                help="The name with which the network was built.",
            )
        return None
    answers = st.session_state.get(f"network_answers_{number}", Answers())
    result, network = uploads.opened(
        f"network_opened_{number}",
        (number, "network", encoder, answers),
        lambda data: _made(data, file.name, first, answers),
        file,
    )
    if network is None:
        st.error(verbatim(result.error or ""))
    else:
        _describe(network)
        _request(network.card, Request(file.name, encoder=encoder, answers=answers))
    with st.popover("Input and classes", width="stretch"):
        draw_form(first, number)
    return network


def _request(card: Card, request: Request) -> None:
    """Keep what opens a network again, for the Python that pages export."""
    st.session_state.setdefault(cached.REQUESTED, {})[card.sha256] = repr(request)


def _told(data: bytes, name: str, encoder: str | None) -> Draft | OpenedNetwork:
    checkpoint = read_checkpoint(data, name=name)
    if checkpoint.card is not None:
        return _on_device(open_network(checkpoint))
    return draft_of(checkpoint, encoder=encoder)


def _made(data: bytes, name: str, draft: Draft, answers: Answers) -> OpenedNetwork:
    return _on_device(open_network(read_checkpoint(data, name=name), completed(draft, answers)))


def _on_device(network: OpenedNetwork) -> OpenedNetwork:
    return replace(network, model=on_device(network.model, cached.device))


def _describe(network: OpenedNetwork) -> None:
    card = network.card
    never = sum(not block.ran for block in card.block_table)
    st.markdown(f"**{verbatim(card.name)}**")
    st.caption(
        f"{card.parameters:,} parameters, {len(card.block_table) - never} blocks, {len(card.structures)} classes. "
        + verbatim(" ".join((*card.preprocessing.sentences, *network.notes)))
    )
