import torch
from torch import nn

from yolopv2.training.ema import EMA


def test_follows_and_settles() -> None:
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    ema = EMA(network, decay=0.9, warmup=1)
    nn.init.constant_(network[0].weight, 5.0)
    network[1].num_batches_tracked += 3
    for _ in range(200):
        ema.update(network)
    torch.testing.assert_close(ema.network[0].weight, network[0].weight)  # type: ignore[index]
    assert ema.network[1].num_batches_tracked == 3  # type: ignore[index]


def test_early_steps_forget_the_start_sooner() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    ema = EMA(network, decay=0.999, warmup=1000)
    nn.init.ones_(network.weight)
    ema.update(network)
    assert ema.network.weight.item() > 0.99  # type: ignore[union-attr, operator]
    assert not any(p.requires_grad for p in ema.network.parameters())
