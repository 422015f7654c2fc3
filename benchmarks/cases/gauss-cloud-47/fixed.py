import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(47)
EPOCHS, BATCH = 12, 64

mixing = np.array([[0.9, 0.4], [0.1, 0.5]])
points = (np.random.randn(2560, 2) @ mixing + [1.0, -0.5]).astype("float32")


class CloudGAN(keras.Model):
    def __init__(self, noise=8):
        super().__init__()
        self.noise = noise
        self.gen = keras.Sequential([keras.Input((noise,)), keras.layers.Dense(64, activation="relu"),
                                     keras.layers.Dense(64, activation="relu"), keras.layers.Dense(2)])
        self.disc = keras.Sequential([keras.Input((2,)), keras.layers.Dense(64, activation="relu"),
                                      keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])

    def compile(self, gen_optimizer, disc_optimizer):
        super().compile()
        self.gen_optimizer, self.disc_optimizer = gen_optimizer, disc_optimizer
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        z = tf.random.normal((tf.shape(real)[0], self.noise))
        with tf.GradientTape() as gt, tf.GradientTape() as dt:
            fake = self.gen(z)
            r, f = self.disc(real), self.disc(fake)
            d_loss = self.bce(tf.ones_like(r), r) + self.bce(tf.zeros_like(f), f)
            g_loss = self.bce(tf.ones_like(f), f)
        d_vars, g_vars = self.disc.trainable_variables, self.gen.trainable_variables
        self.disc_optimizer.apply_gradients(zip(dt.gradient(d_loss, d_vars), d_vars))
        self.gen_optimizer.apply_gradients(zip(gt.gradient(g_loss, g_vars), g_vars))
        return {"d_loss": d_loss, "g_loss": g_loss}


gen_schedule = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=EPOCHS * (len(points) // BATCH))
gan = CloudGAN()
gan.compile(keras.optimizers.Adam(gen_schedule, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
dataset = tf.data.Dataset.from_tensor_slices(points).shuffle(2560).batch(BATCH)
history = gan.fit(dataset, epochs=EPOCHS, verbose=0).history
for epoch, (d, g) in enumerate(zip(history["d_loss"], history["g_loss"])):
    print(f"epoch {epoch + 1}: d_loss {float(d):.4f} g_loss {float(g):.4f}")
made = gan.gen(tf.random.normal((1000, 8))).numpy()
print("real mean", points.mean(axis=0).round(3), "std", points.std(axis=0).round(3))
print("made mean", made.mean(axis=0).round(3), "std", made.std(axis=0).round(3))
