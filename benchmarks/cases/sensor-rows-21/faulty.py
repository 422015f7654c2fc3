import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(8)
COLUMNS = ["temp", "hum", "press", "volt", "rpm"]


def load_rows(n=2000):
    rng = np.random.default_rng(0)
    load = rng.beta(2, 5, (n, 1))
    table = np.hstack([20 + 60 * load, 70 - 40 * load, 1000 + 5 * rng.normal(size=(n, 1)),
                       12 - 1.5 * load, 900 + 2500 * load])
    table += rng.normal(size=table.shape) * [1.0, 2.0, 1.0, 0.05, 40.0]
    return ((table - table.mean(0)) / table.std(0)).astype("float32")


class RowGenerator(keras.Model):
    def __init__(self, width=48):
        super().__init__()
        self.h1 = layers.Dense(width, activation="relu")
        self.h2 = layers.Dense(width, activation="relu")
        self.row = layers.Dense(len(COLUMNS))

    def call(self, z):
        return self.row(self.h2(self.h1(z)))


class RowCritic(keras.Model):
    def __init__(self, width=48):
        super().__init__()
        self.h1 = layers.Dense(width)
        self.h2 = layers.Dense(width)
        self.score = layers.Dense(1)

    def call(self, row):
        h = ops.leaky_relu(self.h1(row), 0.2)
        return self.score(ops.leaky_relu(self.h2(h), 0.2))


class TableGAN(keras.Model):
    def __init__(self, latent_dim=12):
        super().__init__()
        self.generator = RowGenerator()
        self.critic = RowCritic()
        self.latent_dim = latent_dim
        self.g_vars = self.generator.trainable_variables
        self.c_vars = self.critic.trainable_variables

    def compile(self, g_opt, c_opt):
        super().compile()
        self.g_opt = g_opt
        self.c_opt = c_opt

    def call(self, z):
        return self.generator(z)

    def train_step(self, rows):
        n = tf.shape(rows)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, self.latent_dim)))
            c_loss = (tf.reduce_mean(tf.nn.relu(1.0 - self.critic(rows)))
                      + tf.reduce_mean(tf.nn.relu(1.0 + self.critic(fake))))
        self.c_opt.apply(tape.gradient(c_loss, self.c_vars), self.c_vars)

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, self.latent_dim)))
            g_loss = -tf.reduce_mean(self.critic(fake))
        self.g_opt.apply(tape.gradient(g_loss, self.g_vars), self.g_vars)
        return {"c_loss": c_loss, "g_loss": g_loss}


rows = load_rows()
gan = TableGAN()
gan.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5))
gan.fit(tf.data.Dataset.from_tensor_slices(rows).shuffle(2000).batch(100), epochs=4, verbose=2)
fake = gan.generator(tf.random.normal((500, 12))).numpy()
for name, real_std, fake_std in zip(COLUMNS, rows.std(0), fake.std(0)):
    print(f"{name:6s} real std {real_std:.2f}  fake std {fake_std:.2f}")
