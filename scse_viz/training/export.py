"""A checkpoint becomes what the app opens: weights, card and growth file. `python -m scse_viz.training.export`."""

import argparse
import sys
from pathlib import Path

import torch

from scse_viz.anatomy import BRAIN
from scse_viz.training.brain import BATCH, SIZES, WIDTHS, reference_slices
from scse_viz.training.growth import Growth
from scse_viz.zoo import PRETRAINED, Card, save

TRAINING_DATA = "images synthesised from 16 whole-head label maps (training_seg_01 to 16) of the SynthSeg repository"
METHOD = "Billot et al., SynthSeg, Medical Image Analysis 2023"
LICENCE = "Apache-2.0"


def export(checkpoint: Path, reference: Path, folder: Path = PRETRAINED, dtype: str = "float32") -> list[Card]:
    """Write weights, card and growth file of every network in a checkpoint of `scse_viz.training.brain`."""
    state = torch.load(checkpoint, weights_only=True)
    references = reference_slices(reference)
    cards = []
    for name, weights in state["models"].items():
        anatomy, architecture, variant = name.split("-", 2)
        card = Card(
            name=name,
            anatomy=anatomy,
            architecture=architecture,
            variant=variant,
            widths=WIDTHS,
            structures=BRAIN,
            planes=("sagittal", "coronal", "axial"),
            parameters=0,
            sha256="",
            dtype=dtype,
            training={
                "data": TRAINING_DATA,
                "method": METHOD,
                "licence": LICENCE,
                "seed": state["plan"]["seed"],
                "steps": state["step"],
                "crops": state["step"] * BATCH,
                "crop_sizes_mm": list(SIZES),
            },
        )
        model = card.network()
        model.load_state_dict(weights)
        cards.append(save(model, card, folder))
        Growth(**state["growth"][name]).save(
            folder / f"{name}.growth.npz", references, [structure.name for structure in BRAIN]
        )
    return cards


def main(argv: list[str] | None = None) -> int:
    """Export every checkpoint named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--reference", type=Path, required=True, help="the scan of the growth files' reference slices")
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    options = parser.parse_args(argv)
    for checkpoint in options.checkpoints:
        for card in export(checkpoint, options.reference, options.out, options.dtype):
            print(f"{card.name}: {card.parameters:,} parameters, {card.training and card.training['steps']} steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
