"""Gates and blocks, one class each, and the table VARIANTS: the paper's, and their relatives from other papers.

A gate is a module, and a block multiplies by what its gates return: a hook that records a gate records what was
applied, and a hook that returns another gate changes the result. Blocks name their gates by what they tell apart:
`channel_gate` (B, C, 1, 1), `spatial_gate` (B, 1, H, W), `full_gate` (B, C, H, W), `attention` (pairs of pixels).
"""

from dataclasses import dataclass

from torch import nn

from scse_viz.blocks.channel_relatives import (
    CovarianceGate,
    EfficientChannelAttention,
    EfficientGate,
    SecondOrderAttention,
)
from scse_viz.blocks.pairs import NonLocal, Pairs, PixelAttention
from scse_viz.blocks.paper import (
    ChannelGate,
    ChannelSE,
    ConcurrentSE,
    ConcurrentSE16,
    ConcurrentSEConcat,
    ConcurrentSEMax,
    ConcurrentSEMul,
    SpatialGate,
    SpatialSE,
)
from scse_viz.blocks.pixel_relatives import (
    BothPoolsGate,
    ConvolutionalAttention,
    ProjectExcite,
    ProjectGate,
    SkipAttention,
    SkipGate,
    WindowGate,
)

__all__ = [
    "GATES",
    "PAPER",
    "RELATIVES",
    "VARIANTS",
    "BlockInfo",
    "BothPoolsGate",
    "ChannelGate",
    "ChannelSE",
    "ConcurrentSE",
    "ConcurrentSE16",
    "ConcurrentSEConcat",
    "ConcurrentSEMax",
    "ConcurrentSEMul",
    "ConvolutionalAttention",
    "CovarianceGate",
    "EfficientChannelAttention",
    "EfficientGate",
    "NonLocal",
    "Pairs",
    "PixelAttention",
    "ProjectExcite",
    "ProjectGate",
    "SecondOrderAttention",
    "SkipAttention",
    "SkipGate",
    "SpatialGate",
    "SpatialSE",
    "WindowGate",
    "variant_gates",
]


@dataclass(frozen=True)
class BlockInfo:
    """A block and its place in a network: the channels it recalibrates, and the down-sampling factor of its maps.

    Pixel (i, j) of a map of scale s lies over the rows i s to (i + 1) s of the input, and the same for columns. Of a
    network that is not ours, `kind` and `form` say what its gates tell apart and come out of, as `sites.Site` does;
    `ran` is false for a block that no pass reaches, `divided` true for one of several products.
    """

    name: str
    channels: int
    scale: int
    kind: str = ""
    form: str = ""
    ran: bool = True
    divided: bool = False

    @property
    def branches(self) -> bool:
        """Whether its gates choose among branches, whose channels are not those of the features that leave it."""
        return self.form == "softmax over branches"

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that `kind` names, as in GATES."""
        names = self.kind.replace("both", "channel and spatial").split(" and ")
        return tuple(gate for name in names for gate in GATES if gate.removesuffix("_gate") == name)


PAPER: dict[str, type[nn.Module]] = {
    "none": nn.Identity,
    "cse": ChannelSE,
    "sse": SpatialSE,
    "scse": ConcurrentSE,
    "scse-max": ConcurrentSEMax,
    "scse-mul": ConcurrentSEMul,
    "scse-concat": ConcurrentSEConcat,
}
RELATIVES: dict[str, type[nn.Module]] = {
    "scse-r16": ConcurrentSE16,
    "eca": EfficientChannelAttention,
    "soca": SecondOrderAttention,
    "cbam": ConvolutionalAttention,
    "pe": ProjectExcite,
    "nonlocal": NonLocal,
    "ag": SkipAttention,
}
VARIANTS: dict[str, type[nn.Module]] = PAPER | RELATIVES
GATES: dict[str, tuple[type[nn.Module], ...]] = {
    "channel_gate": (ChannelGate, EfficientGate),
    "spatial_gate": (SpatialGate, WindowGate, SkipGate),
    "full_gate": (ProjectGate,),
    "attention": (PixelAttention,),
}
"""What a gate tells apart -> the classes of such gates, heirs included."""


def variant_gates(variant: str) -> tuple[str, ...]:
    """The gates of a variant's blocks by the names of their modules, as in GATES."""
    return tuple(name for name, _ in VARIANTS[variant](2).named_children() if name in GATES)
