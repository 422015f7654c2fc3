import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from sklearn.datasets import load_digits

tf.random.set_seed(3)
np.random.seed(3)


class GlyphGenerator(keras.Model):
    def __init__(self, classes=10):
        super().__init__()
        self.embed = layers.Embedding(classes, 12)
        self.net = keras.Sequential([
            layers.Dense(4 * 4 * 16),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Reshape((4, 4, 16)),
            layers.Conv2DTranspose(8, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ])

    def call(self, z, label):
        return self.net(tf.concat([z, self.embed(label)], axis=-1))


def make_discriminator():
    img = layers.Input((8, 8, 1))
    lab = layers.Input((), dtype="int32")
    plane = layers.Reshape((8, 8, 1))(layers.Embedding(10, 64)(lab))
    h = layers.Concatenate()([img, plane])
    for filters in (12, 24):
        h = layers.Conv2D(filters, 3, strides=2, padding="same")(h)
        h = layers.LeakyReLU(negative_slope=0.1)(h)
    return keras.Model([img, lab], layers.Dense(1)(layers.Flatten()(h)))


generator = GlyphGenerator()
discriminator = make_discriminator()

generator(tf.zeros((1, 20)), tf.zeros((1,), tf.int32))
g_optimizer = keras.optimizers.RMSprop(5e-4)
d_optimizer = keras.optimizers.RMSprop(5e-4)
g_optimizer.build(generator.trainable_variables)
d_optimizer.build(discriminator.trainable_variables)

bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_discriminator(images, labels):
    fake = generator(tf.random.normal((tf.shape(images)[0], 20)), labels)
    with tf.GradientTape() as tape:
        real_out = discriminator([images, labels])
        fake_out = discriminator([fake, labels])
        loss = bce(tf.ones_like(real_out), real_out) + bce(tf.zeros_like(fake_out), fake_out)
    variables = discriminator.trainable_variables
    d_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


@tf.function
def train_generator(labels):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((tf.shape(labels)[0], 20)), labels)
        out = discriminator([fake, labels])
        loss = bce(tf.ones_like(out), out)
    variables = generator.trainable_variables
    g_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


digits = load_digits()
x = (digits.images[..., np.newaxis] / 8.0 - 1.0).astype("float32")
y = digits.target.astype("int32")
ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1797).batch(64, drop_remainder=True)

for epoch in range(3):
    for xb, yb in ds:
        ld = train_discriminator(xb, yb)
        lg = train_generator(yb)
    tf.print("epoch", epoch, "d", ld, "g", lg)
