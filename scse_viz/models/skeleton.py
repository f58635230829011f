"""The skeleton of all our networks: an encoder-decoder with a block after every stage."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.blocks import VARIANTS, BlockInfo, SkipAttention

DEPTH = 4
BLOCK_NAMES = (
    *(f"encoder{number}" for number in range(1, DEPTH + 1)),
    "bottleneck",
    *(f"decoder{number}" for number in range(DEPTH, 0, -1)),
)


def block_infos(widths: Sequence[int]) -> tuple[BlockInfo, ...]:
    """The blocks of an encoder-decoder in the order of a pass; widths: channels of encoder1 to 4 and the bottleneck."""
    if len(widths) != DEPTH + 1:
        raise ValueError(f"{len(widths)} widths; give {DEPTH + 1}: encoder1 to encoder{DEPTH} and the bottleneck")
    levels = (*range(DEPTH + 1), *reversed(range(DEPTH)))
    return tuple(BlockInfo(name, widths[level], 2**level) for name, level in zip(BLOCK_NAMES, levels, strict=True))


class EncoderDecoder(nn.Module):
    """Four encoder stages, a bottleneck, four decoder stages and a classifier, a block after each stage.

    x (B, in_channels, H, W) -> logits (B, classes, H, W) for any H and W of at least 1: the input is padded at the
    bottom and right by replication to a multiple of 16, so pixel (i, j) of a map of scale s lies over the input rows
    i s to (i + 1) s. Figure 2 of Roy et al., IEEE TMI 2019.

    `widths` are the channels after encoder1 to encoder4 and the bottleneck; decoder4 to decoder1 have those of the
    encoder stage across. `block_table` lists the blocks in order, with their channels and scale. A variant that gates
    skips has its blocks at the encoder stages, between a stage's output and the decoder stage across. Subclasses give
    the stages: `encoder_stage`, `bottleneck_stage`, `decoder_stage`.
    Raises ValueError for an unknown variant or a number of widths other than five.
    """

    def __init__(
        self, variant: str, *, classes: int, widths: Sequence[int], in_channels: int = 1, reduction: int = 2
    ) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(f"variant {variant!r} is unknown; choose one of {', '.join(VARIANTS)}")
        self.block_table = block_infos(widths)
        inputs = [in_channels, *widths]
        self.encoder = nn.ModuleDict(
            {str(n): self.encoder_stage(inputs[n - 1], widths[n - 1]) for n in range(1, DEPTH + 1)}
        )
        self.bottleneck = self.bottleneck_stage(widths[DEPTH - 1], widths[DEPTH])
        below = [*widths[1:DEPTH], widths[DEPTH]]
        self.decoder = nn.ModuleDict(
            {str(n): self.decoder_stage(below[n - 1], widths[n - 1], widths[n - 1]) for n in range(DEPTH, 0, -1)}
        )
        self.classifier = nn.Conv2d(widths[0], classes, kernel_size=1)
        # Blocks last: with one seed, every layer that variants share starts from the same weights.
        self.gates_skips = VARIANTS[variant] is SkipAttention
        if self.gates_skips:
            skips = {f"encoder{n}": SkipAttention(widths[n - 1], reduction, below[n - 1]) for n in range(1, DEPTH + 1)}
            self.blocks = nn.ModuleDict({name: skips.get(name, nn.Identity()) for name in BLOCK_NAMES})
        else:
            self.blocks = nn.ModuleDict(
                {block.name: VARIANTS[variant](block.channels, reduction) for block in self.block_table}
            )

    def encoder_stage(self, channels: int, width: int) -> nn.Module:
        """x (B, channels, h, w) -> (B, width, h, w)."""
        raise NotImplementedError

    def bottleneck_stage(self, channels: int, width: int) -> nn.Module:
        """x (B, channels, h, w) -> (B, width, h, w); an encoder stage unless the architecture has another."""
        return self.encoder_stage(channels, width)

    def decoder_stage(self, below: int, skip: int, width: int) -> nn.Module:
        """x (B, below, h / 2, w / 2), skip (B, skip, h, w), where (B, skip, h / 2, w / 2) -> (B, width, h, w).

        `where` are the positions of the maxima that the pooling at this level kept.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        multiple = 2**DEPTH
        if height % multiple or width % multiple:
            x = F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        skips = []
        for number, stage in self.encoder.items():
            x = stage(x) if self.gates_skips else self.blocks[f"encoder{number}"](stage(x))
            pooled, where = F.max_pool2d(x, 2, return_indices=True)  # torch computes the indices anyway
            skips.append((x, where))
            x = pooled
        x = self.blocks["bottleneck"](self.bottleneck(x))
        for number, stage in self.decoder.items():
            skip, where = skips.pop()
            if self.gates_skips:
                skip = self.blocks[f"encoder{number}"](skip, x)
            x = self.blocks[f"decoder{number}"](stage(x, skip, where))
        return self.classifier(x)[..., :height, :width]
