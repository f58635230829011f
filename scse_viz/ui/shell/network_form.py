"""The form of a network of another library: what its file does not reveal, filled in with what is likely."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from scse_viz.zoo.foreign import Answers, Draft
from scse_viz.zoo.preprocessing import HEADS, SCALINGS, channel_names

HEAD_WORDS = {"softmax": "one class a pixel (softmax)", "sigmoid": "yes or no for each (sigmoid)"}
SCALING_WORDS = {
    "window": "percentiles to 0 and 1",
    "z-score": "mean 0, deviation 1",
    "8-bit": "divided by 255",
    "none": "as they are",
}
OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "decoder_interpolation": ("nearest", "bilinear", "bicubic"),
    "encoder_output_stride": (8, 16, 32),
}
LABELS = {"decoder_interpolation": "Decoder enlarges by", "encoder_output_stride": "Output stride of the encoder"}
RATES = "decoder_atrous_rates"
DEFAULT = "the library's default"


def draw_form(draft: Draft, number: str) -> None:
    """Draw the form; what is applied is kept in the session as `network_answers_NUMBER`."""
    with st.form(f"network_form_{number}", border=False):
        answers = Answers(
            head=_head(draft, number),
            classes=st.text_area(
                "Classes and colours",
                key=f"network_classes_{number}",
                height=68,
                placeholder="background, liver #d55e00, spleen",
                help="Typed in the order of the outputs, or JSON: names by number, a list of names, the labels of a "
                "dataset.json, or a list of number, name and colour.",
            ),
            channels=_channels(draft, number),
            **_intensities(draft, number),
            **_size(number),
            arguments=_arguments(draft, number),
        )
        if st.form_submit_button("Apply", width="stretch"):
            st.session_state[f"network_answers_{number}"] = answers
            st.rerun()


def _head(draft: Draft, number: str) -> str | None:
    if draft.outputs == 1:
        return None
    return st.selectbox(
        f"Its {draft.outputs} outputs",
        HEADS,
        index=HEADS.index(draft.head),
        format_func=lambda head: HEAD_WORDS[head],
        key=f"network_head_{number}",
        help="Softmax: the outputs are classes that exclude one another, background first. Sigmoid: each output is a "
        "structure of its own, and pixels of none are background.",
    )


def _channels(draft: Draft, number: str) -> tuple[str, ...] | None:
    preprocessing = draft.preprocessing
    if preprocessing.in_channels == 1:
        return None
    typed = st.text_input(
        f"Its {preprocessing.in_channels} channels",
        value=", ".join(preprocessing.channels),
        key=f"network_channels_{number}",
        placeholder="one scan fills all",
        help="Names, as T1, T2, FLAIR, where each channel is a scan of its own: open a 4-D file of them, or as many "
        "scans on one grid, in this order. Without names one slice is repeated in all channels.",
    )
    return channel_names(typed)


def _intensities(draft: Draft, number: str) -> dict[str, Any]:
    preprocessing = draft.preprocessing
    scaling = st.selectbox(
        "Intensities",
        SCALINGS,
        index=SCALINGS.index(preprocessing.scaling),
        format_func=lambda scaling: SCALING_WORDS[scaling],
        key=f"network_scaling_{number}",
        help="As they were when the network was trained. Percentiles 0.5 and 99.5 are those of the whole scan.",
    )
    statistics = st.checkbox(
        "then the encoder's mean and deviation",
        value=bool(preprocessing.mean),
        key=f"network_statistics_{number}",
        help="What get_preprocessing_fn of segmentation_models_pytorch does: subtract the mean of the images that the "
        "encoder was pretrained on, and divide by their standard deviation.",
    )
    return {"scaling": scaling, "statistics": statistics}


def _size(number: str) -> dict[str, Any]:
    pixel_mm = st.number_input(
        "Pixel size, mm",
        min_value=0.01,
        max_value=100.0,
        value=None,
        placeholder="as they are",
        key=f"network_pixel_{number}",
        help="Slices are resampled to the pixel size that the network was trained on.",
    )
    size = st.number_input(
        "Fixed input, pixels a side",
        min_value=16,
        max_value=1024,
        value=None,
        placeholder="any",
        key=f"network_size_{number}",
        help="For a network that accepts images of one size only, or was trained on crops of that size.",
    )
    tiles = st.checkbox(
        "in overlapping tiles",
        key=f"network_tiles_{number}",
        help="Cut slices into tiles of the fixed size and blend the results; else slices are resized to it.",
    )
    return {"pixel_mm": pixel_mm, "size": None if size is None else int(size), "tiles": tiles}


def _arguments(draft: Draft, number: str) -> tuple[tuple[str, Any], ...]:
    """Arguments of the class that leave no trace in its weights, without those left at their default."""
    given: list[tuple[str, Any]] = []
    for name in (name for name in OPTIONS if name in draft.questions):
        chosen = st.selectbox(
            LABELS[name],
            (DEFAULT, *OPTIONS[name]),
            key=f"network_{name}_{number}",
            help=f"{draft.questions[name].capitalize()}: the weights do not reveal it.",
        )
        given += [] if chosen == DEFAULT else [(name, chosen)]
    if RATES in draft.questions:
        typed = st.text_input("Atrous rates", key=f"network_{RATES}_{number}", placeholder="12, 24, 36")
        rates = tuple(int(part) for part in typed.replace(",", " ").split() if part.isdecimal())
        given += [(RATES, rates)] if rates else []
    return tuple(given)
