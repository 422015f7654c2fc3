"""What happens once an epoch, and how far schedules go."""

from __future__ import annotations

import numpy as np
import pytest
from small_gans import networks

from ganmedic import GAN, balance
from ganmedic.settings import for_data
from ganmedic.training import parts
from ganmedic.training.building import _updates
from ganmedic.training.epochs import EachEpoch

pytestmark = pytest.mark.tensorflow


def test_top_k_lowers_its_share_each_epoch_of_fit() -> None:
    gan = GAN(*networks())
    gan.compile(balance=balance.get("top_k", decay=0.9))
    gan.fit(np.zeros((8, 2), np.float32), batch_size=4, epochs=2, verbose=0)
    assert float(gan.parts.top_k.share) == pytest.approx(0.81)


def test_a_run_counts_epochs_by_its_samples() -> None:
    gan = GAN(*networks())
    gan.compile(balance=balance.get("top_k", decay=0.9))
    # 10 samples in batches of 4: the set was gone through once after the third batch, twice after the fifth.
    each = EachEpoch(gan, samples=10, batch_size=4, step=2)
    shares = []
    for batch in range(3):
        each.on_train_batch_end(batch)
        shares.append(float(gan.parts.top_k.share))
    each.on_epoch_end(0)
    assert shares == pytest.approx([0.9, 0.9, 0.81])
    assert float(gan.parts.top_k.share) == pytest.approx(0.81)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (600, 600)),
        ({"training.accumulation": 4}, (150, 150)),
        ({"balance.n_critic": 5}, (100, 500)),
        ({"balance.n_critic": 2, "balance.generator_steps": 1, "training.accumulation": 2}, (100, 200)),
    ],
)
def test_a_cosine_is_as_long_as_the_updates_that_a_player_has(
    values: dict[str, int], expected: tuple[int, int]
) -> None:
    assert _updates(for_data("data", **{"training.steps": 600, **values})) == expected


def test_a_run_has_the_defaults_of_the_model() -> None:
    settings = for_data("data")
    for optimizer in (settings.optimizers.generator, settings.optimizers.discriminator):
        assert (optimizer.name, optimizer.learning_rate) == ("adam", parts.LEARNING_RATE)
        assert (optimizer.arguments["beta_1"], optimizer.arguments["beta_2"]) == (parts.BETA_1, parts.BETA_2)
    assert (settings.ema.half_life, settings.ema.ramp) == (parts.HALF_LIFE, parts.RAMP)
    assert settings.loss.name == "relativistic"
