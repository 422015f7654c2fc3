"""GAN over log spectrograms of short tones."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(359)
rng = np.random.default_rng(359)

RATE, SAMPLES, Z_DIM, BATCH = 4000, 1088, 20, 32


def make_clip():
    length = rng.integers(500, SAMPLES)
    t = np.arange(length) / RATE
    tone = sum(rng.uniform(0.2, 1.0) * np.sin(2 * np.pi * f * t) for f in rng.uniform(150, 1800, 3))
    clip = np.zeros(SAMPLES, dtype=np.float32)
    clip[:length] = tone * np.hanning(length) + rng.normal(0, 0.01, length)
    return clip


clips = np.stack([make_clip() for _ in range(1200)])


def to_spectrogram(clip):
    stft = tf.signal.stft(clip, frame_length=64, frame_step=64, fft_length=64)
    magnitude = tf.abs(stft)[:, :32]
    log_mag = tf.math.log(magnitude + 1e-3)
    return (log_mag[..., tf.newaxis] + 1.8) / 5.2


dataset = (tf.data.Dataset.from_tensor_slices(clips).shuffle(1200, seed=0).map(to_spectrogram)
           .batch(BATCH, drop_remainder=True).prefetch(2))
frames = 17

generator = keras.Sequential([
    keras.Input((Z_DIM,)),
    layers.Dense(128),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Dense(256),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Dense(frames * 32, activation="tanh"),
    layers.Reshape((frames, 32, 1)),
])
discriminator = keras.Sequential([
    keras.Input((frames, 32, 1)),
    layers.Conv2D(12, 5, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2D(24, 5, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)


@tf.function
def step(spec):
    z = tf.random.normal([BATCH, Z_DIM])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = generator(z, training=True)
        r = discriminator(spec, training=True)
        f = discriminator(fake, training=True)
        d_loss = tf.reduce_mean((r - 1.0) ** 2) + tf.reduce_mean(f ** 2)
        g_loss = tf.reduce_mean((f - 1.0) ** 2)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    return d_loss, g_loss


for epoch in range(8):
    for spec in dataset:
        d_loss, g_loss = step(spec)
    tf.print("epoch", epoch, "d", d_loss, "g", g_loss)
