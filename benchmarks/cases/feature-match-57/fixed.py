import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(37)
BATCH, LATENT = 64, 16

x_train = ((load_digits().data - 8.0) / 8.0).astype("float32")
train_ds = tf.data.Dataset.from_tensor_slices(x_train).shuffle(1797).batch(BATCH, drop_remainder=True)


def build_discriminator():
    image = keras.Input((64,))
    h = layers.Dense(96, activation="leaky_relu", name="d1")(image)
    h = layers.Dense(48, activation="leaky_relu", name="d2")(h)
    return keras.Model(image, layers.Dense(1, name="d_out")(h), name="discriminator")


def build_generator():
    z = keras.Input((LATENT,))
    h = layers.Dense(64, activation="relu")(z)
    h = layers.Dense(96, activation="relu")(h)
    return keras.Model(z, layers.Dense(64, activation="tanh")(h), name="generator")


generator = build_generator()
discriminator = build_discriminator()
feature_net = keras.Model(discriminator.input, discriminator.get_layer("d2").output, name="feature_net")

g_opt = keras.optimizers.Adam(5e-4, 0.5)
d_opt = keras.optimizers.Adam(5e-4, 0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape() as tape:
        fake = tf.stop_gradient(generator(z, training=True))
        p_real = discriminator(real, training=True)
        p_fake = discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(p_real), p_real) + bce(tf.zeros_like(p_fake), p_fake)
    grads = tape.gradient(d_loss, discriminator.trainable_variables)
    d_opt.apply_gradients(zip(grads, discriminator.trainable_variables))

    with tf.GradientTape() as tape:
        fake = generator(z, training=True)
        p_fake = discriminator(fake, training=True)
        matching = tf.reduce_mean(tf.square(
            tf.reduce_mean(feature_net(real), 0) - tf.reduce_mean(feature_net(fake), 0)))
        g_loss = bce(tf.ones_like(p_fake), p_fake) + matching
    grads = tape.gradient(g_loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return d_loss, g_loss, matching


for epoch in range(6):
    for real in train_ds:
        d_loss, g_loss, matching = train_step(real)
    print(f"epoch {epoch + 1}: d {float(d_loss):.3f} g {float(g_loss):.3f} matching {float(matching):.4f}")
