import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(67)
x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
STEPS, EVERY, BATCH = 90, 8, 48


class Trainer:
    def __init__(self):
        decay = lambda peak: keras.optimizers.schedules.PolynomialDecay(peak, STEPS - 1, end_learning_rate=0.0)
        self.G = keras.Sequential([keras.Input((16,)), layers.Dense(128, activation="relu"), layers.Reshape((2, 2, 32)),
                                   layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
                                   layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")])
        self.D = keras.Sequential([keras.Input((8, 8, 1)),
                                   layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
                                   layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"),
                                   layers.Flatten(), layers.Dense(1)])
        self.g_opt = keras.optimizers.Adam(decay(1.5e-3), 0.0, 0.99)
        self.d_opt = keras.optimizers.Adam(decay(1e-3), 0.0, 0.99)

    def r1(self, real):
        with tf.GradientTape() as tape:
            tape.watch(real)
            out = self.D(real)
        return tf.reduce_mean(tf.reduce_sum(tape.gradient(out, real) ** 2, axis=[1, 2, 3]))

    def train_d(self, real, step):
        with tf.GradientTape() as tape:
            fake = self.G(tf.random.normal((BATCH, 16)))
            loss = tf.reduce_mean(tf.nn.softplus(self.D(fake)) + tf.nn.softplus(-self.D(real)))
            total = loss + 0.2 * EVERY * self.r1(real) if step % EVERY == 0 else loss
        self.d_opt.apply(tape.gradient(total, self.D.trainable_variables), self.D.trainable_variables)
        return loss

    def train_g(self):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-self.D(self.G(tf.random.normal((BATCH, 16))))))
        self.g_opt.apply(tape.gradient(loss, self.G.trainable_variables), self.G.trainable_variables)
        return loss

    def report(self, step, d_loss, g_loss):
        if step % 30:
            return
        with tf.GradientTape(persistent=True) as tape:
            z = tf.Variable(tf.random.normal((BATCH, 16)))
            fake = self.G(z)
            score = tf.reduce_mean(self.D(fake))
        sensitivity = tf.norm(tape.gradient(score, z))
        size = tf.linalg.global_norm(tape.gradient(score, self.G.trainable_variables))
        print(f"{step:3d} d {float(d_loss):.3f} g {float(g_loss):.3f} dz {float(sensitivity):.4f} dG {float(size):.3f}")


trainer = Trainer()
for step in range(STEPS):
    real = tf.constant(x[np.random.randint(0, len(x), BATCH)])
    d_loss = trainer.train_d(real, step)
    g_loss = trainer.train_g()
    trainer.report(step, d_loss, g_loss)
