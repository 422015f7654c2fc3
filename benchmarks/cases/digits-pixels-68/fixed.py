import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import Model, layers, losses, optimizers, utils

utils.set_random_seed(4)

LATENT = 20
x_train = load_digits().images[..., np.newaxis].astype("float32")
x_train = x_train / x_train.max()


class Generator(Model):
    def __init__(self):
        super().__init__()
        self.fc1 = layers.Dense(64, activation="relu")
        self.fc2 = layers.Dense(128, activation="relu")
        self.fc3 = layers.Dense(64, activation="sigmoid")
        self.reshape = layers.Reshape((8, 8, 1))

    def call(self, z):
        return self.reshape(self.fc3(self.fc2(self.fc1(z))))


class Discriminator(Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")
        self.flatten = layers.Flatten()
        self.fc = layers.Dense(32, activation="leaky_relu")
        self.out = layers.Dense(1)

    def call(self, img):
        return self.out(self.fc(self.flatten(self.conv(img))))


class GAN(Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, real):
        batch = tf.shape(real)[0]
        fake = self.generator(tf.random.normal((batch, LATENT)))
        images = tf.concat([fake, real], axis=0)
        labels = tf.concat([tf.zeros((batch, 1)), tf.ones((batch, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(images))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights))

        with tf.GradientTape() as tape:
            scores = self.discriminator(self.generator(tf.random.normal((batch, LATENT))))
            g_loss = self.loss_fn(tf.ones((batch, 1)), scores)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = GAN(Generator(), Discriminator())
gan.compile(d_optimizer=optimizers.Adam(2e-4, 0.5), g_optimizer=optimizers.Adam(1e-3, 0.5),
            loss_fn=losses.BinaryCrossentropy(from_logits=True))
gan.fit(x_train, batch_size=64, epochs=5, verbose=2)
images = gan.generator(tf.random.normal((200, LATENT))).numpy()
print("mean pixel: data %.3f generated %.3f" % (x_train.mean(), images.mean()))
