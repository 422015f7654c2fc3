import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(64)
digits = load_digits()
images = (digits.images[..., None] / 8.0 - 1.0).astype("float32")
labels = digits.target.astype("int32")
LATENT, CLASSES = 16, 10


class Critic(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.Sequential([
            keras.Input((8, 8, 1)), layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
            layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"), layers.Flatten()])
        self.validity = layers.Dense(1, name="validity")
        self.digit = layers.Dense(CLASSES, name="digit")

    def call(self, x):
        h = self.body(x)
        return self.validity(h), self.digit(h)


def build_generator():
    z, c = keras.Input((LATENT,)), keras.Input((), dtype="int32")
    h = layers.concatenate([z, layers.Embedding(CLASSES, 8)(c)])
    h = layers.Reshape((2, 2, 32))(layers.Dense(128, activation="relu")(h))
    h = layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu")(h)
    return keras.Model([z, c], layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(h))


critic, generator = Critic(), build_generator()
critic(images[:1])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
scce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def run_stage(steps, use_labels):
    c_opt, g_opt = keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5)
    c_vars = critic.body.trainable_variables + critic.validity.trainable_variables
    if use_labels:
        c_vars = critic.trainable_variables
    g_vars = generator.trainable_variables

    @tf.function
    def step(real, real_c):
        fake_c = tf.random.uniform((48,), 0, CLASSES, dtype=tf.int32)
        with tf.GradientTape() as ct, tf.GradientTape() as gt:
            fake = generator([tf.random.normal((48, LATENT)), fake_c])
            (r, r_digit), (f, f_digit) = critic(real), critic(fake)
            c_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
            g_loss = bce(tf.ones_like(f), f)
            if use_labels:
                c_loss += scce(real_c, r_digit)
                g_loss += scce(fake_c, f_digit)
        c_opt.apply_gradients(zip(ct.gradient(c_loss, c_vars), c_vars))
        g_opt.apply_gradients(zip(gt.gradient(g_loss, g_vars), g_vars))
        return c_loss, g_loss

    for i in range(steps):
        rows = np.random.randint(0, len(images), 48)
        c_loss, g_loss = step(tf.constant(images[rows]), tf.constant(labels[rows]))
    print("labels" if use_labels else "no labels", "critic %.3f generator %.3f" % (float(c_loss), float(g_loss)))


run_stage(60, use_labels=False)
run_stage(90, use_labels=True)
