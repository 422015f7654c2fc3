import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(372)
rng = np.random.default_rng(372)

SIZE = 16


def road_mask():
    mask = np.zeros((SIZE, SIZE), dtype="float32")
    if rng.random() < 0.5:
        start, slope = rng.uniform(2, 13), rng.uniform(-0.7, 0.7)
        for col in range(SIZE):
            row = int(round(start + slope * (col - SIZE / 2)))
            if 0 <= row < SIZE:
                mask[row:row + 2, col] = 1.0
    else:
        start, slope = rng.uniform(2, 13), rng.uniform(-0.7, 0.7)
        for row in range(SIZE):
            col = int(round(start + slope * (row - SIZE / 2)))
            if 0 <= col < SIZE:
                mask[row, col:col + 2] = 1.0
    return mask


masks = np.stack([road_mask() for _ in range(3000)])[..., None]
print("share of road pixels", masks.mean())
dataset = tf.data.Dataset.from_tensor_slices(masks).shuffle(3000).batch(60, drop_remainder=True)

generator = keras.Sequential([
    keras.Input((24,)),
    layers.Dense(4 * 4 * 32),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Reshape((4, 4, 32)),
    layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
    layers.BatchNormalization(),
    layers.LeakyReLU(0.2),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
])
discriminator = keras.Sequential([
    keras.Input((SIZE, SIZE, 1)),
    layers.Conv2D(16, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2D(32, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train(real):
    z = tf.random.normal([tf.shape(real)[0], 24])
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(z, training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
        g_loss = bce(tf.ones_like(f), f)
    d_opt.apply_gradients(zip(dt.gradient(d_loss, discriminator.trainable_variables),
                              discriminator.trainable_variables))
    g_opt.apply_gradients(zip(gt.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    return d_loss, g_loss, tf.reduce_mean(fake)


for epoch in range(10):
    for batch in dataset:
        d_loss, g_loss, ink = train(batch)
    print(f"epoch {epoch}  d {d_loss:.3f}  g {g_loss:.3f}  share of road pixels generated {ink:.3f}")
