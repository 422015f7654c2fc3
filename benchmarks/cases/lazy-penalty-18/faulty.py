import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(70)


def swish_slope(x, dy):
    s = 1.0 / (1.0 + np.exp(-x))
    return (dy * (s + x * s * (1.0 - s)) / 1.1).astype("float32")


@tf.custom_gradient
def lip_swish(x):
    def backward(dy):
        slope = tf.numpy_function(swish_slope, [x, dy], tf.float32)
        slope.set_shape(x.shape)
        return slope
    return x * tf.sigmoid(x) / 1.1, backward


class Discriminator(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Dense(64)
        self.b = layers.Dense(64)
        self.c = layers.Dense(1, use_bias=False)

    def call(self, x):
        return self.c(lip_swish(self.b(lip_swish(self.a(x)))))


class Generator(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Dense(64, activation="swish")
        self.b = layers.Dense(64, activation="swish")
        self.c = layers.Dense(2)

    def call(self, z):
        return self.c(self.b(self.a(z)))


def grid(n):
    cell = np.random.randint(-1, 2, (n, 2))
    return (cell + 0.05 * np.random.randn(n, 2)).astype("float32")


G, D = Generator(), Discriminator()
opt_g = keras.optimizers.Adam(1e-3, beta_1=0.0)
opt_d = keras.optimizers.Adam(1e-3, beta_1=0.0)


def minimise(loss, tape, net, opt):
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))


def r1_step(real, gamma=0.5):
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(real)
            out = tf.reduce_sum(D(real))
        slope = inner.gradient(out, real)
        penalty = gamma * tf.reduce_mean(tf.reduce_sum(slope ** 2, axis=1))
    minimise(penalty, tape, D, opt_d)
    return penalty


for i in range(160):
    real, z = tf.constant(grid(64)), tf.random.normal((64, 8))
    with tf.GradientTape() as td:
        real_out, fake_out = D(real), D(G(z))
        d_loss = tf.reduce_mean(tf.nn.softplus(-real_out) + tf.nn.softplus(fake_out))
    minimise(d_loss, td, D, opt_d)
    with tf.GradientTape() as tg:
        g_loss = tf.reduce_mean(tf.nn.softplus(-D(G(z))))
    minimise(g_loss, tg, G, opt_g)
    if i % 4 == 0:
        penalty = r1_step(real)
    if i % 40 == 0:
        print(f"{i:4d}  D {float(d_loss):.3f}  G {float(g_loss):.3f}  R1 {float(penalty):.5f}")
