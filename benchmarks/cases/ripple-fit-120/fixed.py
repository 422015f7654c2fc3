import numpy as np
import keras
import tensorflow as tf

keras.utils.set_random_seed(120)
layers = keras.layers

WINDOW, CODE = 32, 10


def ripples(n=2560):
    rng = np.random.default_rng(120)
    x = np.linspace(-1.0, 1.0, WINDOW)
    decay, freq = rng.uniform(0.5, 3.0, (n, 1)), rng.uniform(4.0, 12.0, (n, 1))
    return (np.exp(-decay * np.abs(x)) * np.cos(freq * x)).astype("float32")


def network(n_in, n_out, activation, name):
    inp = layers.Input((n_in,))
    h = layers.Dense(96, activation="leaky_relu")(inp)
    h = layers.Dense(96, activation="leaky_relu")(h)
    return keras.Model(inp, layers.Dense(n_out, activation=activation)(h), name=name)


class RippleGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = network(CODE, WINDOW, "tanh", "generator")
        self.discriminator = network(WINDOW, 1, None, "discriminator")

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    @staticmethod
    def least_squares(scores, target):
        return tf.reduce_mean(tf.square(scores - target))

    def train_step(self, real):
        batch = tf.shape(real)[0]
        code = tf.random.normal((batch, CODE))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(code, training=True)
            on_real = self.discriminator(real, training=True)
            on_fake = self.discriminator(fake, training=True)
            d_loss = 0.5 * (self.least_squares(on_real, 1.0) + self.least_squares(on_fake, 0.0))
            g_loss = self.least_squares(on_fake, 1.0)
        d_vars, g_vars = self.discriminator.trainable_variables, self.generator.trainable_variables
        self.discriminator_optimizer.apply_gradients(zip(d_tape.gradient(d_loss, d_vars), d_vars))
        self.generator_optimizer.apply_gradients(zip(g_tape.gradient(g_loss, g_vars), g_vars))
        return {"d_loss": d_loss, "g_loss": g_loss}


model = RippleGAN()
model.compile(
    generator_optimizer=keras.optimizers.SGD(0.05, momentum=0.5, clipvalue=0.5),
    discriminator_optimizer=keras.optimizers.SGD(0.05, momentum=0.5, clipvalue=0.5),
)
model.fit(ripples(), batch_size=64, epochs=4, verbose=2)
