"""For all tests: one thread each for torch, since tiny networks on many threads spend their time waiting."""

import torch

torch.set_num_threads(1)
