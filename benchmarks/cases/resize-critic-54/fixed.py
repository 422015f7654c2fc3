import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(54)
images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")


class Upscale(layers.Layer):
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return tf.repeat(tf.repeat(x, self.factor, axis=1), self.factor, axis=2)


def unet_critic():
    x = keras.Input((8, 8, 1))
    d1 = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")(x)
    d2 = layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu")(d1)
    overall = layers.Dense(1)(layers.Flatten()(d2))
    u1 = layers.Conv2D(16, 3, padding="same", activation="leaky_relu")(Upscale()(d2))
    u0 = layers.Conv2D(16, 3, padding="same", activation="leaky_relu")(Upscale()(layers.concatenate([u1, d1])))
    return keras.Model(x, [overall, layers.Conv2D(1, 1)(u0)], name="critic")


def build_generator():
    z = keras.Input((24,))
    h = layers.Reshape((2, 2, 32))(layers.Dense(128, activation="relu")(z))
    h = layers.Conv2D(32, 3, padding="same", activation="relu")(Upscale()(h))
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(Upscale()(h))
    return keras.Model(z, layers.Conv2D(1, 3, padding="same", activation="tanh")(h), name="generator")


class PixelWiseWGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.critic, self.generator = unet_critic(), build_generator()

    def compile(self, c_opt, g_opt, gp_weight=10.0):
        super().compile()
        self.c_opt, self.g_opt, self.gp_weight = c_opt, g_opt, gp_weight

    def score(self, x):
        overall, pixels = self.critic(x, training=True)
        return tf.reduce_mean(overall, axis=1) + tf.reduce_mean(pixels, axis=[1, 2, 3])

    def penalty(self, real, fake):
        mix = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        between = mix * real + (1.0 - mix) * fake
        with tf.GradientTape() as inner:
            inner.watch(between)
            score = self.score(between)
        slope = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(score, between)), axis=[1, 2, 3]) + 1e-8)
        return tf.reduce_mean(tf.square(slope - 1.0))

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, 24)), training=True)
            gap = tf.reduce_mean(self.score(fake)) - tf.reduce_mean(self.score(real))
            c_loss = gap + self.gp_weight * self.penalty(real, fake)
        self.c_opt.apply(tape.gradient(c_loss, self.critic.trainable_variables), self.critic.trainable_variables)
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.score(self.generator(tf.random.normal((n, 24)), training=True)))
        self.g_opt.apply(tape.gradient(g_loss, self.generator.trainable_variables), self.generator.trainable_variables)
        return {"gap": gap, "c_loss": c_loss, "g_loss": g_loss}


gan = PixelWiseWGAN()
gan.compile(keras.optimizers.Adam(5e-4, 0.0, 0.9), keras.optimizers.Adam(5e-4, 0.0, 0.9))
gan.fit(tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(64, drop_remainder=True), epochs=4, verbose=2)
print("pixel mean", np.round(images.mean(), 3), float(tf.reduce_mean(gan.generator(tf.random.normal((200, 24))))))
