import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(301)

BATCH = 64
Z_DIM = 24
EPOCHS = 16

pixels = load_digits().data.astype("float32") / 8.0 - 1.0
train = tf.data.Dataset.from_tensor_slices(pixels).shuffle(2000, seed=3).batch(BATCH, drop_remainder=True)

generator = keras.Sequential([
    keras.Input((Z_DIM,)),
    layers.Dense(96, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="tanh"),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(64),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(1),
], name="discriminator")

g_schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=500, decay_rate=0.9)
d_schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=500, decay_rate=0.9)
g_opt = keras.optimizers.Adam(g_schedule, beta_1=0.5)
d_opt = keras.optimizers.Adam(d_schedule, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(real):
    z = tf.random.normal([BATCH, Z_DIM])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = generator(z, training=True)
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(real_logits), real_logits) + bce(tf.zeros_like(fake_logits), fake_logits)
        g_loss = bce(tf.ones_like(fake_logits), fake_logits)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    return d_loss, g_loss


for epoch in range(EPOCHS):
    for batch in train:
        d_loss, g_loss = train_step(batch)
    print(f"epoch {epoch + 1:2d}  d_loss {float(d_loss):.4f}  g_loss {float(g_loss):.4f}")
