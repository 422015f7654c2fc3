import tensorflow as tf
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(44)

x_train = load_digits().data.astype("float32") / 8.0 - 1.0
latent_dim = 20


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([
            keras.Input((latent_dim,)),
            layers.Dense(96, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="tanh"),
        ], name="generator")
        self.discriminator = keras.Sequential([
            keras.Input((64,)),
            layers.Dense(128, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Dense(64, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Dense(1),
        ], name="discriminator")
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    def train_step(self, real):
        n = ops.shape(real)[0]
        fake = self.generator(tf.random.normal((n, latent_dim)), training=True)
        with tf.GradientTape() as tape:
            scores = self.discriminator(ops.concatenate([real, fake], axis=0), training=True)
            real_scores, fake_scores = scores[:n], scores[n:]
            d_loss = 0.5 * (self.loss_fn(ops.ones_like(real_scores), real_scores)
                            + self.loss_fn(ops.zeros_like(fake_scores), fake_scores))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights))

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, latent_dim)), training=True)
            fake_scores = self.discriminator(fake, training=True)
            g_loss = self.loss_fn(ops.ones_like(fake_scores), fake_scores)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = GAN()
gan.compile(d_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5), g_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5))
gan.fit(x_train, batch_size=64, epochs=16, verbose=2)
