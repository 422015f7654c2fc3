import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 5
keras.utils.set_random_seed(SEED)

images = load_digits().data.astype("float32") / 8.0 - 1.0


class DigitGAN(keras.Model):
    def __init__(self, noise_dim=100, batch=12):
        super().__init__()
        self.noise_dim = noise_dim
        self.batch = batch
        self.gen = keras.Sequential([
            keras.Input((noise_dim,)),
            layers.Dense(128), layers.LeakyReLU(0.2),
            layers.Dense(128), layers.LeakyReLU(0.2),
            layers.Dense(64, activation="tanh")])
        self.disc = keras.Sequential([
            keras.Input((64,)),
            layers.Dense(128), layers.LeakyReLU(0.2),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(1)])

    def compile(self, learning_rate):
        super().compile()
        self.opt_g = keras.optimizers.Adam(learning_rate, beta_1=0.5)
        self.opt_d = keras.optimizers.Adam(learning_rate, beta_1=0.5)

    def draw(self):
        return keras.random.normal((self.batch, self.noise_dim), seed=SEED)

    def train_step(self, real):
        noise = self.draw()
        with tf.GradientTape(persistent=True) as tape:
            fake = self.gen(noise, training=True)
            on_real = self.disc(real, training=True)
            on_fake = self.disc(fake, training=True)
            loss_d = (tf.reduce_mean(tf.math.softplus(-on_real)) + tf.reduce_mean(tf.math.softplus(on_fake))) / 2.0
            loss_g = tf.reduce_mean(tf.math.softplus(-on_fake))
        self.opt_d.apply_gradients(zip(tape.gradient(loss_d, self.disc.trainable_variables),
                                       self.disc.trainable_variables))
        self.opt_g.apply_gradients(zip(tape.gradient(loss_g, self.gen.trainable_variables),
                                       self.gen.trainable_variables))
        return {"loss_d": loss_d, "loss_g": loss_g}


gan = DigitGAN()
gan.compile(learning_rate=1e-3)
gan.fit(images, batch_size=12, epochs=10, verbose=2)

new = gan.gen(tf.random.normal((200, gan.noise_dim)))
print("pixel std: new digits %.3f, data %.3f" % (new.numpy().std(axis=0).mean(), images.std(axis=0).mean()))
