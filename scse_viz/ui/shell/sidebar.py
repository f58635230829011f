"""The sidebar: what all pages show. Its first part, `begin`, is the same on every page; pages add their networks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from scse_viz.scans import Scan, ScanSlice, slice_grid
from scse_viz.scans.samples import groups_by_name, known_labels
from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell import address, cached, own_networks, tab
from scse_viz.ui.shell.source import Source, choose_source
from scse_viz.ui.shell.variants import choose_one
from scse_viz.ui.shell.words import CONVENTIONS, convention, verbatim
from scse_viz.zoo import Card
from scse_viz.zoo.structures import Structure
from scse_viz.zoo.titles import architecture_title, variant_title

FIRST_VARIANT = "scSE"
FIRST_SCALE = 2
"""Scale of the block shown first: fine enough to show structures, and deep enough to show more than edges."""
NO_NETWORKS = "There are no networks: the folder pretrained is empty. Download it again."
_VIEW = "view"


@dataclass(frozen=True, eq=False)
class View:
    """What every page shows: a slice of a scan, and the networks of one anatomy by name."""

    source: Source
    plane: str
    index: int
    networks: Mapping[str, Card]
    radiological: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the slice is drawn mirrored, its right on the left; a sagittal slice has no left or right."""
        return self.radiological and self.scan.oriented and self.plane != "sagittal"

    @property
    def convention(self) -> str:
        """Which side is drawn left, in words; empty for an image without orientation."""
        if not self.scan.oriented:
            return ""
        return "sagittal: alike in both conventions" if self.plane == "sagittal" else convention(self.radiological)

    def drawn(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (H, W) of the slice as they are drawn: mirrored, or as they are."""
        return pixels[:, ::-1] if self.mirrored else pixels

    @property
    def slice(self) -> ScanSlice:
        """The slice that is shown."""
        return ScanSlice(self.source.scan, self.plane, self.index)

    @property
    def scan(self) -> Scan:
        """The scan that is shown."""
        return self.source.scan

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The structures that the networks of this anatomy segment, background first."""
        return next(iter(self.networks.values())).structures

    def of(self, card: Card) -> "View":
        """The same view with reference labels in the classes of a network, matched by name; none where it has none."""
        if card.structures == self.structures or self.source.labels is None:
            return self
        groups = groups_by_name(self.source.groups, self.structures, card.structures)
        labels = self.source.labels if groups else None
        return replace(self, source=replace(self.source, labels=labels, groups=groups))

    @property
    def reference_labels(self) -> np.ndarray | None:
        """The reference labels of the slice (H, W), numbers of the source's groups or 0; None where there are none."""
        return self.reference_labels_at(self.index)

    def reference_labels_at(self, index: int) -> np.ndarray | None:
        """`reference_labels` of another slice of the plane."""
        if self.source.labels is None:
            return None
        return known_labels(self.scan.slice(self.plane, index).cut(self.source.labels), self.source.groups)

    @property
    def position(self) -> str:
        """The plane and number of the slice in words; empty where it is the only one."""
        count = slice_grid(self.scan, self.plane).count
        return f"{self.plane} slice {self.index} (0 to {count - 1})" if count > 1 else ""


def begin() -> None:
    """Draw the part of the sidebar that all pages share, and keep its choices for `view`.

    It belongs to the script and not to a page, so that an uploaded file stays open when the page changes.
    """
    tab.begin()
    keys.begin()
    address.begin()
    st.session_state[_VIEW] = None
    known = cached.cards()
    if not known:
        st.session_state[_VIEW] = NO_NETWORKS
        return
    with st.sidebar:
        networks = _choose_anatomy(known)
        first = next(iter(networks.values()))
        networks |= own_networks.choose_own(known)
        channels = {len(card.channels) for card in networks.values() if card.channels}
        source = choose_source(first.structures, first.anatomy, channels=channels)
        if source is not None:
            plane, index = _choose_slice(source.scan, first)
            st.session_state[_VIEW] = View(source, plane, index, networks, radiological=_choose_convention(source.scan))


def end() -> None:
    """Release what this run of the script showed: the store decides how long it keeps scans that wait for a click."""
    st.session_state.pop(_VIEW, None)
    own_networks.forget()


def view() -> View:
    """What was chosen in the sidebar; where there is nothing to show, the page stops here and says why."""
    chosen = st.session_state.get(_VIEW)
    if isinstance(chosen, View):
        for note in chosen.scan.notes:
            st.caption(verbatim(f"{chosen.scan.name}: {note}"))
        return chosen
    if chosen is not None:
        st.error(verbatim(chosen))
    else:
        st.info("Choose a scan in the sidebar: upload your own, or use a sample.")
    st.stop()


def choose_network(view: View) -> Card:
    """One network of the anatomy: its architecture and variant, in the sidebar (keys "architecture", "variant")."""
    with st.sidebar:
        family = choose_architecture(view)
        variants = {variant_title(card.variant): card for card in family.values()}
        chosen = choose_one(list(variants), FIRST_VARIANT)
    return variants[chosen]


def choose_architecture(view: View) -> dict[str, Card]:
    """The networks of one architecture by name, chosen where this is called (key "architecture")."""
    titles = list(dict.fromkeys(architecture_title(card.architecture) for card in view.networks.values()))
    title = st.selectbox(
        "Architecture",
        titles,
        key="architecture",
        bind="query-params",
        help="The encoder-decoder that the blocks are part of.",
    )
    return {name: card for name, card in view.networks.items() if architecture_title(card.architecture) == title}


def choose_block(card: Card) -> str:
    """One block of a network, in the sidebar (key "block")."""
    blocks = [block.name for block in card.block_table]
    if st.session_state.get("block", blocks[0]) not in blocks:
        del st.session_state["block"]  # one of another network
    return str(
        st.sidebar.selectbox(
            "Block",
            blocks,
            index=[block.name for block in card.block_table].index(first_block(card)),
            key="block",
            bind="query-params",
            help="A block of the network, in the order of a pass: from the first encoder stage through the bottleneck "
            "to the last decoder stage.",
        )
    )


def first_block(card: Card) -> str:
    """Of the blocks that run and, if there are any, have a map, the first at FIRST_SCALE, or the second."""
    running = [number for number, block in enumerate(card.block_table) if block.ran]
    mapped = [number for number in running if {"spatial_gate", "full_gate"} & {*card.block_table[number].gates}]
    offered = mapped or running or [0]
    fine = [number for number in offered if card.block_table[number].scale == FIRST_SCALE]
    return card.block_table[(fine or offered[1:] or offered)[0]].name


def _choose_anatomy(known: Mapping[str, Card]) -> dict[str, Card]:
    anatomies = list(dict.fromkeys(card.anatomy for card in known.values()))
    anatomy = st.selectbox(
        "Anatomy",
        anatomies,
        key="anatomy",
        bind="query-params",
        help="What the networks were trained to segment. Networks and sample scans are those of this anatomy. malc: "
        "the structures of the brain, in heads without skull, as in the data of the paper.",
    )
    return {name: card for name, card in known.items() if card.anatomy == anatomy}


def _choose_slice(scan: Scan, card: Card) -> tuple[str, int]:
    plane = _choose_plane(scan, card)
    count = slice_grid(scan, plane).count
    if st.session_state.setdefault("sliced", scan.digest) != scan.digest:
        for key in scan.planes:
            st.session_state.pop(key, None)
        st.session_state["sliced"] = scan.digest
    if count == 1:
        return plane, 0
    index = st.slider(
        "Slice",
        0,
        count - 1,
        cached.first_slice(scan, plane),
        key=plane,
        bind="query-params",
        help="Voxel index along the plane's normal, from left, posterior or inferior. The left and right arrow keys go "
        "to the previous and next slice.",
    )
    steps = {"ArrowLeft": partial(_step, plane, -1, count), "ArrowRight": partial(_step, plane, 1, count)}
    keys.listen(steps, key="slice_keys")
    return plane, index


def _choose_plane(scan: Scan, card: Card) -> str:
    """At first, and after a change of anatomy, a plane that networks such as this one were trained on."""
    planes = sorted(scan.planes)
    trained = [plane for plane in planes if plane in card.planes]
    if st.session_state.setdefault("planes_of", card.anatomy) != card.anatomy:
        if trained and st.session_state.get("plane") not in trained:
            st.session_state["plane"] = trained[0]
        st.session_state["planes_of"] = card.anatomy
    plane = st.segmented_control(
        "Plane",
        planes,
        default=(trained or planes)[0],
        required=True,
        key="plane",
        bind="query-params",
        help="The plane of the slices.",
    )
    if trained and plane not in trained:
        st.caption(f"The {card.anatomy} networks were trained on {' and '.join(trained)} slices alone.")
    return plane


def _choose_convention(scan: Scan) -> bool:
    """Whether the right of the head is drawn left (key "convention")."""
    chosen = st.segmented_control(
        "Left and right",
        CONVENTIONS,
        default=CONVENTIONS[0],
        required=True,
        key="convention",
        bind="query-params",
        disabled=not scan.oriented,
        help="Neurological: left is drawn left, as seen from behind or above. Radiological: right is drawn left, as "
        "seen from the front or the feet. Axial and coronal pictures are mirrored; sagittal ones have no left or "
        "right. Exported NIfTI files never change.",
    )
    if not scan.oriented:
        st.caption("The file does not say which side is left, so nothing is mirrored.")
    return chosen == "radiological"


def _step(plane: str, by: int, count: int) -> None:
    st.session_state[plane] = min(max(st.session_state[plane] + by, 0), count - 1)
