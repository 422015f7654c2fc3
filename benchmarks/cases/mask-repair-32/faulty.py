import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(8)


def conv_net(size, name):
    return keras.Sequential([
        keras.Input((size, size, 1)),
        layers.Conv2D(16, 3, padding="same", activation="leaky_relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
        layers.Flatten(),
        layers.Dense(1),
    ], name=name)


class Inpainter:
    """Fills a 4x4 hole; one critic reads the whole picture, one only the hole."""

    def __init__(self):
        self.net = keras.Sequential([
            keras.Input((8, 8, 2)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", dilation_rate=2, activation="relu"),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ], name="completion")
        self.whole = conv_net(8, "whole_critic")
        self.local = conv_net(4, "local_critic")
        self.opt = {key: keras.optimizers.Adam(1e-3, beta_1=0.5) for key in ("net", "whole", "local")}
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def cut(self, image, corner):
        y, x = corner
        return image[:, y:y + 4, x:x + 4]

    def fill(self, image, corner):
        mask = np.zeros((8, 8, 1), "float32")
        mask[corner[0]:corner[0] + 4, corner[1]:corner[1] + 4] = 1.0
        mask = tf.broadcast_to(mask, tf.shape(image))
        holed = image * (1.0 - mask)
        return holed + mask * self.net(tf.concat([holed, mask], axis=-1))

    def critic_loss(self, critic, real, fake):
        r, f = critic(real), critic(fake)
        return self.bce(tf.ones_like(r), r) + self.bce(tf.zeros_like(f), f)

    def step(self, image, corner):
        with tf.GradientTape(persistent=True) as tape:
            done = self.fill(image, corner)
            whole_loss = self.critic_loss(self.whole, image, done)
            local_loss = self.critic_loss(self.whole, image, done)
            w, l = self.whole(done), self.local(self.cut(done, corner))
            fool = self.bce(tf.ones_like(w), w) + self.bce(tf.ones_like(l), l)
            net_loss = tf.reduce_mean(tf.abs(image - done)) + 0.05 * fool
        pairs = {"net": (net_loss, self.net), "whole": (whole_loss, self.whole), "local": (local_loss, self.local)}
        for key, (loss, model) in pairs.items():
            grads = tape.gradient(loss, model.trainable_variables)
            self.opt[key].apply_gradients(zip(grads, model.trainable_variables))
        del tape
        return {key: float(loss) for key, (loss, _) in pairs.items()}


images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
rng = np.random.default_rng(0)
model = Inpainter()
for i in range(40):
    batch = tf.constant(images[rng.integers(0, len(images), 32)])
    losses = model.step(batch, tuple(rng.integers(0, 5, 2)))
    if i % 10 == 0:
        print(i, {k: round(v, 3) for k, v in losses.items()})
