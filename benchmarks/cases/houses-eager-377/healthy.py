import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(377)
rng = np.random.default_rng(377)

# rooms, area in tens of square metres, distance to the centre in km, price in 100k
n = 2500
area = np.clip(rng.normal(9.5, 2.6, n), 3, 20)
rooms = 1.0 + 0.33 * area + rng.normal(0, 0.5, n)
distance = rng.gamma(3.0, 1.7, n)
price = 1.2 + 0.32 * area - 0.14 * distance + rng.normal(0, 0.35, n)
houses = np.stack([rooms, area - 9.5, distance - 5.0, price - 3.5], axis=1).astype("float32")
houses[:, 0] -= 4.0
print("spread of the columns", houses.std(0).round(2))

generator = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(4),
])
discriminator = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(64), layers.LeakyReLU(0.2),
    layers.Dense(64), layers.LeakyReLU(0.2),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)

for it in range(300):
    real = tf.constant(houses[rng.integers(0, n, 80)])
    with tf.GradientTape() as tape:
        r = discriminator(real, training=True)
        f = discriminator(generator(tf.random.normal([80, 10]), training=True), training=True)
        d_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    d_opt.apply_gradients(zip(tape.gradient(d_loss, discriminator.trainable_variables),
                              discriminator.trainable_variables))
    with tf.GradientTape() as tape:
        f = discriminator(generator(tf.random.normal([80, 10]), training=True), training=True)
        g_loss = bce(tf.ones_like(f), f)
    g_opt.apply_gradients(zip(tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    if it % 30 == 0:
        print(f"{it:3d}  d {float(d_loss):.3f}  g {float(g_loss):.3f}")
