import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(369)


class Loader:
    """Keeps the pictures in one array and hands out random batches."""

    def __init__(self, pictures, dtype, batch):
        self.pictures = np.asarray(pictures).astype(dtype)[..., np.newaxis]
        self.batch = batch
        self.rng = np.random.default_rng(369)

    def __call__(self):
        picked = self.rng.integers(0, len(self.pictures), self.batch)
        return self.pictures[picked].astype("float32")


loader = Loader(load_digits().images / 8.0 - 1.0, dtype="int8", batch=32)

net_g = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(2 * 2 * 48),
    layers.BatchNormalization(momentum=0.8),
    layers.ReLU(),
    layers.Reshape((2, 2, 48)),
    layers.UpSampling2D(),
    layers.Conv2D(32, 3, padding="same"),
    layers.BatchNormalization(momentum=0.8),
    layers.ReLU(),
    layers.UpSampling2D(),
    layers.Conv2D(16, 3, padding="same"),
    layers.BatchNormalization(momentum=0.8),
    layers.ReLU(),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
], name="net_g")
net_d = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(24, 3, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2D(48, 3, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(1, activation="sigmoid"),
], name="net_d")
net_d.compile(keras.optimizers.Adam(8e-4, beta_1=0.5), "binary_crossentropy")
net_d.trainable = False
both = keras.Sequential([keras.Input((20,)), net_g, net_d])
both.compile(keras.optimizers.Adam(6e-4, beta_1=0.5), "binary_crossentropy")

yes, no = np.ones((32, 1), "float32"), np.zeros((32, 1), "float32")
for step in range(170):
    z = np.random.normal(size=(32, 20)).astype("float32")
    fake = np.asarray(net_g(z, training=True))
    net_d.trainable = True
    dr = net_d.train_on_batch(loader(), yes)
    df = net_d.train_on_batch(fake, no)
    net_d.trainable = False
    g = both.train_on_batch(z, yes)
    if step % 17 == 0:
        print(f"step {step:3d} | real {float(dr):.3f} | fake {float(df):.3f} | gen {float(g):.3f}")
