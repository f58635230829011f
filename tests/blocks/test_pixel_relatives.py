"""CBAM, PE and attention gates, worked by hand and against their formulas written out."""

import torch
import torch.nn.functional as F
from torch import nn

from scse_viz.blocks.pixel_relatives import ProjectGate, SkipGate, WindowGate
from tests.tiny_blocks import block, features


def test_both_pools_of_cbam_share_one_excitation():
    module, u = block("cbam"), features((2, 8, 5, 6)).detach()
    gate = module.channel_gate
    hidden = [torch.relu(gate.squeeze(z)) for z in (u.mean(dim=(2, 3)), u.flatten(2).max(dim=2).values)]
    expected = torch.sigmoid(gate.excite(hidden[0]) + gate.excite(hidden[1]))
    torch.testing.assert_close(gate(u)[:, :, 0, 0], expected)


def test_the_window_of_cbam_worked_by_hand():
    gate = WindowGate()
    nn.init.zeros_(gate.excite.weight)
    nn.init.constant_(gate.excite.bias, 0.25)
    with torch.no_grad():
        gate.excite.weight[0, 0, 3, 3] = 1.0  # the maximum at the pixel
        gate.excite.weight[0, 1, 3, 6] = 2.0  # the mean three pixels to the right
    u = torch.zeros(1, 2, 1, 5)
    u[0, :, 0, 0] = torch.tensor([-1.0, 3.0])
    u[0, :, 0, 3] = torch.tensor([5.0, 1.0])
    scores = torch.tensor([3.0 + 2 * 3.0, 0.0, 0.0, 5.0, 0.0]) + 0.25
    torch.testing.assert_close(gate(u).flatten(), scores.sigmoid())


def test_the_spatial_gate_of_cbam_sees_what_its_channel_gate_has_left():
    module, u = block("cbam"), features((2, 8, 9, 9)).detach()
    after = u * module.channel_gate(u)
    torch.testing.assert_close(module(u), after * module.spatial_gate(after))
    assert not torch.allclose(module(u), after * module.spatial_gate(u))


def test_the_projections_of_pe_worked_by_hand():
    gate = ProjectGate(1, 1)
    for layer, weight, bias in ((gate.squeeze, 1.0, -2.0), (gate.excite, 3.0, 0.5)):
        nn.init.constant_(layer.weight, weight)
        nn.init.constant_(layer.bias, bias)
    u = torch.tensor([[1.0, 3.0], [0.0, 2.0]]).view(1, 1, 2, 2)
    z = torch.tensor([[2 + 0.5, 2 + 2.5], [1 + 0.5, 1 + 2.5]])  # means of rows 2 and 1, of columns 0.5 and 2.5
    expected = torch.sigmoid(3 * torch.relu(z - 2) + 0.5)
    torch.testing.assert_close(gate(u)[0, 0], expected)


def test_pe_multiplies_every_pixel_of_every_channel_by_its_own_gate():
    module, u = block("pe"), features((2, 8, 5, 6)).detach()
    gate = module.full_gate(u)
    assert gate.shape == u.shape
    torch.testing.assert_close(module(u), u * gate)


def test_an_attention_gate_worked_by_hand():
    gate = SkipGate(1, 1, below=1)
    for layer, weight in ((gate.squeeze, 0.25), (gate.squeeze_below, 2.0), (gate.excite, 1.5)):
        nn.init.constant_(layer.weight, weight)
    nn.init.constant_(gate.squeeze_below.bias, -1.0)
    nn.init.constant_(gate.excite.bias, 0.5)
    u = torch.tensor([[4.0, 0.0], [0.0, 4.0]]).view(1, 1, 2, 2)  # the 2 x 2 mean is 2
    for below, score in ((3.0, 1.5 * (2 + 6 - 1) + 0.5), (-3.0, 0.5)):
        expected = torch.tensor(score).sigmoid().expand(1, 1, 2, 2)
        torch.testing.assert_close(gate(u, torch.full((1, 1, 1, 1), below)), expected)


def test_an_attention_gate_is_enlarged_bilinearly_as_in_the_authors_code():
    module = block("ag")
    u, below = features((2, 8, 8, 6)).detach(), features((2, 8, 4, 3)).detach()
    gate = module.spatial_gate
    small = torch.sigmoid(gate.excite(torch.relu(gate.squeeze(u) + gate.squeeze_below(below))))
    expected = F.interpolate(small, size=(8, 6), mode="bilinear")
    torch.testing.assert_close(module(u, below), u * expected)


def test_scse_with_16_has_one_hidden_unit_a_sixteenth_channel_and_at_least_one():
    assert block("scse-r16", 64).channel_gate.squeeze.out_features == 4
    assert block("scse-r16", 64, reduction=2).channel_gate.squeeze.out_features == 4
    assert block("scse-r16", 8).channel_gate.squeeze.out_features == 1
