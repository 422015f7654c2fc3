"""The generator learns from its best samples only."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction


class TopK(Correction):
    """Weights that let only the k generated samples of a batch with the highest scores count for the generator.

    k falls from the whole batch by `decay` an epoch, not below `least` of it:

        weight = top_k(fake_scores)
        g_loss = loss.generator(real_scores, fake_scores, sample_weight=weight)

    The worst samples drive the generator away from the data; they have no say once the discriminator knows what is good. Call
    `next_epoch()` after each epoch. On several replicas each keeps the best of its own part.

    Args:
        decay: of the share an epoch, above 0 to 1; 0.99 in the paper.
        least: the smallest share of the batch, above 0 to 1; 0.5 in the paper.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> top_k = TopK(decay=0.5, least=0.25)
        >>> top_k.next_epoch()
        >>> top_k(tf.constant([[0.1], [3.0], [2.0], [-1.0]])).numpy().tolist()
        [0.0, 1.0, 1.0, 0.0]

    References:
        Sinha et al. 2020, *Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples*, arXiv 2002.06224,
        section 4.
    """

    def __init__(self, decay: float = 0.99, least: float = 0.5) -> None:
        super().__init__()
        self.decay = checking.number("TopK", "decay", decay, above=0.0, high=1.0)
        self.least = checking.number("TopK", "least", least, above=0.0, high=1.0)
        with tf.init_scope():
            self._share = tf.Variable(
                1.0, dtype=tf.float32, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="top_k_share"
            )

    @property
    def share(self) -> Any:
        """The share of the batch that counts, float32 scalar."""
        return self._share.read_value()

    def next_epoch(self) -> None:
        """Lowers the share."""
        self._share.assign(tf.maximum(self._share.read_value() * self.decay, self.least))

    def __call__(self, fake_scores: Any) -> Any:
        """The weights of one batch.

        Args:
            fake_scores: float tensor (batch, ...), raw scores; those of a patch discriminator are averaged a sample.

        Returns:
            Float32 tensor (batch,), 1 for the samples that count and 0 for the others; at least one counts.
        """
        scores = tf.stop_gradient(tf.cast(fake_scores, tf.float32))
        scores = tf.reduce_mean(scores, axis=list(range(1, scores.shape.rank)))
        count = tf.cast(tf.shape(scores)[0], tf.float32)
        kept = tf.cast(tf.maximum(tf.round(self.share * count), 1.0), tf.int32)
        # The place of each sample in the order of scores; equal scores keep the order of the batch.
        places = tf.argsort(tf.argsort(-scores, stable=True), stable=True)
        return tf.cast(places < kept, tf.float32)
