import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(100)
Z, W, BATCH = 6, 12, 100


class Modulated(layers.Layer):
    """Dense layer whose input channels are scaled by a style vector."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.style = layers.Dense(units, bias_initializer="ones")
        self.dense = layers.Dense(units)

    def call(self, inputs):
        x, w = inputs
        h = self.dense(x) * self.style(w)
        h = h / tf.sqrt(tf.reduce_mean(h ** 2, axis=1, keepdims=True) + 1e-6)
        return tf.nn.leaky_relu(h, 0.2)


class Synthesis(keras.Model):
    def __init__(self, depth=3, units=32):
        super().__init__()
        self.const = self.add_weight(shape=(1, units), initializer="random_normal", name="const")
        self.blocks = [Modulated(units) for _ in range(depth)]
        self.to_point = layers.Dense(2)

    def call(self, w):
        x = tf.repeat(self.const, tf.shape(w)[0], axis=0)
        for block in self.blocks:
            x = block([x, w])
        return self.to_point(x)


mapping = keras.Sequential([keras.Input((Z,))] + [layers.Dense(W, activation="leaky_relu") for _ in range(3)])
synthesis = Synthesis()
synthesis(mapping(tf.zeros((1, Z))))
disc = keras.Sequential([
    keras.Input((2,)),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(1),
])

g_vars = synthesis.trainable_variables
d_vars = disc.trainable_variables
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99)
d_opt = keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99)


def spiral(n):
    t = np.sqrt(np.random.rand(n)) * 3 * np.pi
    xy = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 6.0
    return tf.constant(xy + 0.03 * np.random.randn(n, 2), tf.float32)


@tf.function
def step(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape(persistent=True) as tape:
        fake = synthesis(mapping(z))
        real_logit, fake_logit = disc(real), disc(fake)
        d_loss = tf.reduce_mean(tf.nn.softplus(fake_logit) + tf.nn.softplus(-real_logit))
        g_loss = tf.reduce_mean(tf.nn.softplus(-fake_logit))
    d_opt.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))
    g_opt.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
    return d_loss, g_loss


for i in range(250):
    d_loss, g_loss = step(spiral(BATCH))
    if i % 50 == 0 or i == 249:
        w = mapping(tf.random.normal((500, Z)))
        print(f"{i:3d} d {float(d_loss):.3f} g {float(g_loss):.3f} w mean {float(tf.reduce_mean(w)):+.3f} w std {float(tf.math.reduce_std(w)):.3f}")
