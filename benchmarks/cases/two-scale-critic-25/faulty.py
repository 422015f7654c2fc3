import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(90)
R1_WEIGHT, BATCH, LATENT = 1.0, 32, 24

images = (load_digits().images.astype("float32")[..., None] - 8.0) / 8.0
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(1797).repeat().batch(BATCH)


class Shrink(layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, x):
        return tf.image.resize(x, (self.size, self.size), antialias=True)


def tower(x, filters):
    for f in filters:
        x = layers.Conv2D(f, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
    return layers.Flatten()(x)


def build_critic():
    picture = layers.Input((8, 8, 1))
    fine = tower(picture, (16, 32))
    coarse = tower(Shrink(4)(picture), (16,))
    return keras.Model(picture, layers.Dense(1)(layers.Concatenate()([fine, coarse])))


def build_generator():
    z = layers.Input((LATENT,))
    x = layers.Dense(4 * 4 * 24, activation="relu")(z)
    x = layers.Reshape((4, 4, 24))(x)
    x = layers.UpSampling2D()(x)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    return keras.Model(z, layers.Conv2D(1, 3, padding="same", activation="tanh")(x))


generator, critic = build_generator(), build_critic()
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99)
c_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99)


def r1(real):
    with tf.GradientTape() as tape:
        tape.watch(real)
        total = tf.reduce_sum(critic(real, training=True))
    slope = tape.gradient(total, real)
    return tf.reduce_mean(tf.reduce_sum(slope ** 2, axis=[1, 2, 3]))


@tf.function
def train_step(real):
    with tf.GradientTape() as g_tape, tf.GradientTape() as c_tape:
        fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
        real_score = critic(real, training=True)
        fake_score = critic(fake, training=True)
        g_loss = tf.reduce_mean(tf.nn.softplus(-fake_score))
        c_loss = tf.reduce_mean(tf.nn.softplus(fake_score) + tf.nn.softplus(-real_score))
        c_loss += 0.5 * R1_WEIGHT * r1(real)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    c_grads = c_tape.gradient(c_loss, critic.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    c_opt.apply_gradients(zip(c_grads, critic.trainable_variables))
    return g_loss, c_loss


for step, real in enumerate(dataset.take(120)):
    g_loss, c_loss = train_step(real)
    if step % 30 == 0:
        print(f"{step:4d} generator {float(g_loss):.4f} critic {float(c_loss):.4f}")
