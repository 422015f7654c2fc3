import numpy as np
import keras
import tensorflow as tf
from keras.initializers import RandomNormal
from keras.layers import Activation, BatchNormalization, Dense, Flatten, Input, LeakyReLU, Conv1D, Reshape
from keras.models import Model, Sequential
from keras.optimizers import Adam

keras.utils.set_random_seed(109)

LEN = 32
NOISE = 16
BATCH = 32
ROUNDS = 40

weight_init = RandomNormal(1.0, 0.02)
gamma_init = RandomNormal(1.0, 0.02)


def pulses(n):
    rng = np.random.default_rng(9)
    t = np.arange(LEN)
    centre = rng.uniform(8, 24, (n, 1))
    width = rng.uniform(1.0, 4.0, (n, 1))
    sign = rng.choice([-1.0, 1.0], (n, 1))
    return (0.8 * sign * np.exp(-0.5 * ((t - centre) / width) ** 2)).astype("float32")[..., None]


def make_generator():
    g = Sequential(name="generator")
    g.add(Input((NOISE,)))
    g.add(Dense(64))
    g.add(BatchNormalization(gamma_initializer=gamma_init))
    g.add(LeakyReLU(0.2))
    g.add(Dense(64))
    g.add(BatchNormalization(gamma_initializer=gamma_init))
    g.add(Activation("relu"))
    g.add(Dense(LEN, kernel_initializer=weight_init))
    g.add(Activation("tanh"))
    g.add(Reshape((LEN, 1)))
    return g


def make_discriminator():
    d = Sequential(name="discriminator")
    d.add(Input((LEN, 1)))
    d.add(Conv1D(16, 5, strides=2, padding="same"))
    d.add(LeakyReLU(0.2))
    d.add(Conv1D(32, 5, strides=2, padding="same"))
    d.add(LeakyReLU(0.2))
    d.add(Flatten())
    d.add(Dense(1))
    return d


loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

discriminator = make_discriminator()
discriminator.compile(optimizer=Adam(2e-4, beta_1=0.5), loss=loss_fn)
generator = make_generator()
discriminator.trainable = False
noise_in = Input((NOISE,))
stacked = Model(noise_in, discriminator(generator(noise_in)))
stacked.compile(optimizer=Adam(1e-3, beta_1=0.5), loss=loss_fn)

data = pulses(1500)
rng = np.random.default_rng(109)
ones, zeros = np.ones((BATCH, 1), "float32"), np.zeros((BATCH, 1), "float32")

for r in range(ROUNDS):
    real = data[rng.integers(0, len(data), BATCH)]
    noise = rng.normal(size=(BATCH, NOISE)).astype("float32")
    fake = np.asarray(generator(noise, training=True))
    discriminator.trainable = True
    d1 = float(np.ravel(discriminator.train_on_batch(real, ones))[0])
    d0 = float(np.ravel(discriminator.train_on_batch(fake, zeros))[0])
    discriminator.trainable = False
    noise = rng.normal(size=(BATCH, NOISE)).astype("float32")
    g = float(np.ravel(stacked.train_on_batch(noise, ones))[0])
    if r % 8 == 0 or r == ROUNDS - 1:
        print("round %d  d_real %.4f  d_fake %.4f  g %.4f" % (r, d1, d0, g))
