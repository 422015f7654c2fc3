import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(65)
CODES, DIM = 24, 8


class VectorQuantizer(layers.Layer):
    def __init__(self, beta=0.25, **kwargs):
        super().__init__(**kwargs)
        self.beta = beta

    def build(self, shape):
        self.codebook = self.add_weight(name="codebook", shape=(CODES, DIM), initializer="random_normal")
        self.built = True

    def call(self, z):
        flat = tf.reshape(z, (-1, DIM))
        distance = (tf.reduce_sum(flat ** 2, axis=1, keepdims=True) - 2 * flat @ tf.transpose(self.codebook)
                    + tf.reduce_sum(self.codebook ** 2, axis=1))
        nearest = tf.argmin(distance, axis=1)
        q = tf.reshape(tf.gather(self.codebook, nearest), tf.shape(z))
        loss = (tf.reduce_mean((q - tf.stop_gradient(z)) ** 2)
                + self.beta * tf.reduce_mean((tf.stop_gradient(q) - z) ** 2))
        return z + tf.stop_gradient(q - z), loss


class VQGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.Input((8, 8, 1)),
                                         layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
                                         layers.Conv2D(DIM, 3, strides=2, padding="same")])
        self.quantizer = VectorQuantizer()
        self.decoder = keras.Sequential([keras.Input((2, 2, DIM)),
                                         layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
                                         layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")])
        self.critic = keras.Sequential([keras.Input((8, 8, 1)),
                                        layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
                                        layers.Flatten(), layers.Dense(1)])
        self.quantizer.build((None, 2, 2, DIM))

    def compile(self, codec_opt, critic_opt):
        super().compile()
        self.codec_opt, self.critic_opt = codec_opt, critic_opt

    def train_step(self, x):
        with tf.GradientTape(persistent=True) as tape:
            q, vq_loss = self.quantizer(self.encoder(x))
            y = self.decoder(q)
            f, f_detached, r = self.critic(y), self.critic(tf.stop_gradient(y)), self.critic(x)
            rebuild = tf.reduce_mean((x - y) ** 2)
            codec_loss = rebuild + vq_loss - 0.02 * tf.reduce_mean(f)
            critic_loss = tf.reduce_mean(tf.nn.relu(1.0 - r)) + tf.reduce_mean(tf.nn.relu(1.0 + f_detached))
        codec = (self.encoder.trainable_variables + self.quantizer.trainable_variables
                 + self.decoder.trainable_variables)
        self.codec_opt.apply_gradients(zip(tape.gradient(codec_loss, codec), codec))
        critic = self.critic.trainable_variables
        self.critic_opt.apply_gradients(zip(tape.gradient(critic_loss, critic), critic))
        return {"rebuild": rebuild, "vq": vq_loss, "critic": critic_loss}


x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
model = VQGAN()
model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(5e-4))
model.fit(tf.data.Dataset.from_tensor_slices(x).shuffle(1797).batch(32), epochs=5, verbose=2)
