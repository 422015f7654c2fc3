import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.keras.utils.set_random_seed(113)
K = tf.keras

CFG = {"z": 16, "width": 64, "blocks": 12, "batch": 64, "steps": 100}


class ResidualBlock(K.layers.Layer):
    """x + scale * f(x) with a learned scale that starts small."""

    def __init__(self, width, **kw):
        super().__init__(**kw)
        self.inner = K.layers.Dense(width, activation="relu", kernel_initializer="he_normal")
        self.outer = K.layers.Dense(width, kernel_initializer="he_normal")

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer=K.initializers.Constant(0.05))
        self.inner.build(shape)
        self.outer.build(shape)
        super().build(shape)

    def call(self, x):
        return x + self.scale * self.outer(self.inner(x))


def make_generator():
    z = K.Input((CFG["z"],))
    x = K.layers.Dense(CFG["width"])(z)
    for i in range(CFG["blocks"]):
        x = ResidualBlock(CFG["width"], name=f"block_{i}")(x)
    return K.Model(z, K.layers.Dense(64, activation="tanh")(x), name="generator")


def make_discriminator():
    x = K.Input((64,))
    h = K.layers.Dense(128, activation="leaky_relu")(x)
    h = K.layers.Dense(128, activation="leaky_relu")(h)
    return K.Model(x, K.layers.Dense(1)(h), name="discriminator")


G, D = make_generator(), make_discriminator()
opt_g = K.optimizers.Adam(1e-3, beta_1=0.5)
opt_d = K.optimizers.Adam(4e-4, beta_1=0.5)


def softplus(x):
    return tf.reduce_mean(tf.nn.softplus(x))


@tf.function
def d_step(real):
    fake = G(tf.random.normal((CFG["batch"], CFG["z"])), training=True)
    with tf.GradientTape() as tape:
        loss = softplus(-D(real, training=True)) + softplus(D(fake, training=True))
    grads = tape.gradient(loss, D.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    opt_d.apply_gradients(zip(grads, D.trainable_variables))
    return loss


@tf.function
def g_step():
    with tf.GradientTape() as tape:
        loss = softplus(-D(G(tf.random.normal((CFG["batch"], CFG["z"])), training=True), training=True))
    grads = tape.gradient(loss, G.trainable_variables)
    grads, norm = tf.clip_by_global_norm(grads, 1.0)
    opt_g.apply_gradients(zip(grads, G.trainable_variables))
    return loss, norm


images = (load_digits().data / 8.0 - 1.0).astype("float32")
batches = tf.data.Dataset.from_tensor_slices(images).shuffle(1797, seed=7).repeat().batch(CFG["batch"])
clipped = 0
for i, real in enumerate(batches.take(CFG["steps"])):
    d_loss = d_step(real)
    g_loss, norm = g_step()
    clipped += int(norm > 1.0)
    if i % 25 == 0 or i == CFG["steps"] - 1:
        print(f"{i:4d} d {float(d_loss):.4f} g {float(g_loss):.4f} norm {float(norm):.3f}")
print("clipped in", clipped, "of", CFG["steps"], "steps")
