import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(44)

NOISE = 24
pixels = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")


def conv_net(name, head):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Flatten(),
        layers.Dense(head),
    ], name=name)


def make_generator(name):
    return keras.Sequential([
        keras.Input((NOISE,)),
        layers.Dense(2 * 2 * 32, activation="relu"),
        layers.Reshape((2, 2, 32)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
    ], name=name)


class FeatureGAN(keras.Model):
    def __init__(self, decay=0.95):
        super().__init__()
        self.generator = make_generator("generator")
        self.average = make_generator("average")
        self.average.trainable = False
        self.average.set_weights(self.generator.get_weights())
        self.discriminator = conv_net("discriminator", 1)
        self.features = conv_net("features", 32)
        self.features.trainable = False
        self.decay = decay

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt = g_opt
        self.d_opt = d_opt
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        z = tf.random.normal((tf.shape(real)[0], NOISE))
        fake = tf.stop_gradient(self.generator(z, training=True))
        with tf.GradientTape() as tape:
            r, f = self.discriminator(real, training=True), self.discriminator(fake, training=True)
            d_loss = self.bce(tf.ones_like(r), r) + self.bce(tf.zeros_like(f), f)
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, self.discriminator.trainable_variables),
                                       self.discriminator.trainable_variables))

        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            f = self.discriminator(fake, training=True)
            target = tf.reduce_mean(self.features(real), axis=0)
            match = tf.reduce_mean((target - tf.reduce_mean(self.features(fake), axis=0)) ** 2)
            g_loss = self.bce(tf.ones_like(f), f) + match
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, self.generator.trainable_variables),
                                       self.generator.trainable_variables))
        return {"d": d_loss, "g": g_loss, "match": match}


class Average(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        old, new = self.model.average.get_weights(), self.model.generator.get_weights()
        k = self.model.decay
        self.model.average.set_weights([k * a + (1 - k) * b for a, b in zip(old, new)])


gan = FeatureGAN()
gan.compile(keras.optimizers.Adam(5e-4, 0.5), keras.optimizers.Adam(5e-4, 0.5))
gan.fit(pixels, batch_size=64, epochs=6, verbose=2, callbacks=[Average()])
print("mean pixel: data %.3f, averaged generator %.3f"
      % (pixels.mean(), gan.average(tf.random.normal((500, NOISE))).numpy().mean()))
