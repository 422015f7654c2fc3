import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(352)
Z = 24


def draw_ovals(n, size=16):
    rng = np.random.default_rng(7)
    yy, xx = np.mgrid[0:size, 0:size]
    pics = np.zeros((n, size, size, 1), dtype="float32")
    for k in range(n):
        cy, cx = rng.uniform(5, size - 5, 2)
        ry, rx = rng.uniform(2, 5, 2)
        inside = ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2
        pics[k, :, :, 0] = np.clip(1.5 - inside, 0, 1)
    return pics * 2.0 - 1.0


def build_generator():
    return keras.Sequential([
        keras.Input((Z,)),
        layers.Dense(4 * 4 * 32),
        layers.Reshape((4, 4, 32)),
        layers.UpSampling2D(),
        layers.Conv2D(32, 3, padding="same"),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(0.2),
        layers.UpSampling2D(),
        layers.Conv2D(16, 3, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
    ], name="gen")


def build_discriminator():
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Dropout(0.25),
        layers.Conv2D(32, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ], name="disc")


dataset = draw_ovals(2000)
gen, disc = build_generator(), build_discriminator()
disc.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(5e-4, 0.5), metrics=["accuracy"])
disc.trainable = False
stacked = keras.Sequential([keras.Input((Z,)), gen, disc])
stacked.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(5e-4, 0.5))

batch = 40
ones, zeros = np.ones((batch, 1)), np.zeros((batch, 1))
for step in range(150):
    idx = np.random.randint(0, len(dataset), batch)
    noise = np.random.normal(0, 1, (batch, Z)).astype("float32")
    fakes = np.asarray(gen(noise))
    disc.trainable = True
    loss_real, acc_real = disc.train_on_batch(dataset[idx], ones)
    loss_fake, acc_fake = disc.train_on_batch(fakes, zeros)
    disc.trainable = False
    g_loss = stacked.train_on_batch(np.random.normal(0, 1, (batch, Z)).astype("float32"), ones)
    if step % 15 == 0:
        print(f"{step:4d} [D {float(loss_real) + float(loss_fake):.3f}] [G {float(g_loss):.3f}]")
