import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(77)

images = load_digits().data.astype("float32") / 8.0 - 1.0
images = images[:1500]

latent = 32
batch = 32
pipeline = tf.data.Dataset.from_tensor_slices(images).shuffle(1000, seed=5).repeat().batch(batch)


class SmallGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([
            keras.Input((latent,)),
            layers.Dense(96, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="tanh"),
        ], name="generator")
        self.discriminator = keras.Sequential([
            keras.Input((64,)),
            layers.Dense(512, activation="leaky_relu"),
            layers.Dense(512, activation="leaky_relu"),
            layers.Dense(1),
        ], name="discriminator")
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer

    def train_step(self, real):
        z = tf.random.normal((batch, latent))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(z, training=True)
            real_out = self.discriminator(real, training=True)
            fake_out = self.discriminator(fake, training=True)
            d_loss = 0.5 * (self.bce(tf.ones_like(real_out), real_out) + self.bce(tf.zeros_like(fake_out), fake_out))
            g_loss = self.bce(tf.ones_like(fake_out), fake_out)
        d_vars = self.discriminator.trainable_variables
        g_vars = self.generator.trainable_variables
        self.d_optimizer.apply_gradients(zip(d_tape.gradient(d_loss, d_vars), d_vars))
        self.g_optimizer.apply_gradients(zip(g_tape.gradient(g_loss, g_vars), g_vars))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = SmallGAN()
gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
gan.fit(pipeline, epochs=10, steps_per_epoch=80, verbose=2)
