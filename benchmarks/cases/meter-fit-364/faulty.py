import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(364)
rng = np.random.default_rng(364)

# half-hourly electricity use over 160 days, falling from winter to summer
n = 48 * 160
t = np.arange(n)
season = np.cos(np.pi * t / n)
usage = 0.55 * season + (0.18 + 0.10 * season) * np.sin(2 * np.pi * t / 48) + rng.normal(0, 0.03, n)
usage = np.clip(usage, -1, 1).astype("float32")
windows = np.lib.stride_tricks.sliding_window_view(usage, 24).copy()
print("windows", windows.shape, windows.min(), windows.max())


class SeriesGAN(keras.Model):
    def __init__(self, length, latent=12):
        super().__init__()
        self.latent = latent
        self.generator = keras.Sequential([
            keras.Input((latent,)),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(length, activation="tanh"),
        ])
        self.critic = keras.Sequential([
            keras.Input((length,)),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(1),
        ])

    def compile(self, **kwargs):
        super().compile(**kwargs)
        self.g_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)
        self.c_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)

    def train_step(self, data):
        n = tf.shape(data)[0]
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(tf.random.normal([n, self.latent]), training=True)
            s_real = self.critic(data, training=True)
            s_fake = self.critic(fake, training=True)
            c_loss = tf.reduce_mean(tf.nn.relu(1.0 - s_real)) + tf.reduce_mean(tf.nn.relu(1.0 + s_fake))
            g_loss = -tf.reduce_mean(s_fake)
        self.c_opt.apply_gradients(zip(tape.gradient(c_loss, self.critic.trainable_variables),
                                       self.critic.trainable_variables))
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, self.generator.trainable_variables),
                                       self.generator.trainable_variables))
        return {"critic": c_loss, "gen": g_loss, "level": tf.reduce_mean(fake)}


gan = SeriesGAN(24)
gan.compile()
gan.fit(windows, batch_size=64, epochs=3, shuffle=False, verbose=2)
made = gan.generator(tf.random.normal([500, 12])).numpy()
print("level of the data", windows.mean(), "+-", windows.mean(1).std(), " made", made.mean(), "+-", made.mean(1).std())
