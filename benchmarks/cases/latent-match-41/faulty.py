import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)
data = load_digits().data.astype("float32") / 16.0
CODE = 4


def mlp(sizes, out_activation=None, name=None):
    net = keras.Sequential(name=name)
    net.add(keras.Input((sizes[0],)))
    for width in sizes[1:-1]:
        net.add(keras.layers.Dense(width, activation="relu"))
    net.add(keras.layers.Dense(sizes[-1], activation=out_activation))
    return net


class AdversarialAutoencoder:
    def __init__(self):
        self.encoder = mlp([64, 96, CODE], name="encoder")
        self.decoder = mlp([CODE, 96, 64], "sigmoid", name="decoder")
        self.critic = mlp([CODE, 48, 48, 1], name="critic")
        self.ae_opt = keras.optimizers.Adam(2e-3)
        self.critic_opt = keras.optimizers.Adam(2e-4)
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def warm_up_critic(self, batches):
        """A few critic-only steps so that its first opinions are not random."""
        self.encoder.trainable = False
        for x in batches:
            self.critic_step(x)

    def critic_step(self, x):
        prior = tf.random.normal((len(x), CODE))
        with tf.GradientTape() as tape:
            on_prior, on_code = self.critic(prior), self.critic(self.encoder(x))
            loss = self.bce(tf.ones_like(on_prior), on_prior) + self.bce(tf.zeros_like(on_code), on_code)
        grads = tape.gradient(loss, self.critic.trainable_variables)
        self.critic_opt.apply_gradients(zip(grads, self.critic.trainable_variables))
        return loss

    def autoencoder_step(self, x):
        nets = self.encoder.trainable_variables + self.decoder.trainable_variables
        with tf.GradientTape() as tape:
            code = self.encoder(x)
            on_code = self.critic(code)
            rebuild = tf.reduce_mean(tf.square(x - self.decoder(code)))
            loss = rebuild + 0.003 * self.bce(tf.ones_like(on_code), on_code)
        self.ae_opt.apply_gradients(zip(tape.gradient(loss, nets), nets))
        return rebuild

    def train(self, epochs, batch=90):
        order = np.random.permutation(len(data))
        self.warm_up_critic([data[order[i:i + batch]] for i in range(0, 5 * batch, batch)])
        for epoch in range(epochs):
            order = np.random.permutation(len(data))
            for i in range(0, len(data) - batch + 1, batch):
                x = data[order[i:i + batch]]
                c = self.critic_step(x)
                r = self.autoencoder_step(x)
            print(f"epoch {epoch}: rebuild {float(r):.4f} critic {float(c):.4f}")


aae = AdversarialAutoencoder()
aae.train(epochs=4)
codes = np.array(aae.encoder(data))
print("code mean", codes.mean(axis=0).round(2), "std", codes.std(axis=0).round(2))
