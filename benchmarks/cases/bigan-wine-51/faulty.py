import numpy as np
import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

tf.random.set_seed(12)
rng = np.random.default_rng(12)

X = StandardScaler().fit_transform(load_wine().data).astype("float32")
DIM, LATENT, BATCH = X.shape[1], 4, 32


class MLP(tf.Module):
    def __init__(self, sizes, name):
        super().__init__(name=name)
        self.weights = []
        for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
            w = rng.normal(0.0, np.sqrt(2.0 / (a + b)), (a, b)).astype("float32")
            self.weights.append((tf.Variable(w, name=f"{name}_w{i}"),
                                 tf.Variable(np.zeros(b, "float32"), name=f"{name}_b{i}")))

    def __call__(self, x):
        for i, (w, b) in enumerate(self.weights):
            x = tf.linalg.matmul(x, w) + b
            if i < len(self.weights) - 1:
                x = tf.nn.elu(x)
        return x


encoder = MLP([DIM, 32, LATENT], "encoder")
generator = MLP([LATENT, 32, DIM], "generator")
discriminator = MLP([DIM + LATENT, 48, 24, 1], "discriminator")
ge_vars = list(encoder.trainable_variables) + list(generator.trainable_variables)
d_vars = list(discriminator.trainable_variables)
ge_optimizer = tf.keras.optimizers.Adam(5e-4, beta_1=0.5)
d_optimizer = tf.keras.optimizers.Adam(5e-4, beta_1=0.5)


def scores(x):
    z = tf.random.normal((x.shape[0], LATENT))
    z_hat = encoder(x)
    x_hat = generator(z)
    p = discriminator(tf.concat([x, z_hat], 1))
    q = discriminator(tf.concat([x_hat, z], 1))
    return p, q


def train_on_batch(x):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(discriminator.trainable_variables)
        p, q = scores(x)
        d_loss = tf.reduce_mean(tf.nn.softplus(-p) + tf.nn.softplus(q))
    d_optimizer.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(generator.trainable_variables)
        p, q = scores(x)
        ge_loss = tf.reduce_mean(tf.nn.softplus(p) + tf.nn.softplus(-q))
    ge_optimizer.apply_gradients(zip(tape.gradient(ge_loss, ge_vars), ge_vars))
    return d_loss.numpy(), ge_loss.numpy()


for epoch in range(20):
    perm = rng.permutation(len(X))
    for i in range(0, len(X) - BATCH + 1, BATCH):
        d_loss, ge_loss = train_on_batch(tf.constant(X[perm[i:i + BATCH]]))
    if epoch % 5 == 4:
        error = tf.reduce_mean((generator(encoder(X)) - X) ** 2).numpy()
        print(f"epoch {epoch + 1:3d}  D {d_loss:.3f}  G/E {ge_loss:.3f}  reconstruction mse {error:.3f}")
