import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(70)

LENGTH, LATENT, BATCH, N_CRITIC = 40, 10, 64, 5
C = 0.05


def waves(n, seed=0):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, LENGTH)[None]
    pitch = rng.uniform(1, 4, (n, 1))
    return (np.sin(2 * np.pi * (pitch * t + rng.random((n, 1)))) * np.exp(-t)).astype("float32")


def generator_model():
    z = keras.Input((LATENT,))
    x = layers.Dense(10 * 16, activation="relu")(z)
    x = layers.Reshape((10, 16))(x)
    x = layers.UpSampling1D(2)(x)
    x = layers.Conv1D(16, 5, padding="same", activation="relu")(x)
    x = layers.UpSampling1D(2)(x)
    x = layers.Conv1D(1, 5, padding="same", activation="tanh")(x)
    return keras.Model(z, layers.Flatten()(x))


def critic_model():
    wave = keras.Input((LENGTH,))
    x = layers.Reshape((LENGTH, 1))(wave)
    x = layers.Conv1D(32, 7, strides=2, padding="same", activation="leaky_relu")(x)
    x = layers.Conv1D(64, 7, strides=2, padding="same", activation="leaky_relu")(x)
    x = layers.Flatten()(x)
    return keras.Model(wave, layers.Dense(1)(x))


class WaveGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = generator_model()
        self.critic = critic_model()

    def compile(self, c_opt, g_opt):
        super().compile()
        self.c_opt, self.g_opt = c_opt, g_opt

    def train_step(self, real):
        n = tf.shape(real)[0]
        for _ in range(N_CRITIC):
            fake = self.generator(tf.random.normal((n, LATENT)), training=True)
            with tf.GradientTape() as tape:
                c_loss = tf.reduce_mean(self.critic(fake, training=True)) - tf.reduce_mean(self.critic(real, training=True))
            weights = self.critic.trainable_variables
            self.c_opt.apply_gradients(zip(tape.gradient(c_loss, weights), weights))

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, LATENT)), training=True)
            g_loss = -tf.reduce_mean(self.critic(fake, training=True))
        weights = self.generator.trainable_variables
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"c_loss": c_loss, "g_loss": g_loss}


model = WaveGAN()
model.compile(
    c_opt=keras.optimizers.RMSprop(1e-3, clipvalue=C),
    g_opt=keras.optimizers.RMSprop(2e-4),
)
model.fit(waves(2560), batch_size=BATCH, epochs=2, verbose=2)
