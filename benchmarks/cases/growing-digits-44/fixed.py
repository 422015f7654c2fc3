import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(44)
images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")


class GrowingGenerator:
    def __init__(self):
        self.base = keras.Sequential([keras.Input((16,)), layers.Dense(4 * 4 * 24, activation="relu"),
                                      layers.Reshape((4, 4, 24)),
                                      layers.Conv2D(24, 3, padding="same", activation="relu")], name="base")
        self.model = self._with_head(self.base.outputs[0], "gray_4")

    def _with_head(self, features, name):
        return keras.Model(self.base.inputs, layers.Conv2D(1, 1, activation="tanh", name=name)(features))

    def grow(self):
        x = layers.UpSampling2D(2)(self.base.outputs[0])
        x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv_8")(x)
        self.model = self._with_head(x, "gray_8")


def make_critic(size):
    return keras.Sequential([
        keras.Input((size, size, 1)),
        layers.Conv2D(24, 3, padding="same", activation="leaky_relu"),
        layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Flatten(), layers.Dense(1)])


class Trainer:
    def __init__(self):
        self.generator = GrowingGenerator()
        self.critic = make_critic(4)
        self.setup()

    def setup(self):
        self.g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.c_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.g_vars = self.generator.model.trainable_variables

    def next_resolution(self):
        self.generator.grow()
        self.critic = make_critic(8)
        self.setup()

    def step(self, real):
        z = tf.random.normal((len(real), 16))
        with tf.GradientTape() as gt, tf.GradientTape() as ct:
            r, f = self.critic(real), self.critic(self.generator.model(z, training=True))
            c_loss = tf.reduce_mean(tf.nn.softplus(-r)) + tf.reduce_mean(tf.nn.softplus(f))
            g_loss = tf.reduce_mean(tf.nn.softplus(-f))
        c_vars = self.critic.trainable_variables
        self.c_opt.apply_gradients(zip(ct.gradient(c_loss, c_vars), c_vars))
        g_grads = gt.gradient(g_loss, self.g_vars)
        self.g_opt.apply_gradients(zip(g_grads, self.g_vars))
        return float(c_loss), float(g_loss)


trainer = Trainer()
for size in (4, 8):
    if size == 8:
        trainer.next_resolution()
    scaled = images if size == 8 else tf.nn.avg_pool2d(images, 2, 2, "SAME").numpy()
    for i in range(50):
        batch = scaled[np.random.randint(0, len(scaled), 48)]
        losses = trainer.step(tf.constant(batch))
        if i % 25 == 0:
            print(f"{size}x{size} step {i} critic {losses[0]:.3f} generator {losses[1]:.3f}")
