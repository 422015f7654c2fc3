import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(12)

EPOCHS, BATCH, LATENT = 6, 32, 16

digits = load_digits()
pictures = digits.images[(digits.target == 8) | (digits.target == 3) | (digits.target == 0)]
pictures = (pictures[..., None] / 16.0).astype("float32")
STEPS_PER_EPOCH = len(pictures) // BATCH


def linear_decay(start):
    return keras.optimizers.schedules.PolynomialDecay(start, decay_steps=EPOCHS, end_learning_rate=0.0)


class DigitGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.gen = keras.Sequential([
            layers.Dense(2 * 2 * 24, activation="elu"),
            layers.Reshape((2, 2, 24)),
            layers.Conv2DTranspose(16, 4, 2, "same", activation="elu"),
            layers.Conv2DTranspose(1, 4, 2, "same", activation="sigmoid"),
        ])
        self.dis = keras.Sequential([
            layers.Conv2D(16, 4, 2, "same", activation="leaky_relu"),
            layers.Conv2D(24, 4, 2, "same", activation="leaky_relu"),
            layers.Flatten(),
            layers.Dense(1),
        ])
        self.gen.build((None, LATENT))
        self.dis.build((None, 8, 8, 1))
        self.mean_g = keras.metrics.Mean("gen")
        self.mean_d = keras.metrics.Mean("dis")

    def compile(self, gen_optimizer, dis_optimizer):
        super().compile()
        self.gen_optimizer = gen_optimizer
        self.dis_optimizer = dis_optimizer

    @property
    def metrics(self):
        return [self.mean_g, self.mean_d]

    def train_step(self, real):
        noise = tf.random.normal((tf.shape(real)[0], LATENT))
        with tf.GradientTape() as tape_d, tf.GradientTape() as tape_g:
            fake = self.gen(noise, training=True)
            out_real = self.dis(real, training=True)
            out_fake = self.dis(fake, training=True)
            loss_d = tf.reduce_mean(tf.nn.softplus(-out_real) + tf.nn.softplus(out_fake))
            loss_g = tf.reduce_mean(tf.nn.softplus(-out_fake))
        self.dis_optimizer.apply(tape_d.gradient(loss_d, self.dis.trainable_weights), self.dis.trainable_weights)
        self.gen_optimizer.apply(tape_g.gradient(loss_g, self.gen.trainable_weights), self.gen.trainable_weights)
        self.mean_g.update_state(loss_g)
        self.mean_d.update_state(loss_d)
        return {m.name: m.result() for m in self.metrics}


gan = DigitGAN()
gan.compile(keras.optimizers.Adam(linear_decay(1e-3), beta_1=0.5),
            keras.optimizers.Adam(linear_decay(1e-3), beta_1=0.5))
data = tf.data.Dataset.from_tensor_slices(pictures).shuffle(600).batch(BATCH, drop_remainder=True)
history = gan.fit(data, epochs=EPOCHS, verbose=0).history
for epoch, (a, b) in enumerate(zip(history["gen"], history["dis"])):
    print(f"epoch {epoch + 1}: gen {a:.4f} dis {b:.4f}")
