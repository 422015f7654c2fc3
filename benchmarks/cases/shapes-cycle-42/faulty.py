import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(7)
SIZE = 12
LAMBDA = 10


def squares(n):
    imgs = -np.ones((n, SIZE, SIZE, 1), "float32")
    for i in range(n):
        r, c, s = np.random.randint(1, 5), np.random.randint(1, 5), np.random.randint(3, 6)
        imgs[i, r:r + s, c:c + s] = 1.0
    return imgs


def frames(n):
    imgs = squares(n)
    inner = imgs.copy()
    inner[:, 1:-1, 1:-1] = np.minimum.reduce([
        imgs[:, 1:-1, 1:-1], imgs[:, :-2, 1:-1], imgs[:, 2:, 1:-1], imgs[:, 1:-1, :-2], imgs[:, 1:-1, 2:]])
    return np.where(inner > 0, -1.0, imgs).astype("float32")


def make_generator(name):
    return keras.Sequential([
        keras.Input((SIZE, SIZE, 1)),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ], name=name)


def make_discriminator(name):
    return keras.Sequential([
        keras.Input((SIZE, SIZE, 1)),
        layers.Conv2D(8, 4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(1, 3, padding="same"),
    ], name=name)


generator_g = make_generator("generator_g")
generator_f = make_generator("generator_f")
discriminator_x = make_discriminator("discriminator_x")
discriminator_y = make_discriminator("discriminator_y")
loss_obj = keras.losses.BinaryCrossentropy(from_logits=True)
opts = {name: keras.optimizers.Adam(1e-3, beta_1=0.5) for name in ("g", "f", "x", "y")}


def discriminator_loss(real, generated):
    return 0.5 * (loss_obj(tf.ones_like(real), real) + loss_obj(tf.zeros_like(generated), generated))


def generator_loss(generated):
    return loss_obj(tf.ones_like(generated), generated)


def l1(a, b):
    return tf.reduce_mean(tf.abs(a - b))


@tf.function
def train_step(real_x, real_y):
    with tf.GradientTape(persistent=True) as tape:
        fake_y = generator_g(real_x, training=True)
        cycled_x = generator_f(fake_y, training=True)
        fake_x = generator_f(real_y, training=True)
        cycled_y = generator_g(fake_x, training=True)

        disc_real_x = discriminator_y(real_x, training=True)
        disc_real_y = discriminator_y(real_y, training=True)
        disc_fake_x = discriminator_y(fake_x, training=True)
        disc_fake_y = discriminator_y(fake_y, training=True)

        cycle = LAMBDA * (l1(real_x, cycled_x) + l1(real_y, cycled_y))
        g_loss = generator_loss(disc_fake_y) + cycle
        f_loss = generator_loss(disc_fake_x) + cycle
        x_loss = discriminator_loss(disc_real_x, disc_fake_x)
        y_loss = discriminator_loss(disc_real_y, disc_fake_y)

    for key, loss, net in (("g", g_loss, generator_g), ("f", f_loss, generator_f),
                           ("x", x_loss, discriminator_x), ("y", y_loss, discriminator_y)):
        grads = tape.gradient(loss, net.trainable_variables)
        opts[key].apply_gradients(zip(grads, net.trainable_variables))
    return g_loss, f_loss, x_loss, y_loss


data = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(squares(256)),
                            tf.data.Dataset.from_tensor_slices(frames(256)))).shuffle(256).batch(16)
for epoch in range(4):
    for real_x, real_y in data:
        losses = train_step(real_x, real_y)
    print("epoch", epoch, " ".join(f"{n}={float(v):.3f}" for n, v in zip("gfxy", losses)))
