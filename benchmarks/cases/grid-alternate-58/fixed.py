import itertools
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(14)

CENTRES = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=2)), "float32")


def sample_grid(n):
    return (CENTRES[np.random.randint(0, len(CENTRES), n)] + 0.05 * np.random.randn(n, 2)).astype("float32")


def set_trainable(net, flag):
    for layer in net.layers:
        layer.trainable = flag


class GridGAN:
    def __init__(self, z_dim=4):
        self.z_dim = z_dim
        self.gen = keras.Sequential([
            keras.Input((z_dim,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(2),
        ])
        self.dis = keras.Sequential([
            keras.Input((2,)),
            layers.Dense(64, activation="leaky_relu"),
            layers.Dense(64, activation="leaky_relu"),
            layers.Dense(1),
        ])
        self.gen_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)
        self.dis_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)

    def dis_update(self, real):
        set_trainable(self.dis, True)
        fake = self.gen(tf.random.normal((len(real), self.z_dim)))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softplus(-self.dis(real)) + tf.nn.softplus(self.dis(fake)))
        weights = self.dis.trainable_weights
        self.dis_optimizer.apply(tape.gradient(loss, weights), weights)
        return float(loss)

    def gen_update(self, n):
        set_trainable(self.dis, False)
        with tf.GradientTape() as tape:
            fake = self.gen(tf.random.normal((n, self.z_dim)))
            loss = tf.reduce_mean(tf.nn.softplus(-self.dis(fake)))
        weights = self.gen.trainable_weights
        self.gen_optimizer.apply(tape.gradient(loss, weights), weights)
        return float(loss)

    def train(self, steps, batch=64):
        for step in range(steps):
            d = self.dis_update(sample_grid(batch))
            g = self.gen_update(batch)
            if step % 40 == 0:
                print(f"step {step:3d}  dis {d:.4f}  gen {g:.4f}")


gan = GridGAN()
gan.train(160)
points = gan.gen(tf.random.normal((1000, 4))).numpy()
nearest = np.linalg.norm(points[:, None] - CENTRES, axis=-1)
print("samples within 0.2 of a centre: %.2f" % (nearest.min(1) < 0.2).mean())
print("centres hit:", len(set(nearest.argmin(1))))
