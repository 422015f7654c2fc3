import numpy as np
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(6)

z_dim = 25
batch_size = 50
images = load_digits().images.reshape(-1, 64).astype("float32") / 16


class Standardize(layers.Layer):
    """Zero mean and unit variance for every image."""

    def call(self, x):
        mean = ops.mean(x, axis=-1, keepdims=True)
        std = ops.std(x, axis=-1, keepdims=True) + 1e-3
        return ops.stop_gradient((x - mean) / std)


def build_discriminator():
    model = keras.Sequential(name="discriminator")
    model.add(keras.Input((64,)))
    model.add(Standardize())
    model.add(layers.Dense(64))
    model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def build_generator():
    model = keras.Sequential(name="generator")
    model.add(keras.Input((z_dim,)))
    model.add(layers.Dense(96, activation="relu"))
    model.add(layers.BatchNormalization(momentum=0.8))
    model.add(layers.Dense(64, activation="sigmoid"))
    return model


discriminator = build_discriminator()
discriminator.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(5e-4, 0.5))
generator = build_generator()

gan_input = keras.Input((z_dim,))
gan = keras.Model(gan_input, discriminator(generator(gan_input)), name="gan")
gan.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(5e-4, 0.5))

for iteration in range(60):
    idx = np.random.randint(0, len(images), batch_size)
    noise = np.random.normal(size=(batch_size, z_dim))
    generated = generator.predict(noise, verbose=0)

    discriminator.trainable = True
    x = np.concatenate([images[idx], generated])
    y = np.concatenate([np.full((batch_size, 1), 0.9), np.zeros((batch_size, 1))])
    d_loss = discriminator.train_on_batch(x, y)

    discriminator.trainable = False
    noise = np.random.normal(size=(batch_size, z_dim))
    g_loss = gan.train_on_batch(noise, np.ones((batch_size, 1)))

    if iteration % 15 == 0:
        print("iteration", iteration, "d_loss", round(float(d_loss), 4), "g_loss", round(float(g_loss), 4))
