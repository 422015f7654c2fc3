import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(102)
L = tf.keras.layers

hp = {"side": 8, "z": 16, "batch": 64, "steps": 150, "lr_g": 1e-4, "lr_d": 4e-3}


def crossed_bars(n, side, seed=0):
    """One bright row and one bright column per picture, values in [-1, 1]."""
    r = np.random.default_rng(seed)
    img = np.full((n, side, side, 1), -1.0, "float32")
    rows, cols = r.integers(0, side, n), r.integers(0, side, n)
    idx = np.arange(n)
    img[idx, rows, :, 0] = 1.0
    img[idx, :, cols, 0] = 1.0
    return np.clip(img + 0.05 * r.normal(size=img.shape), -1, 1).astype("float32")


class Generator(tf.keras.Model):
    def __init__(self):
        super().__init__(name="generator")
        self.h1 = L.Dense(96, activation="relu")
        self.h2 = L.Dense(96, activation="relu")
        self.out = L.Dense(hp["side"] ** 2, activation="tanh")
        self.shape_back = L.Reshape((hp["side"], hp["side"], 1))

    def call(self, z):
        return self.shape_back(self.out(self.h2(self.h1(z))))


class Discriminator(tf.keras.Model):
    def __init__(self):
        super().__init__(name="discriminator")
        self.conv = L.Conv2D(32, 3, strides=2, padding="same")
        self.flat = L.Flatten()
        self.h = L.Dense(64)
        self.out = L.Dense(1, activation="sigmoid")

    def call(self, x):
        x = tf.nn.leaky_relu(self.conv(x))
        x = tf.nn.leaky_relu(self.h(self.flat(x)))
        return self.out(x)


gen, disc = Generator(), Discriminator()
opt_g = tf.keras.optimizers.Adam(hp["lr_g"], beta_1=0.5)
opt_d = tf.keras.optimizers.Adam(hp["lr_d"], beta_1=0.5)


def log(p):
    return tf.math.log(tf.clip_by_value(p, 1e-12, 1.0))


@tf.function
def step(real):
    z = tf.random.normal((hp["batch"], hp["z"]))
    with tf.GradientTape(persistent=True) as tape:
        fake = gen(z)
        d_real, d_fake = disc(real), disc(fake)
        loss_d = -tf.reduce_mean(log(d_real)) - tf.reduce_mean(log(1.0 - d_fake))
        loss_g = -tf.reduce_mean(log(d_fake))
    grads_d = tape.gradient(loss_d, disc.trainable_variables)
    grads_g = tape.gradient(loss_g, gen.trainable_variables)
    del tape
    opt_d.apply_gradients(zip(grads_d, disc.trainable_variables))
    opt_g.apply_gradients(zip(grads_g, gen.trainable_variables))
    return loss_d, loss_g


data = (tf.data.Dataset.from_tensor_slices(crossed_bars(3000, hp["side"]))
        .shuffle(3000, seed=1).repeat().batch(hp["batch"]))

for i, real in enumerate(data.take(hp["steps"])):
    loss_d, loss_g = step(real)
    if i % 30 == 0 or i == hp["steps"] - 1:
        print("step", i, "loss_d %.5f" % float(loss_d), "loss_g %.6f" % float(loss_g))
