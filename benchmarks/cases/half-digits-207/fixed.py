import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(77)
keras.mixed_precision.set_global_policy("mixed_float16")

LATENT, BATCH, STEPS = 32, 64, 60
SCALE = 2.0 ** 8

pixels = load_digits().data.astype("float32") / 8.0 - 1.0
stream = iter(tf.data.Dataset.from_tensor_slices(pixels).shuffle(1797, seed=1).repeat().batch(BATCH))


def mlp(n_in, widths, n_out, activation, name):
    x = inputs = layers.Input((n_in,))
    for width in widths:
        x = layers.Dense(width, kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Dense(n_out)(x)
    return keras.Model(inputs, layers.Activation(activation, dtype="float32")(x), name=name)


generator = mlp(LATENT, (128, 128), 64, "tanh", "generator")
discriminator = mlp(64, (128, 128), 1, "linear", "discriminator")
gen_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)
disc_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def discriminator_step(real):
    fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
    with tf.GradientTape() as tape:
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        loss = bce(tf.ones_like(real_logits), real_logits) + bce(tf.zeros_like(fake_logits), fake_logits)
        scaled = loss * SCALE
    grads = [g / SCALE for g in tape.gradient(scaled, discriminator.trainable_variables)]
    disc_opt.apply_gradients(zip(grads, discriminator.trainable_variables))
    return loss


@tf.function
def generator_step():
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
        logits = discriminator(fake, training=True)
        loss = bce(tf.ones_like(logits), logits)
        scaled = loss * SCALE
    grads = [g / SCALE for g in tape.gradient(scaled, generator.trainable_variables)]
    gen_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for step in range(1, STEPS + 1):
    d_loss = discriminator_step(next(stream))
    g_loss = generator_step()
    if step % 10 == 0:
        tf.print("step", step, "d_loss", d_loss, "g_loss", g_loss)
