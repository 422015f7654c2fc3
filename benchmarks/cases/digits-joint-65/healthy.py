import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import Input, Sequential, layers, losses, optimizers, utils

utils.set_random_seed(71)

LATENT, BATCH = 10, 50
data = (load_digits().data / 16.0).astype("float32")


def stack(n_in, widths, last=None):
    model = Sequential([Input((n_in,))])
    for w in widths[:-1]:
        model.add(layers.Dense(w, activation="leaky_relu"))
    model.add(layers.Dense(widths[-1], activation=last))
    return model


class VAEGAN:
    def __init__(self):
        self.encoder = stack(64, [64, 2 * LATENT])
        self.decoder = stack(LATENT, [64, 64], "sigmoid")
        self.critic = stack(64, [24, 1])
        self.bce = losses.BinaryCrossentropy(from_logits=True)
        self.optimizer = optimizers.Adam(1e-3)
        self.parts = [self.encoder, self.decoder, self.critic]

    @property
    def variables(self):
        return [v for part in self.parts for v in part.trainable_variables]

    @staticmethod
    def blur(x):
        return x + tf.random.normal(tf.shape(x), stddev=0.4)

    def losses(self, x):
        mean, logvar = tf.split(self.encoder(x, training=True), 2, axis=1)
        z = mean + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mean))
        rebuilt = self.decoder(z, training=True)
        drawn = self.decoder(tf.random.normal(tf.shape(mean)), training=True)

        vae = (tf.reduce_mean(tf.reduce_sum((x - rebuilt) ** 2, axis=1))
               - 0.05 * tf.reduce_mean(tf.reduce_sum(1.0 + logvar - mean ** 2 - tf.exp(logvar), axis=1)))
        real = self.critic(self.blur(x), training=True)
        fake = self.critic(self.blur(tf.stop_gradient(drawn)), training=True)
        dis = self.bce(tf.ones_like(real), real) + self.bce(tf.zeros_like(fake), fake)
        return vae, dis, drawn

    def step(self, x):
        variables = self.variables
        with tf.GradientTape(persistent=True) as tape:
            vae, dis, drawn = self.losses(x)
            fool = self.critic(self.blur(drawn), training=True)
            gen = 0.2 * self.bce(tf.ones_like(fool), fool)
        by_vae = tape.gradient(vae, variables)
        by_dis = tape.gradient(dis, variables)
        by_gen = tape.gradient(gen, self.decoder.trainable_variables)
        del tape

        gen_of = {id(v): g for v, g in zip(self.decoder.trainable_variables, by_gen)}
        total = []
        for v, a, b in zip(variables, by_vae, by_dis):
            found = [g for g in (a, b, gen_of.get(id(v))) if g is not None]
            total.append(tf.add_n(found))
        self.optimizer.apply_gradients(zip(total, variables))
        return float(vae), float(dis), float(gen)


model = VAEGAN()
for epoch in range(3):
    np.random.shuffle(data)
    rows = [model.step(tf.constant(data[i:i + BATCH])) for i in range(0, 1500, BATCH)]
    print("epoch %d  vae %.3f  dis %.3f  gen %.3f" % (epoch + 1, *np.mean(rows, axis=0)))
