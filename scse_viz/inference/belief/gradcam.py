"""Seg-Grad-CAM by captum, which is optional: what a method that looks at gradients says of the same block.

The class score is the sum of a class's logits over the pixels of its structure. Vinogradova, Dibrov, Myers, "Towards
Interpretable Semantic Segmentation via Gradient-weighted Class Activation Mapping", AAAI 2020; Selvaraju et al. 2017.
"""

from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor, nn

from scse_viz.attention import find_sites
from scse_viz.inference.belief.case import SliceCase, enlarged, logits_of
from scse_viz.recording.twins import evaluated_twin

CAM_NEEDS = "Seg-Grad-CAM needs captum: pip install '.[explain]', or pip install captum"


def can_explain() -> bool:
    """Whether captum is installed."""
    return find_spec("captum") is not None


def grad_cam(case: SliceCase, model: nn.Module, block: str) -> np.ndarray:
    """The Seg-Grad-CAM of a structure at the output of a block, on the input's grid (h, w), at least 0.

    Raises KeyError for a block that the network lacks, ImportError without captum.
    """
    from captum.attr import LayerGradCam  # takes a second to import

    runner = evaluated_twin(model)  # its hooks stay off the network itself
    layer = runner.get_submodule(find_sites(model, case.x)[block].block)
    inside = torch.from_numpy(case.structure)

    def score(x: Tensor) -> Tensor:
        return logits_of(runner, x, sigmoid=case.sigmoid)[:, case.number][:, inside].sum(dim=1)

    with torch.enable_grad():
        attribution = LayerGradCam(score, layer).attribute(case.x.clone().requires_grad_(), relu_attributions=True)
    return enlarged(attribution[0, 0].detach().numpy(), case.size)
