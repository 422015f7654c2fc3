import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(8)

MAX_LEN, FEATURES, Z, BATCH = 10, 4, 12, 32
CRITIC_STEPS, ROUNDS, GP_WEIGHT = 3, 40, 10.0

rng = np.random.default_rng(4)
FULL_VISITS = 45


def load_baskets(n):
    """Shopping baskets: up to MAX_LEN items of four features each, zero padded at the end."""
    lengths = np.where(np.arange(n) < FULL_VISITS * BATCH, MAX_LEN, rng.integers(3, MAX_LEN + 1, n))
    base = rng.normal(0, 1, (n, 1, FEATURES))
    items = 0.6 * base + 0.4 * rng.normal(0, 1, (n, MAX_LEN, FEATURES)) + np.linspace(0, 1, MAX_LEN)[None, :, None]
    mask = (np.arange(MAX_LEN)[None] < lengths[:, None]).astype("float32")
    return (items * mask[..., None]).astype("float32"), mask


baskets, masks = load_baskets(6000)
data = iter(tf.data.Dataset.from_tensor_slices((baskets, masks)).repeat().batch(BATCH, drop_remainder=True))


class Maker(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(64, activation="relu")
        self.out = keras.layers.Dense(MAX_LEN * FEATURES)

    def call(self, z, present):
        items = tf.reshape(self.out(self.hidden(z)), (-1, MAX_LEN, FEATURES))
        return items * present[..., None]


class Judge(keras.Model):
    """Scores every item, then averages over the items that are there."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(48, activation="tanh")
        self.second = keras.layers.Dense(48, activation="tanh")
        self.score = keras.layers.Dense(1)

    def call(self, x, present):
        per_item = self.score(self.second(self.first(x)))[..., 0] * present
        return tf.reduce_sum(per_item, axis=1) / tf.reduce_sum(present, axis=1)


maker, judge = Maker(), Judge()
maker_opt = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
judge_opt = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)


def slope_penalty(real, fake, present):
    mix = tf.random.uniform((BATCH, 1, 1))
    between = mix * real + (1.0 - mix) * fake
    with tf.GradientTape() as inner:
        inner.watch(between)
        score = judge(between, present)
    slopes = inner.gradient(score, between)
    item_slope = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=-1) + 1e-12)
    total = tf.reduce_sum(item_slope, axis=1)
    return tf.reduce_mean(tf.square(total - 1.0))


@tf.function
def judge_step(real, present):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as tape:
        fake = maker(z, present)
        gap = tf.reduce_mean(judge(fake, present)) - tf.reduce_mean(judge(real, present))
        loss = gap + GP_WEIGHT * slope_penalty(real, fake, present)
    grads = tape.gradient(loss, judge.trainable_variables)
    judge_opt.apply_gradients(zip(grads, judge.trainable_variables))
    return gap


@tf.function
def maker_step(present):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(judge(maker(tf.random.normal((BATCH, Z)), present), present))
    grads = tape.gradient(loss, maker.trainable_variables)
    maker_opt.apply_gradients(zip(grads, maker.trainable_variables))
    return loss


for round_no in range(ROUNDS):
    for _ in range(CRITIC_STEPS):
        real, present = next(data)
        gap = judge_step(real, present)
    loss = maker_step(present)
    if round_no % 5 == 4:
        print("round", round_no + 1, "gap %.4f" % float(gap), "maker %.4f" % float(loss))
