import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(45)

digits = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
domain_x = digits[:800]
domain_y = -digits[800:1600].transpose(0, 2, 1, 3)


def translator(name):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ], name=name)


def judge(name):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(1, 2, padding="valid"),
    ], name=name)


generator_g, generator_f = translator("x_to_y"), translator("y_to_x")
discriminator_x, discriminator_y = judge("disc_x"), judge("disc_y")
optimizers = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (2e-3, 2e-3, 5e-5, 5e-5)]
LAMBDA = 3.0


def disc_loss(real, fake):
    return 0.5 * (tf.reduce_mean(tf.square(real - 1.0)) + tf.reduce_mean(tf.square(fake)))


def gen_loss(fake):
    return tf.reduce_mean(tf.square(fake - 1.0))


@tf.function
def train_step(real_x, real_y):
    with tf.GradientTape(persistent=True) as tape:
        fake_y = generator_g(real_x, training=True)
        fake_x = generator_f(real_y, training=True)
        cycle = (tf.reduce_mean(tf.abs(real_x - generator_f(fake_y, training=True)))
                 + tf.reduce_mean(tf.abs(real_y - generator_g(fake_x, training=True))))
        out_fake_x, out_fake_y = discriminator_x(fake_x), discriminator_y(fake_y)
        g_loss = gen_loss(out_fake_y) + LAMBDA * cycle
        f_loss = gen_loss(out_fake_x) + LAMBDA * cycle
        dx_loss = disc_loss(discriminator_x(real_x), out_fake_x)
        dy_loss = disc_loss(discriminator_y(real_y), out_fake_y)

    networks = [generator_g, generator_f, discriminator_x, discriminator_y]
    gradients = [tape.gradient(g_loss, generator_g.trainable_variables),
                 tape.gradient(f_loss, generator_f.trainable_variables),
                 tape.gradient(dx_loss, discriminator_x.trainable_variables),
                 tape.gradient(dy_loss, discriminator_y.trainable_variables)]
    for optimizer, grads, network in zip(optimizers, gradients, networks):
        optimizer.apply_gradients(zip(grads, network.trainable_variables))
    return cycle, dx_loss, dy_loss


for step in range(120):
    x = domain_x[np.random.randint(0, 800, 32)]
    y = domain_y[np.random.randint(0, 800, 32)]
    cycle, dx_loss, dy_loss = train_step(tf.constant(x), tf.constant(y))
    if step % 30 == 0 or step == 119:
        print(f"step {step} cycle {float(cycle):.4f} disc_x {float(dx_loss):.4f} disc_y {float(dy_loss):.4f}")
