import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(64)
rng = np.random.default_rng(64)

# given: year of construction and floor area; to be drawn: log price and condition score
N = 4000
year = rng.normal(1965, 18, N)
area = rng.gamma(9.0, 14.0, N)
cond = np.stack([year, area], axis=1).astype("float32")
cond_scaled = (cond - cond.mean(axis=0)) / cond.std(axis=0)
price = 0.7 * cond_scaled[:, 1] + 0.2 * cond_scaled[:, 0] + 0.6 * rng.standard_normal(N)
score = 0.5 * cond_scaled[:, 0] + 0.7 * rng.standard_normal(N)
rows = np.stack([price, score], axis=1).astype("float32")

Z = 8
BATCH = 100


def build_generator():
    z = keras.Input((Z,), name="z")
    c = keras.Input((2,), name="given")
    h = layers.Concatenate()([z, c])
    h = layers.LayerNormalization()(h)
    h = layers.Dense(64, activation="relu")(h)
    h = layers.Dense(64, activation="relu")(h)
    return keras.Model([z, c], layers.Dense(2)(h), name="generator")


def build_discriminator():
    x = keras.Input((2,), name="row")
    c = keras.Input((2,), name="given")
    h = layers.Concatenate()([x, c])
    h = layers.Dense(64, activation="leaky_relu")(h)
    h = layers.Dense(64, activation="leaky_relu")(h)
    return keras.Model([x, c], layers.Dense(1)(h), name="discriminator")


G, D = build_generator(), build_discriminator()
g_adam = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_adam = keras.optimizers.Adam(5e-4, beta_1=0.5)
mse = keras.losses.MeanSquaredError()


@tf.function
def train(x, c, c_scaled):
    z = tf.random.normal([BATCH, Z])
    with tf.GradientTape(persistent=True) as tape:
        fake = G([z, c], training=True)
        real_out = D([x, c_scaled], training=True)
        fake_out = D([fake, c_scaled], training=True)
        d_loss = 0.5 * (mse(tf.ones_like(real_out), real_out) + mse(tf.zeros_like(fake_out), fake_out))
        g_loss = mse(tf.ones_like(fake_out), fake_out)
    d_adam.apply_gradients(zip(tape.gradient(d_loss, D.trainable_variables), D.trainable_variables))
    g_adam.apply_gradients(zip(tape.gradient(g_loss, G.trainable_variables), G.trainable_variables))
    return d_loss, g_loss


for it in range(1, 401):
    pick = rng.integers(0, N, BATCH)
    d_loss, g_loss = train(rows[pick], cond_scaled[pick], cond_scaled[pick])
    if it % 80 == 0:
        print(f"{it:4d}: D {float(d_loss):.3f} | G {float(g_loss):.3f}")

one_house = tf.repeat(cond_scaled[:1], 200, axis=0)
draws = G([tf.random.normal([200, Z]), one_house]).numpy()
print("200 draws for one house, std:", draws.std(axis=0))
