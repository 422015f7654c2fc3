import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(376)

images = (load_digits().data / 16.0).astype("float32")

generator = keras.Sequential([
    keras.Input((16,)),
    layers.Dense(96), layers.LeakyReLU(0.2),
    layers.Dense(96), layers.LeakyReLU(0.2),
    layers.Dense(64, activation="tanh"),
    layers.Rescaling(0.5, offset=0.5),
])
discriminator = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(96), layers.LeakyReLU(0.2),
    layers.Dropout(0.3),
    layers.Dense(48), layers.LeakyReLU(0.2),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)


@tf.function
def step(real):
    z = tf.random.normal([tf.shape(real)[0], 16])
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z, training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = tf.reduce_mean(tf.nn.relu(1 - r)) + tf.reduce_mean(tf.nn.relu(1 + f))
        g_loss = -tf.reduce_mean(f)
    d_opt.apply_gradients(zip(tape.gradient(d_loss, discriminator.trainable_variables),
                              discriminator.trainable_variables))
    g_opt.apply_gradients(zip(tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    return d_loss, g_loss


ds = tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(48, drop_remainder=True)
for epoch in range(10):
    for real in ds:
        d_loss, g_loss = step(real)
    print(f"epoch {epoch}: d {d_loss:.3f} g {g_loss:.3f}")
