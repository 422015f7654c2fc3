import numpy as np
import tensorflow as tf
from tensorflow import keras

LATENT = 4


def sample_ring(n, modes=8):
    k = np.random.randint(0, modes, n)
    centre = np.stack([np.cos(2 * np.pi * k / modes), np.sin(2 * np.pi * k / modes)], 1)
    return (centre + 0.05 * np.random.randn(n, 2)).astype("float32")


def dense_stack(n_in, n_out):
    inp = keras.Input((n_in,))
    x = keras.layers.Dense(32, "relu")(inp)
    x = keras.layers.Dense(32, "relu")(x)
    return keras.Model(inp, keras.layers.Dense(n_out)(x))


class Experiment:
    def __init__(self, lr=1e-3):
        self.lr = lr
        self.gen = dense_stack(LATENT, 2)
        self.disc = dense_stack(2, 1)
        self.params = {"gen": self.gen.trainable_weights, "disc": self.disc.trainable_weights}
        self.new_optimizers()

    def new_optimizers(self):
        self.opt = {"gen": keras.optimizers.Adam(self.lr, beta_1=0.5),
                    "disc": keras.optimizers.Adam(self.lr, beta_1=0.5)}

    def restart(self, seed):
        keras.utils.set_random_seed(seed)
        self.gen = keras.models.clone_model(self.gen)
        self.disc = keras.models.clone_model(self.disc)
        self.new_optimizers()

    def losses(self, real):
        fake = self.gen(tf.random.normal((len(real), LATENT)))
        real_logit, fake_logit = self.disc(real), self.disc(fake)
        d = tf.reduce_mean(tf.nn.softplus(-real_logit)) + tf.reduce_mean(tf.nn.softplus(fake_logit))
        g = tf.reduce_mean(tf.nn.softplus(-fake_logit))
        return {"gen": g, "disc": d}

    def step(self, real):
        with tf.GradientTape(persistent=True) as tape:
            losses = self.losses(real)
        for player in ("disc", "gen"):
            grads = tape.gradient(losses[player], self.params[player])
            self.opt[player].apply_gradients(zip(grads, self.params[player]))
        return losses

    def run(self, steps):
        for _ in range(steps):
            losses = self.step(sample_ring(64))
        return {k: round(float(v), 4) for k, v in losses.items()}


keras.utils.set_random_seed(0)
exp = Experiment()
print("trial run", exp.run(10))

for seed in (1, 2, 3):
    exp.restart(seed)
    print("seed", seed, exp.run(60))
    spread = exp.gen(tf.random.normal((512, LATENT))).numpy().std(0)
    print("   spread of samples", spread.round(3))
