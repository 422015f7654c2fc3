import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(38)


def swiss(n):
    t = 1.5 * np.pi * (1 + 2 * np.random.rand(n))
    return (np.c_[t * np.cos(t), t * np.sin(t)] / 8.0 + 0.03 * np.random.randn(n, 2)).astype("float32")


gen = keras.Sequential([keras.Input((4,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(2)])
dis = keras.Sequential([keras.Input((2,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])


class Accumulator:
    """Adds up gradients and hands their mean to the optimizer."""

    def __init__(self, model, optimizer, every):
        self.variables = model.trainable_variables
        self.optimizer = optimizer
        self.every = every
        self.sums = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.variables]

    def add(self, grads):
        for s, g in zip(self.sums, grads):
            s.assign_add(g)

    def flush(self):
        mean = [s / self.every for s in self.sums]
        self.optimizer.apply_gradients(zip(mean, self.variables))
        for s in self.sums:
            s.assign(tf.zeros_like(s))


EVERY = 2
acc_g = Accumulator(gen, keras.optimizers.Adam(1e-3, beta_1=0.5), EVERY)
acc_d = Accumulator(dis, keras.optimizers.Adam(1e-3, beta_1=0.5), EVERY)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def collect(real):
    z = tf.random.normal((tf.shape(real)[0], 4))
    with tf.GradientTape() as tg, tf.GradientTape() as td:
        fake = gen(z)
        p, q = dis(real), dis(fake)
        d_loss = bce(tf.ones_like(p), p) + bce(tf.zeros_like(q), q)
        g_loss = bce(tf.ones_like(q), q)
    acc_d.add(td.gradient(d_loss, acc_d.variables))
    acc_g.add(tg.gradient(g_loss, acc_g.variables))
    return d_loss, g_loss


@tf.function
def apply_all():
    acc_d.flush()
    acc_g.flush()


for step in range(1, 401):
    d_loss, g_loss = collect(tf.constant(swiss(48)))
    if step % EVERY == 0:
        apply_all()
    if step % 100 == 0:
        print(f"{step} d {float(d_loss):.4f} g {float(g_loss):.4f}")
