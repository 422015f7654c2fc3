import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(112)

N = 64
BATCH = 64
STEPS = 80
LAMBDA = 10.0


def make_pairs(n, seed=112):
    """Step-shaped signals and their noisy, smoothed recordings."""
    rng = np.random.default_rng(seed)
    levels = rng.uniform(-0.8, 0.8, (n, 4))
    clean = np.repeat(levels, N // 4, axis=1)
    kernel = np.ones(5) / 5.0
    noisy = np.stack([np.convolve(row, kernel, mode="same") for row in clean])
    noisy = noisy + 0.2 * rng.normal(size=noisy.shape)
    return noisy.astype("float32")[..., None], clean.astype("float32")[..., None]


def restorer():
    x = inp = keras.Input((N, 1))
    for filters in (16, 32, 16):
        x = layers.Conv1D(filters, 5, padding="same", activation="leaky_relu")(x)
    return keras.Model(inp, layers.Conv1D(1, 5, padding="same", activation="tanh")(x), name="restorer")


def judge():
    noisy, signal = keras.Input((N, 1)), keras.Input((N, 1))
    x = layers.Concatenate()([noisy, signal])
    for filters in (16, 32):
        x = layers.Conv1D(filters, 5, strides=2, padding="same", activation="leaky_relu")(x)
    return keras.Model([noisy, signal], layers.Conv1D(1, 3, padding="same")(x), name="judge")


G, D = restorer(), judge()
opt_G = keras.optimizers.Adam(1e-3, beta_1=0.5)
opt_D = keras.optimizers.Adam(5e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def generator_loss(judged, restored, clean):
    adversarial = bce(tf.ones_like(judged), judged)
    l1 = tf.reduce_sum(tf.abs(clean - restored))
    return adversarial + LAMBDA * l1, adversarial, l1


def discriminator_loss(judged_clean, judged_restored):
    return 0.5 * (bce(tf.ones_like(judged_clean), judged_clean)
                  + bce(tf.zeros_like(judged_restored), judged_restored))


@tf.function
def train_step(noisy, clean):
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        restored = G(noisy, training=True)
        judged_restored = D([noisy, restored], training=True)
        judged_clean = D([noisy, clean], training=True)
        g_total, g_adv, g_l1 = generator_loss(judged_restored, restored, clean)
        d_loss = discriminator_loss(judged_clean, judged_restored)
    opt_G.apply_gradients(zip(g_tape.gradient(g_total, G.trainable_variables), G.trainable_variables))
    opt_D.apply_gradients(zip(d_tape.gradient(d_loss, D.trainable_variables), D.trainable_variables))
    return g_adv, g_l1, d_loss


pairs = tf.data.Dataset.from_tensor_slices(make_pairs(2000)).shuffle(2000, seed=3).repeat().batch(BATCH)
for step, (noisy, clean) in enumerate(pairs.take(STEPS)):
    g_adv, g_l1, d_loss = train_step(noisy, clean)
    if step % 16 == 0 or step == STEPS - 1:
        print(f"step {step}: adversarial {g_adv:.3f}  l1 {g_l1:.3f}  judge {d_loss:.4f}")
