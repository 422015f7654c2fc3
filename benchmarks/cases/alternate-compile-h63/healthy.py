import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(63)
LATENT, BATCH = 20, 48
x = load_digits().images.reshape(-1, 64).astype("float32") / 8.0 - 1.0

generator = keras.Sequential([keras.Input((LATENT,)), layers.Dense(96), layers.LeakyReLU(negative_slope=0.2),
                              layers.Dense(96), layers.LeakyReLU(negative_slope=0.2),
                              layers.Dense(64, activation="tanh")], name="generator")
discriminator = keras.Sequential([keras.Input((64,)), layers.Dense(96), layers.LeakyReLU(negative_slope=0.2),
                                  layers.Dense(48), layers.LeakyReLU(negative_slope=0.2),
                                  layers.Dense(1, activation="sigmoid")], name="discriminator")
z = keras.Input((LATENT,))
combined = keras.Model(z, discriminator(generator(z)), name="combined")

d_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)
g_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_optimizer.build(discriminator.trainable_variables)
g_optimizer.build(generator.trainable_variables)


def discriminator_phase(steps):
    discriminator.trainable = True
    discriminator.compile(loss="binary_crossentropy", optimizer=d_optimizer)
    losses = []
    for _ in range(steps):
        real = x[np.random.randint(0, len(x), BATCH)]
        fake = np.array(generator(np.random.normal(size=(BATCH, LATENT)).astype("float32")))
        both = np.concatenate([real, fake])
        target = np.concatenate([np.full((BATCH, 1), 0.9), np.zeros((BATCH, 1))])
        losses.append(float(discriminator.train_on_batch(both, target)))
    return np.mean(losses)


def generator_phase(steps):
    discriminator.trainable = False
    combined.compile(loss="binary_crossentropy", optimizer=g_optimizer)
    losses = []
    for _ in range(steps):
        noise = np.random.normal(size=(BATCH, LATENT)).astype("float32")
        losses.append(float(combined.train_on_batch(noise, np.ones((BATCH, 1)))))
    return np.mean(losses)


for round_ in range(8):
    d = discriminator_phase(10)
    g = generator_phase(10)
    print(f"round {round_}: d {d:.3f} g {g:.3f}")
discriminator.trainable = True
