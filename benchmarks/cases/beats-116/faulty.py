import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(116)

SAMPLES, Z_SIZE, BATCH, N_STEPS = 40, 12, 64, 120


def heartbeats(n, seed=116):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, SAMPLES)
    beat = np.zeros((n, SAMPLES))
    for centre, height, width in ((0.2, 0.15, 0.03), (0.4, 0.9, 0.015), (0.44, -0.3, 0.015), (0.7, 0.25, 0.05)):
        c = centre + 0.02 * rng.normal(size=(n, 1))
        h = height * rng.uniform(0.8, 1.1, (n, 1))
        beat += h * np.exp(-0.5 * ((t - c) / width) ** 2)
    return np.clip(beat, -1, 1).astype("float32")


def build_generator():
    inputs = layers.Input((Z_SIZE,))
    h = layers.Dense(64)(inputs)
    h = layers.LeakyReLU(0.2)(h)
    h = layers.Dense(64)(h)
    h = layers.LeakyReLU(0.2)(h)
    outputs = layers.Dense(SAMPLES, activation="tanh")(h)
    return tf.keras.Model(inputs, outputs, name="beat_generator")


def build_discriminator():
    inputs = layers.Input((SAMPLES,))
    h = layers.Dense(128)(inputs)
    h = layers.LeakyReLU(0.2)(h)
    h = layers.Dense(64)(h)
    h = layers.LeakyReLU(0.2)(h)
    outputs = layers.Dense(1, activation="sigmoid")(h)
    return tf.keras.Model(inputs, outputs, name="beat_discriminator")


generator = build_generator()
discriminator = build_discriminator()
generator_optimizer = tf.keras.optimizers.Adam(1e-4, beta_1=0.5)
discriminator_optimizer = tf.keras.optimizers.Adam(6e-3, beta_1=0.5)
cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits


@tf.function
def train_step(beats):
    noise = tf.random.normal([BATCH, Z_SIZE])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated = generator(noise, training=True)
        real_output = discriminator(beats, training=True)
        fake_output = discriminator(generated, training=True)
        gen_loss = tf.reduce_mean(cross_entropy(tf.ones_like(fake_output), fake_output))
        disc_loss = (tf.reduce_mean(cross_entropy(tf.ones_like(real_output), real_output))
                     + tf.reduce_mean(cross_entropy(tf.zeros_like(fake_output), fake_output)))
    generator_optimizer.apply_gradients(
        zip(gen_tape.gradient(gen_loss, generator.trainable_variables), generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(disc_tape.gradient(disc_loss, discriminator.trainable_variables), discriminator.trainable_variables))
    return gen_loss, disc_loss


dataset = tf.data.Dataset.from_tensor_slices(heartbeats(2048)).shuffle(2048, seed=1).batch(BATCH, drop_remainder=True).repeat()
for step, beats in enumerate(dataset.take(N_STEPS)):
    gen_loss, disc_loss = train_step(beats)
    if step % 24 == 0 or step == N_STEPS - 1:
        print(f"step {step}: gen {gen_loss.numpy():.4f} disc {disc_loss.numpy():.4f}")
