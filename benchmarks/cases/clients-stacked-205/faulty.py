import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(55)

CFG = dict(
    columns=6,
    latent=10,
    batch=128,
    hidden=64,
    base_lr=0.004,
    momentum=0.9,
    steps=80,
)


def clients(n, rng):
    """Standardised client table: age, income, debt, visits, tenure, score."""
    kind = rng.integers(0, 3, n)
    centre = np.array([[-1, -1, 0.5, 0, -1, 0], [0, 1, -0.5, 1, 0, 1], [1, 0, 0, -1, 1, -1]], float)[kind]
    table = centre + rng.normal(0, 0.35, (n, 6)) @ np.triu(np.full((6, 6), 0.3) + 0.7 * np.eye(6))
    return ((table - table.mean(0)) / table.std(0)).astype("float32")


rng = np.random.default_rng(3)
table = clients(4000, rng)

generator = keras.Sequential([
    layers.Input((CFG["latent"],)),
    layers.Dense(CFG["hidden"]),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(CFG["hidden"]),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(CFG["columns"]),
], name="generator")

discriminator = keras.Sequential([
    layers.Input((CFG["columns"],)),
    layers.Dense(CFG["hidden"]),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(CFG["hidden"]),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(1),
], name="discriminator")


def make_optimizer(cfg):
    # linear scaling rule for the batch size
    lr = cfg["base_lr"] * cfg["batch"]
    return keras.optimizers.SGD(lr, momentum=cfg["momentum"])


discriminator.compile(loss="mse", optimizer=make_optimizer(CFG))
stacked = keras.Sequential([generator, discriminator], name="stacked")
stacked.compile(loss="mse", optimizer=make_optimizer(CFG))

ones, zeros = np.ones((CFG["batch"], 1)), np.zeros((CFG["batch"], 1))
d_history, g_history = [], []

for step in range(CFG["steps"]):
    real = table[rng.integers(0, len(table), CFG["batch"])]
    fake = generator(rng.normal(size=(CFG["batch"], CFG["latent"])).astype("float32")).numpy()

    discriminator.trainable = True
    d_loss = discriminator.train_on_batch(np.concatenate([real, fake]), np.concatenate([ones, zeros]))

    discriminator.trainable = False
    g_loss = stacked.train_on_batch(rng.normal(size=(CFG["batch"], CFG["latent"])).astype("float32"), ones)

    d_history.append(float(d_loss))
    g_history.append(float(g_loss))
    if step % 10 == 9:
        print(f"step {step + 1}: d {d_history[-1]:.5g} g {g_history[-1]:.5g}")
