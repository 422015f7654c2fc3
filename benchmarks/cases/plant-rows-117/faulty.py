import numpy as np
from keras import Input, Model, Sequential, layers, optimizers, utils

utils.set_random_seed(117)

N_COLS = 10
NOISE_DIM = 8
BATCH = 64
STEPS = 50


def plant_rows(n=1500):
    """Ten measurements of plants of three kinds, scaled to [-1, 1]."""
    rng = np.random.default_rng(117)
    kinds = rng.uniform(-1, 1, (3, N_COLS))
    rows = kinds[rng.integers(0, 3, n)] + 0.15 * rng.normal(size=(n, N_COLS))
    low, high = rows.min(axis=0), rows.max(axis=0)
    return (2 * (rows - low) / (high - low) - 1).astype("float32")


class RowGAN:
    def __init__(self):
        self.rng = np.random.default_rng(7)
        self.discriminator = self._discriminator()
        self.discriminator.compile(optimizer=optimizers.Adam(1e-3, beta_1=0.5), loss="binary_crossentropy")
        self.generator = self._generator()
        self.discriminator.trainable = False
        z = Input((NOISE_DIM,))
        self.gan = Model(z, self.discriminator(self.generator(z)), name="gan")
        self.gan.compile(optimizer=optimizers.Adam(1e-3, beta_1=0.5), loss="binary_crossentropy")

    def _generator(self):
        return Sequential([
            Input((NOISE_DIM,)),
            layers.Dense(48), layers.LeakyReLU(0.1),
            layers.Dense(48), layers.LeakyReLU(0.1),
            layers.Dense(N_COLS, activation="tanh"),
        ], name="generator")

    def _discriminator(self):
        return Sequential([
            Input((N_COLS,)),
            layers.Dense(64), layers.LeakyReLU(0.1),
            layers.Dense(64), layers.LeakyReLU(0.1),
            layers.Dense(1),
        ], name="discriminator")

    def noise(self, n=BATCH):
        return self.rng.normal(size=(n, NOISE_DIM)).astype("float32")

    def fit(self, rows):
        y = np.concatenate([np.ones((BATCH, 1)), np.zeros((BATCH, 1))]).astype("float32")
        for step in range(STEPS):
            real = rows[self.rng.integers(0, len(rows), BATCH)]
            fake = np.asarray(self.generator(self.noise()))
            self.discriminator.trainable = True
            d = self.discriminator.train_on_batch(np.concatenate([real, fake]), y)
            self.discriminator.trainable = False
            g = self.gan.train_on_batch(self.noise(), y[:BATCH])
            if step % 10 == 0 or step == STEPS - 1:
                print("step %d  D %.4f  G %.4f" % (step, float(np.ravel(d)[0]), float(np.ravel(g)[0])))


gan = RowGAN()
gan.fit(plant_rows())
