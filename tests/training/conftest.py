import numpy as np
import pytest

from yolopv2.data.augment import AugmentConfig
from yolopv2.data.packed import PackedSample
from yolopv2.training.config import TrainConfig, make_config
from yolopv2.training.loader import Source

HEIGHT, WIDTH = 64, 96


def draw_squares(count: int, seed: int = 0) -> list[PackedSample]:
    """Frames with a red square, a blue road below and a yellow marking."""
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        image = rng.integers(0, 60, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        maps = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        maps[..., 1] = maps[..., 3] = 255
        x, y = (int(rng.integers(0, high)) for high in (60, 30))
        image[y : y + 30, x : x + 30] = (255, 80, 80)
        image[48:, :] = (90, 90, 120)
        image[:, 46:50] = (255, 255, 0)
        maps[48:, :, 0] = 255
        maps[:, 46:50, 2] = 255
        samples.append(PackedSample(image, maps, np.array([[0, x, y, x + 30, y + 30]], np.float32)))
    return samples


@pytest.fixture
def squares() -> list[Source]:
    return [Source(draw_squares(8), 1.0)]


@pytest.fixture
def quick() -> TrainConfig:
    """A run of a few steps on the squares, exact in float32."""
    return make_config(
        {
            "epochs": 3,
            "batch_size": 4,
            "nominal_batch": 4,
            "height": HEIGHT,
            "width": WIDTH,
            "precision": "float32",
            "device": "cpu",
            "workers": 0,
            "learning_rate": 3e-3,
            "close_mosaic": 1,
            "augment": {**vars(AugmentConfig.off()), "flip": 0.5, "mosaic": 0.3},
        }
    )
