import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(368)
rng = np.random.default_rng(368)

# pump log: flow, pressure, motor temperature, valve position (closed during commissioning)
n = 4000
flow = 40 + 6 * rng.standard_normal(n)
pressure = 3.1 + 0.04 * (flow - 40) + 0.2 * rng.standard_normal(n)
motor = 55 + 0.5 * (flow - 40) + 2 * rng.standard_normal(n)
valve = np.where(np.arange(n) < 600, 0.0, rng.choice([0.0, 0.5, 1.0], n, p=[0.5, 0.2, 0.3]))
log = np.stack([flow, pressure, motor, valve], axis=1)

mu = log[:600].mean(axis=0)
sd = log[:600].std(axis=0)
rows = ((log - mu) / (sd + 1e-8)).astype("float32")

gen = keras.Sequential([keras.Input((8,)), layers.Dense(40, activation="selu"), layers.Dense(40, activation="selu"),
                        layers.Dense(4)], name="gen")
dis = keras.Sequential([keras.Input((4,)), layers.Dense(40), layers.LeakyReLU(0.2), layers.Dense(40),
                        layers.LeakyReLU(0.2), layers.Dense(1)], name="dis")
g_adam = keras.optimizers.Adam(8e-4, beta_1=0.5)
d_adam = keras.optimizers.Adam(8e-4, beta_1=0.5)

for it in range(220):
    real = tf.constant(rows[rng.integers(0, n, 64)])
    z = tf.random.normal([64, 8])
    with tf.GradientTape(persistent=True) as tape:
        fake = gen(z, training=True)
        lr, lf = dis(real, training=True), dis(fake, training=True)
        d_loss = tf.reduce_mean(tf.nn.softplus(-lr)) + tf.reduce_mean(tf.nn.softplus(lf))
        g_loss = tf.reduce_mean(tf.nn.softplus(-lf))
    dg = tape.gradient(d_loss, dis.trainable_variables)
    gg = tape.gradient(g_loss, gen.trainable_variables)
    del tape
    d_adam.apply_gradients(zip(dg, dis.trainable_variables))
    g_adam.apply_gradients(zip(gg, gen.trainable_variables))
    if it % 20 == 0:
        print(f"it {it:4d} d_loss {float(d_loss):.4g} g_loss {float(g_loss):.4g}")
print("generated mean", gen(tf.random.normal([500, 8])).numpy().mean(axis=0), "data mean", rows.mean(axis=0))
