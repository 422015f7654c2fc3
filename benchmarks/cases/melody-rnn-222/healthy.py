import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(73)

STEPS_PER_BAR, PITCHES, LATENT, BATCH, ITERATIONS = 24, 4, 8, 32, 70

rng = np.random.default_rng(21)


def melodies(n):
    """Slow contours in four voices, now and then with a loud accent."""
    t = np.linspace(0, 1, STEPS_PER_BAR)[None, :, None]
    shape = np.sin(2 * np.pi * (rng.integers(1, 3, (n, 1, PITCHES)) * t + rng.random((n, 1, PITCHES))))
    accent = np.where(rng.random((n, STEPS_PER_BAR, 1)) < 0.003, 30.0, 1.0)
    return (0.8 * shape * accent).astype("float32")


class Composer(keras.Model):
    def __init__(self):
        super().__init__(name="composer")
        self.repeat = layers.RepeatVector(STEPS_PER_BAR)
        self.rnn = layers.SimpleRNN(48, return_sequences=True, recurrent_initializer="orthogonal")
        self.voices = layers.Dense(PITCHES)

    def call(self, z):
        return self.voices(self.rnn(self.repeat(z)))


class Listener(keras.Model):
    def __init__(self):
        super().__init__(name="listener")
        self.rnn = layers.SimpleRNN(48, activation="relu", recurrent_initializer="orthogonal")
        self.verdict = layers.Dense(1)

    def call(self, x):
        return self.verdict(self.rnn(x))


composer, listener = Composer(), Listener()
composer_opt = keras.optimizers.Adam(1e-3, beta_1=0.5, clipnorm=3.0)
listener_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
MAX_NORM = 3.0


@tf.function
def listener_step(real):
    fake = composer(tf.random.normal((BATCH, LATENT)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((listener(real) - 1.0) ** 2) + tf.reduce_mean(listener(fake) ** 2)
    grads = tape.gradient(loss, listener.trainable_variables)
    grads, norm = tf.clip_by_global_norm(grads, MAX_NORM)
    listener_opt.apply_gradients(zip(grads, listener.trainable_variables))
    return loss, norm


@tf.function
def composer_step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((listener(composer(tf.random.normal((BATCH, LATENT)))) - 1.0) ** 2)
    grads = tape.gradient(loss, composer.trainable_variables)
    composer_opt.apply_gradients(zip(grads, composer.trainable_variables))
    return loss, tf.linalg.global_norm(grads)


largest = 0.0
for i in range(1, ITERATIONS + 1):
    l_loss, l_norm = listener_step(tf.constant(melodies(BATCH)))
    c_loss, c_norm = composer_step()
    largest = max(largest, float(l_norm), float(c_norm))
    if i % 10 == 0:
        print(f"{i:3d}  listener {float(l_loss):.4f}  composer {float(c_loss):.4f}  largest norm so far {largest:.2f}")
