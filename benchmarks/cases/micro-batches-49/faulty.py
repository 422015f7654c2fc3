import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(49)
ACCUMULATE, BATCH, LATENT = 8, 256, 20

images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(BATCH, drop_remainder=True)

generator = keras.Sequential([
    keras.Input((LATENT,)), layers.Dense(2 * 2 * 32, activation="relu"), layers.Reshape((2, 2, 32)),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")])
discriminator = keras.Sequential([
    keras.Input((8, 8, 1)), layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(), layers.Dense(1)])
bce = keras.losses.BinaryCrossentropy(from_logits=True)


class Accumulator:
    """Sums gradients over several batches before the optimizer sees them."""

    def __init__(self, variables, optimizer, every):
        self.variables, self.optimizer, self.every = variables, optimizer, every
        self.sums = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]

    def add(self, grads, step):
        for total, grad in zip(self.sums, grads):
            total.assign_add(grad / self.every)
        if (step + 1) % self.every == 0:
            self.flush()

    def flush(self):
        self.optimizer.apply_gradients(zip([s.value() for s in self.sums], self.variables))
        self.reset()

    def reset(self):
        for total in self.sums:
            total.assign(tf.zeros_like(total))


g_acc = Accumulator(generator.trainable_variables, keras.optimizers.Adam(2e-3, beta_1=0.5), ACCUMULATE)
d_acc = Accumulator(discriminator.trainable_variables, keras.optimizers.Adam(2e-3, beta_1=0.5), ACCUMULATE)


@tf.function
def gradients(real):
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = bce(tf.ones_like(f), f)
        d_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    return (g_loss, gt.gradient(g_loss, generator.trainable_variables),
            d_loss, dt.gradient(d_loss, discriminator.trainable_variables))


for epoch in range(10):
    g_acc.reset()
    d_acc.reset()
    for step, real in enumerate(dataset):
        g_loss, g_grads, d_loss, d_grads = gradients(real)
        d_acc.add(d_grads, step)
        g_acc.add(g_grads, step)
    print(f"epoch {epoch + 1}: {step + 1} batches  d_loss {float(d_loss):.3f}  g_loss {float(g_loss):.3f}")
