import numpy as np
import tensorflow as tf

tf.random.set_seed(60)
rng = np.random.default_rng(60)

T, UNITS, Z, BATCH, STEPS = 48, 40, 6, 32, 40


def tides(n):
    t = np.arange(T)[None]
    level = np.cos(2 * np.pi * (t / 12.4 + rng.random((n, 1)))) + 0.4 * np.cos(2 * np.pi * t / 12.0)
    return (level / 1.4 + rng.normal(0, 0.02, (n, T))).astype("float32")[..., None]


class Cell(tf.Module):
    """A plain recurrent cell."""

    def __init__(self, n_in, units, name=None):
        super().__init__(name=name)
        init = tf.random_normal_initializer(stddev=1.0)
        self.units = units
        self.wx = tf.Variable(tf.random.normal((n_in, units), stddev=n_in ** -0.5), name="wx")
        self.wh = tf.Variable(init((units, units)), name="wh")
        self.b = tf.Variable(tf.zeros((units,)), name="b")

    def __call__(self, x, h):
        return tf.tanh(x @ self.wx + h @ self.wh + self.b)


class Generator(tf.Module):
    def __init__(self):
        super().__init__(name="generator")
        self.cell = Cell(Z, UNITS, name="g_cell")
        self.out = tf.Variable(tf.random.normal((UNITS, 1), stddev=UNITS ** -0.5), name="out")

    def __call__(self, z):
        h, values = tf.zeros((BATCH, UNITS)), []
        for _ in range(T):
            h = self.cell(z, h)
            values.append(h @ self.out)
        return tf.stack(values, axis=1)


class Discriminator(tf.Module):
    def __init__(self):
        super().__init__(name="discriminator")
        self.w1 = tf.Variable(tf.random.normal((8, 1, 16), stddev=0.3), name="w1")
        self.w2 = tf.Variable(tf.random.normal((8, 16, 16), stddev=0.1), name="w2")
        self.w3 = tf.Variable(tf.random.normal((12 * 16, 1), stddev=0.07), name="w3")

    def __call__(self, x):
        x = tf.nn.leaky_relu(tf.nn.conv1d(x, self.w1, stride=2, padding="SAME"))
        x = tf.nn.leaky_relu(tf.nn.conv1d(x, self.w2, stride=2, padding="SAME"))
        return tf.reshape(x, (BATCH, -1)) @ self.w3


G, D = Generator(), Discriminator()
g_opt = tf.keras.optimizers.Adam(3e-4, beta_1=0.5)
d_opt = tf.keras.optimizers.Adam(3e-4, beta_1=0.5)


def xent(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits))


@tf.function
def step_both(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = G(z)
        on_real, on_fake = D(real), D(fake)
        g_loss = xent(on_fake, 1.0)
        d_loss = xent(on_real, 1.0) + xent(on_fake, 0.0)
    g_opt.apply_gradients(zip(g_tape.gradient(g_loss, G.trainable_variables), G.trainable_variables))
    d_opt.apply_gradients(zip(d_tape.gradient(d_loss, D.trainable_variables), D.trainable_variables))
    return g_loss, d_loss, fake


for i in range(STEPS):
    g_loss, d_loss, fake = step_both(tides(BATCH))
    if i % 8 == 7:
        print(i + 1, "g", float(g_loss), "d", float(d_loss), "level std", float(tf.math.reduce_std(fake)))
